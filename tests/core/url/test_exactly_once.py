"""Creating objects in a real store, through a line that loses requests and answers."""

from __future__ import annotations

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

import tlc
from tlc.errors import UnsettledWriteError, UnsupportedOperationError, UrlExistsError
from tlc.url import UrlAdapterRegistry

DROPPED = {"transfer-encoding", "connection", "content-length"}


class Line(BaseHTTPRequestHandler):
    """Hands requests on to a store. What happens to the next creations stands in `plan`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        fault = "none"
        if self.command == "PUT" and self.headers.get("If-None-Match"):
            self.server.created += 1
            fault = self.server.plan.pop(0) if self.server.plan else "none"
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault == "lost request":
            return self.hang_up()
        if fault == "503":
            return self.give(503, {}, b"")
        if fault == "409":
            return self.give(409, {}, b"<Error><Code>ConditionalRequestConflict</Code></Error>")
        status, headers, answer = self.ask(content)
        if fault == "lost answer":
            return self.hang_up()
        if fault == "500 after":
            return self.give(500, {}, b"")
        if fault == "sent twice":
            status, headers, answer = self.ask(content)
        return self.give(status, headers, answer)

    do_HEAD = do_PUT = do_DELETE = do_POST = do_GET  # noqa: N815

    def ask(self, content):
        found = exchange(self.server.store, self.command, self.path, content, self.headers)
        if found[0] == 412 and self.server.forgets_conditions:
            exchange(self.server.files, "DELETE", f"/buckets{self.path}")
            found = exchange(self.server.store, self.command, self.path, content, self.headers)
        return found

    def give(self, status, headers, content):
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for name, value in headers.items():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def hang_up(self):
        self.close_connection = True

    def log_message(self, *arguments):
        pass


def exchange(host, method, path, content=None, headers=()):
    connection = http.client.HTTPConnection(host)
    try:
        connection.request(method, path, content, dict(headers))
        found = connection.getresponse()
        return found.status, dict(found.headers), found.read()
    finally:
        connection.close()


@pytest.fixture
def line(s3_root, seaweed, monkeypatch):
    """A line to the store that nothing is wrong with yet."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Line) as server:
        server.store = urlsplit(seaweed[0]["AWS_ENDPOINT_URL"]).netloc
        server.files = urlsplit(seaweed[1]).netloc
        server.plan, server.created, server.forgets_conditions = [], 0, False
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


FAULTS = ["lost request", "503", "409", "lost answer", "500 after", "sent twice"]


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_is_settled(line, s3_root, fault):
    UrlAdapterRegistry.create_binary_content_at_url(s3_root / "warm", b"")
    line.plan, line.created = [fault], 0
    url = UrlAdapterRegistry.create_binary_content_at_url(s3_root / "a", b"mine")
    assert url.read_bytes() == b"mine"
    landed = fault in ("lost answer", "500 after", "sent twice")
    assert line.created == (1 if landed else 2)  # what has landed is not sent again


@pytest.mark.parametrize("fault", FAULTS)
def test_another_file_is_not_taken_for_ones_own(line, s3_root, fault):
    UrlAdapterRegistry.create_binary_content_at_url(s3_root / "a", b"theirs")
    line.plan = [fault]
    with pytest.raises(UrlExistsError):
        UrlAdapterRegistry.create_binary_content_at_url(s3_root / "a", b"mine")
    assert (s3_root / "a").read_bytes() == b"theirs"


def test_a_store_that_never_answers_leaves_it_open(line, s3_root):
    line.plan = ["lost request"] * 100
    with pytest.raises(UnsettledWriteError, match=r"not known whether .*/a was written"):
        UrlAdapterRegistry.create_binary_content_at_url(s3_root / "a", b"mine")
    assert line.created == 8
    assert not (s3_root / "a").exists()


def test_a_table_is_written_over_a_bad_line(line, s3_root):
    line.plan = FAULTS * 3
    first = tlc.Table.from_dict({"a": [1, 2]}, root_url=str(s3_root))
    second = first.set_values("a", [0], [5])
    assert [row["a"] for row in tlc.Table.from_url(first.url).latest()] == [5, 2]
    assert [table.id for table in second.history()] == [first.id, second.id]


def test_a_store_without_conditions_is_refused(line, s3_root):
    line.forgets_conditions = True
    with pytest.raises(UnsupportedOperationError, match="writes over an object"):
        tlc.Table.from_dict({"a": [1, 2]}, root_url=str(s3_root / "projects"))
    assert not [*s3_root_tables(s3_root)]


def s3_root_tables(root):
    folder = root / "projects" / "default-project" / "datasets" / "default-dataset" / "tables"
    if UrlAdapterRegistry.is_dir(folder):
        yield from (
            name
            for name in UrlAdapterRegistry.list_folders(folder)
            if (folder / name / "manifest.json").exists()
        )
