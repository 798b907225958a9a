"""Where bytes live: urls, the adapters that read and write them, and aliases for places."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from tlc.url.fsspec_adapter import FsspecUrlAdapter, register_fsspec

__all__ = [
    "AdapterInfo",
    "FsspecUrlAdapter",
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
    "register_fsspec",
    "register_url_adapter",
    "register_url_alias",
    "unregister_url_alias",
]

_LATE = {"FsspecUrlAdapter", "register_fsspec"}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("tlc.url.fsspec_adapter"), name)
