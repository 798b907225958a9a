from __future__ import annotations

import io
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.errors import (
    ImageReadError,
    StorageError,
    StoragePermissionError,
    UnsupportedOperationError,
    UrlNotFoundError,
)
from tlc.schemas import ImageSchema
from tlc.url import Url, UrlAdapterRegistry

CONTENT = bytes(range(256)) * 2000


class Site(BaseHTTPRequestHandler):
    """Serves a dictionary; notes what it was asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.command, self.path, self.headers.get("Range")))
        content = self.server.files.get(self.path)
        if isinstance(content, int):
            self.answer(content, {})
        elif content is None:
            self.answer(404, {})
        elif self.path in self.server.cut:
            self.answer(200, {"ETag": '"one"', "Content-Length": str(len(content))}, content[:-9])
            self.close_connection = True
        elif (wanted := self.headers.get("Range")) and self.server.gives_parts:
            start, stop = (int(text) for text in wanted.partition("=")[2].split("-"))
            part = content[start : stop + 1]
            place = f"bytes {start}-{start + len(part) - 1}/{len(content)}"
            self.answer(206, {"Content-Range": place, "ETag": '"one"'}, part)
        else:
            self.answer(200, {"ETag": '"one"'}, content)

    do_HEAD = do_GET  # noqa: N815

    def answer(self, status, headers, content=b""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.files, server.asked, server.gives_parts, server.cut = {}, [], True, set()
        server.root = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "path",
    ["/a.bin", "/a/b%20c.bin", "/a?x=1&y=%2F", "/a%2Fb", "/a//b", "/folder/", "/%25", "/caf%C3%A9"],
)
def test_a_url_is_asked_for_as_it_is_written(site, path):
    site.files[path] = CONTENT
    url = Url(f"{site.root}{path}")
    assert url.read_bytes() == CONTENT
    assert url.exists()
    assert UrlAdapterRegistry.get_file_size(url) == len(CONTENT)
    assert UrlAdapterRegistry.entity_tag(url) == '"one"'
    assert {asked for _, asked, _ in site.asked} == {path}


def test_only_what_is_read_is_fetched(site):
    site.files["/a"] = CONTENT
    with UrlAdapterRegistry.open_binary(Url(f"{site.root}/a")) as file:
        file.seek(-100, 2)
        assert file.read() == CONTENT[-100:]
    fetched = [part for command, _, part in site.asked if command == "GET"]
    assert fetched == ["bytes=0-131071", f"bytes={len(CONTENT) - 100}-{len(CONTENT) - 1}"]
    assert UrlAdapterRegistry.read_range(Url(f"{site.root}/a"), 10, 20) == CONTENT[10:30]


def test_a_server_that_gives_no_parts_gives_the_whole(site):
    site.files["/a"], site.gives_parts = CONTENT, False
    with UrlAdapterRegistry.open_binary(Url(f"{site.root}/a")) as file:
        file.seek(-100, 2)
        assert file.read() == CONTENT[-100:]


def test_what_is_wrong_is_said(site):
    url = Url(f"{site.root}/missing")
    assert not url.exists()
    with pytest.raises(UrlNotFoundError, match="missing"):
        url.read_bytes()
    site.files["/secret"], site.files["/broken?token=abc"] = 403, 400
    with pytest.raises(StoragePermissionError, match="/secret"):
        Url(f"{site.root}/secret").read_bytes()
    with pytest.raises(StorageError, match="/broken") as info:
        Url(f"{site.root}/broken?token=abc").read_bytes()
    assert "400" in str(info.value)
    with pytest.raises(UnsupportedOperationError, match="write"):
        url.write_bytes(b"")
    with pytest.raises(StorageError):
        Url("http://127.0.0.1:9/closed").read_bytes()


def test_half_a_file_is_no_file(site):
    site.files["/a"] = CONTENT
    site.cut.add("/a")
    with pytest.raises(StorageError, match="/a"):
        Url(f"{site.root}/a").read_bytes()
    (found,) = UrlAdapterRegistry.read_many([Url(f"{site.root}/a")])
    assert isinstance(found, StorageError)


def test_urls_of_servers_stay_absolute():
    url = Url("https://example.org/a/b?c")
    assert url.to_relative() == url.to_relative("https://example.org/a") == url


def test_images_of_a_table_may_lie_on_a_server(site, tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.full((3, 4, 3), 7, np.uint8)).save(buffer, "PNG")
    site.files["/a.png?version=2"] = buffer.getvalue()
    urls = [f"{site.root}/a.png?version=2", f"{site.root}/missing.png"]
    table = tlc.Table.from_dict({"image": urls}, schema={"image": ImageSchema()}, root_url=tmp_path)
    again = tlc.Table.from_url(table.url)
    assert np.asarray(again[0]["image"]).tolist() == np.full((3, 4, 3), 7).tolist()
    assert again.table_rows[0]["image"] == urls[0]
    with pytest.raises(ImageReadError, match=r"missing\.png"):
        again[1]
