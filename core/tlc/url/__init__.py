"""Where bytes live: urls, the adapters that read and write them, and aliases for places."""

from __future__ import annotations

from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry, UrlAdapterProtocol
from tlc.url.aliases import (
    get_alias_path,
    get_registered_url_aliases,
    register_url_alias,
    unregister_url_alias,
)
from tlc.url.options import IfExistsOption, Scheme
from tlc.url.registry import (
    AdapterInfo,
    UrlAdapterRegistry,
    list_url_adapters,
    list_url_schemes,
    register_url_adapter,
)
from tlc.url.url import Url

__all__ = [
    "AdapterInfo",
    "IfExistsOption",
    "Scheme",
    "Url",
    "UrlAdapter",
    "UrlAdapterDirEntry",
    "UrlAdapterProtocol",
    "UrlAdapterRegistry",
    "get_alias_path",
    "get_registered_url_aliases",
    "list_url_adapters",
    "list_url_schemes",
    "register_url_adapter",
    "register_url_alias",
    "unregister_url_alias",
]
