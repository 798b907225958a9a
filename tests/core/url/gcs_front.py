"""The one request of Google's protocol that fake-gcs-server lacks: writing an object by PUT.

`obstore` writes with the XML interface, the emulator knows only the JSON one. This server turns
one into the other and hands everything else on as it is. Arguments: its port, and the emulator.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, urlsplit

METADATA = "x-goog-meta-"
DROPPED = {"connection", "transfer-encoding", "content-length", "host", "accept-encoding"}


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    emulator = ""

    def do_GET(self):
        self.answer(self.command, f"{self.emulator}{self.path}", dict(self.headers), self.body())

    do_HEAD = do_DELETE = do_POST = do_GET  # noqa: N815

    def do_PUT(self):
        bucket, _, key = unquote(urlsplit(self.path).path[1:]).partition("/")
        if source := self.headers.get("x-goog-copy-source"):
            other, _, old = unquote(source).lstrip("/").partition("/")
            target = f"{quote(old, safe='')}/rewriteTo/b/{bucket}/o/{quote(key, safe='')}"
            self.body()
            address = f"{self.emulator}/storage/v1/b/{other}/o/{target}"
            self.answer("POST", address, {"Content-Type": "application/json"}, b"{}")
            return
        metadata = {
            name[len(METADATA) :]: value
            for name, value in self.headers.items()
            if name.startswith(METADATA)
        }
        address = f"{self.emulator}/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
        if generation := self.headers.get("x-goog-if-generation-match"):
            address += f"&ifGenerationMatch={generation}"
        described = json.dumps({"name": key, "metadata": metadata}).encode()
        parts = (b"application/json", described), (b"application/octet-stream", self.body())
        mark = b"between-the-parts-of-this-request"
        content = b"".join(
            b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (mark, kind, part) for kind, part in parts
        )
        kind = f"multipart/related; boundary={mark.decode()}"
        self.answer("POST", address, {"Content-Type": kind}, content + b"--%b--" % mark)

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, method, address, headers, content):
        kept = {name: value for name, value in headers.items() if name.lower() not in DROPPED}
        request = urllib.request.Request(address, content or None, kept, method=method)
        try:
            with urllib.request.urlopen(request) as found:
                self.give(found.status, found.headers, found.read())
        except urllib.error.HTTPError as error:
            self.give(error.code, error.headers, error.read())

    def give(self, status, headers, content):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        if "etag" not in headers:
            self.send_header("ETag", '"written"')
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    Front.emulator = sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Front).serve_forever()
