"""Which objects lie directly in a folder, and their manifests: one listing, then one read each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tlc.errors import UrlNotFoundError
from tlc.format.manifest import MANIFEST
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Found = TypeVar("Found")

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


def in_each(find: Callable[[Url], Found], places: Sequence[Url]) -> list[Found]:
    """Return what `find` returns for each of several folders; at once where it waits for a network.

    Args:
        find: Looks into a folder.
        places: Folders of one store.
    """
    if not places:
        return []
    adapter, first = UrlAdapterRegistry.resolve(places[0])
    if adapter.local_path(first) is None:
        return in_parallel(find, places)
    return [find(place) for place in places]
