"""Which adapters there are before any is loaded, and how they are described."""

from __future__ import annotations

from typing import Literal, TypedDict

from tlc.url.options import Scheme

__all__ = ["LATE", "AdapterInfo", "Source", "described"]

Source = Literal["built-in", "registered", "entry point"]


class AdapterInfo(TypedDict):
    """What is known of the adapter of a scheme.

    Attributes:
        adapter_class: Name of the class.
        module: Module that defines it.
        scheme: The scheme it serves.
        source: ``"built-in"``, ``"registered"`` by the program, or ``"entry point"``.
    """

    adapter_class: str
    module: str
    scheme: str
    source: Source


# Loaded when a scheme is first asked for: they bring network clients.
_CLOUDS, _HTTP = "tlc.url.clouds", "tlc.url.http"
LATE: dict[str, tuple[str, str]] = {
    Scheme.S3: (_CLOUDS, "S3UrlAdapter"),
    Scheme.GS: (_CLOUDS, "GsUrlAdapter"),
    Scheme.ABFS: (_CLOUDS, "AbfsUrlAdapter"),
    Scheme.HTTP: (_HTTP, "HttpUrlAdapter"),
    Scheme.HTTPS: (_HTTP, "HttpUrlAdapter"),
}
"""Module and class of the built-in adapters that bring network clients, by scheme."""


def described(name: str, module: str, scheme: str, source: Source) -> AdapterInfo:
    """Return what is known of an adapter."""
    return AdapterInfo(adapter_class=name, module=module, scheme=scheme, source=source)
