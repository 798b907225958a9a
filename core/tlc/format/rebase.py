"""Layers and parents of one object as another object's folder refers to them."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from tlc.format.manifest import Concat, Data, FileEntry, Layer, Parent, Stack, TableManifest
from tlc.url import Url

T = TypeVar("T", FileEntry, Parent)


def rebase_stack(stack: Stack, old: Url, new: Url) -> Stack:
    """Return `stack` with the paths of its files relative to the folder `new` instead of `old`."""
    if old == new:
        return stack
    return Stack(stack.row_count, tuple(_rebase_layer(layer, old, new) for layer in stack.layers))


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


def _rebase_layer(layer: Layer, old: Url, new: Url) -> Layer:
    if isinstance(layer, Concat):
        return Concat(tuple(rebase_stack(part, old, new) for part in layer.inputs))
    if isinstance(layer, Data):
        files = tuple(_rebase_entry(entry, old, new) for entry in layer.files)
        keys = _rebase_entry(layer.keys, old, new) if layer.keys else None
        return msgspec.structs.replace(layer, files=files, keys=keys)
    return msgspec.structs.replace(layer, file=_rebase_entry(layer.file, old, new))


def _rebase_entry(entry: FileEntry, old: Url, new: Url) -> FileEntry:
    return msgspec.structs.replace(entry, path=moved(entry.path, old, new))
