"""Which objects lie directly in a folder, and their manifests: one listing, then one read each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import UrlNotFoundError
from tlc.format.manifest import MANIFEST
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_AT_ONCE = 256


def folder_names(folder: Url) -> list[str]:
    """Return the names of the folders in `folder`, sorted; none if it does not exist."""
    try:
        return UrlAdapterRegistry.list_folders(folder)
    except UrlNotFoundError:
        return []


def folders(folder: Url) -> list[Url]:
    """Return the folders in `folder`, sorted by name; none if it does not exist."""
    return [folder / name for name in folder_names(folder)]


def manifests(objects: Sequence[Url]) -> Iterator[tuple[Url, bytes]]:
    """Yield url and manifest bytes of every object among `objects`, in their order.

    Folders without a manifest are not objects and are passed over. A manifest that cannot be read
    has no bytes: it must not hide the others, and who decodes nothing will say that it is damaged.
    Where each read waits for a network many are read at once.
    """
    for start in range(0, len(objects), _AT_ONCE):
        part = objects[start : start + _AT_ONCE]
        contents = UrlAdapterRegistry.read_many([url / MANIFEST for url in part])
        for url, content in zip(part, contents, strict=True):
            if isinstance(content, bytes):
                yield url, content
            elif not isinstance(content, UrlNotFoundError):
                yield url, b""
