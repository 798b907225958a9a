"""Files on this machine as an object store keeps them: each written once, none grows."""

from __future__ import annotations

from typing import NoReturn

from tlc.url import UrlAdapterRegistry
from tlc.url.local import LocalUrlAdapter

SCHEME = "objects"


class NoAppendAdapter(LocalUrlAdapter):
    """Serves ``objects:///path``, where `path` is that of a local file."""

    def schemes(self):
        return [SCHEME]

    def supports_append(self):
        return False

    def append_binary_content_to_url(self, url, content, *, durable=True) -> NoReturn:
        raise self._unsupported("append", url)


def register():
    UrlAdapterRegistry.register(NoAppendAdapter, override=True)
