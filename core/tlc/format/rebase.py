"""Layers and parents of one object as another object's folder refers to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tlc.format.manifest import Concat, Data, FileEntry, Layer, Stack, TableManifest
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable


def rebase_stack(stack: Stack, old: Url, new: Url) -> Stack:
    """Return `stack` with the paths of its files relative to the folder `new` instead of `old`."""
    if old == new:
        return stack
    return map_files(
        stack, lambda entry: msgspec.structs.replace(entry, path=moved(entry.path, old, new))
    )


def map_files(stack: Stack, change: Callable[[FileEntry], FileEntry]) -> Stack:
    """Return `stack` with each file replaced by what `change` makes of it."""
    return Stack(stack.row_count, tuple(_with_files(layer, change) for layer in stack.layers))


def rebase_manifest(manifest: TableManifest, old: Url, new: Url) -> TableManifest:
    """Return `manifest` as it must read in the folder `new`."""
    parents = tuple(
        msgspec.structs.replace(parent, url=moved(parent.url, old, new))
        for parent in manifest.parents
    )
    stack = rebase_stack(manifest.stack, old, new)
    return msgspec.structs.replace(manifest, parents=parents, stack=stack)


def moved(path: str, old: Url, new: Url) -> str:
    """Return a path relative to `old` as a path relative to `new`."""
    return Url(path).to_absolute(old).to_relative(new).to_str()


def _with_files(layer: Layer, change: Callable[[FileEntry], FileEntry]) -> Layer:
    if isinstance(layer, Concat):
        return Concat(tuple(map_files(part, change) for part in layer.inputs))
    if isinstance(layer, Data):
        files = tuple(map(change, layer.files))
        keys = change(layer.keys) if layer.keys else None
        return msgspec.structs.replace(layer, files=files, keys=keys)
    return msgspec.structs.replace(layer, file=change(layer.file))
