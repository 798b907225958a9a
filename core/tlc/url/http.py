"""Files on web servers, which can be read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from tlc.errors import UnsupportedOperationError, UrlNotFoundError
from tlc.url.adapter import UrlAdapter
from tlc.url.object_store import get_if_changed
from tlc.url.object_store_errors import errors_of
from tlc.url.obstore_loading import load_obstore
from tlc.url.options import Scheme
from tlc.url.parallel import in_parallel
from tlc.url.ranges import READ_AHEAD, RangeFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from tlc.errors import TlcError
    from tlc.url.url import Url

__all__ = ["HttpUrlAdapter"]


class HttpUrlAdapter(UrlAdapter):
    """Reads what a web server has at ``http://`` and ``https://`` urls."""

    def __init__(self) -> None:
        self._clients: dict[tuple[int, str], Any] = {}

    def schemes(self) -> list[str]:
        """Return ``["http", "https"]``."""
        return [Scheme.HTTP, Scheme.HTTPS]

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        with errors_of(url):
            return bytes(load_obstore().get(*self._place(url)).bytes())

    def read_many(self, urls: Sequence[Url]) -> list[bytes | TlcError]:
        """Return the content of several files, fetched at once."""
        return in_parallel(self._content_or_error, urls)

    def open_binary(self, url: Url) -> BinaryIO:
        """Return a file object that fetches what is read of it, if the server gives parts."""
        size = self.get_file_size(url)

        def fetch(start: int, stop: int) -> bytes:
            with errors_of(url):
                client, path = self._place(url)
                return bytes(load_obstore().get_range(client, path, start=start, end=stop))

        try:
            head = fetch(0, READ_AHEAD) if size else b""
        except UnsupportedOperationError:
            return super().open_binary(url)
        file: Any = RangeFile(fetch, size, head)
        return file

    def exists(self, url: Url) -> bool:
        """Return whether the server has something there."""
        try:
            self._head(url)
        except UrlNotFoundError:
            return False
        return True

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file in bytes."""
        return self._head(url)["size"]

    def entity_tag(self, url: Url) -> str | None:
        """Return the ETag that the server gives; None if it gives none."""
        return self._head(url)["e_tag"]

    def read_if_changed(self, url: Url, tag: str | None) -> tuple[bytes | None, str | None]:
        """Return content and ETag of a file with one request, or no content if it has `tag`."""
        return get_if_changed(url, *self._place(url), tag)

    def is_remote(self) -> bool:
        """Return True."""
        return True

    def supports_relativization(self) -> bool:
        """Return False: what lies beside a file on a server is not ours."""
        return False

    def _head(self, url: Url) -> Any:
        with errors_of(url):
            return load_obstore().head(*self._place(url))

    def _place(self, url: Url) -> tuple[Any, str]:
        """Return a client, and the path to ask it for."""
        text = str(url)
        parts = urlsplit(text)
        path = unquote(parts.path)
        is_usual = path.strip("/") and "//" not in path and not path.endswith("/")
        if is_usual and quote(path) == parts.path and not (parts.query or parts.fragment):
            return self._client(f"{parts.scheme}://{parts.netloc}"), path[1:]
        # The client would write such a path in its own way.
        return self._client(text), ""

    def _client(self, text: str) -> Any:
        key = (os.getpid(), text)
        client = self._clients.get(key)
        if client is None:
            client = load_obstore().store.HTTPStore.from_url(
                text,
                client_options={"allow_http": True, "timeout": "2m"},
                retry_config={"max_retries": 3},
            )
            if not urlsplit(text).path:  # one per server; those of single files are not kept
                self._clients[key] = client
        return client
