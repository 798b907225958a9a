"""Which tables are revisions of each other, read from the manifests that lie beside each other."""

from __future__ import annotations

import os
import re
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlc.errors import BranchWarning, DamagedObjectWarning, TlcError
from tlc.format.commit import REVISION
from tlc.format.listing import folder_names, manifests
from tlc.format.manifest import MANIFEST, Head, Parent, decode_part
from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tlc.url import Url


@dataclass(frozen=True)
class Node:
    """A table in a lineage."""

    url: Url
    id: str
    created: str
    parent: str | None


def revision_name(parent_name: str, number: int) -> str:
    """Return the usual name of revision `number`: that of the first table and the number."""
    first_name = re.sub(rf"-r{number - 1}(_\d{{4}})*$", "", parent_name)
    return f"{first_name}-r{number}"


def nodes_beside(url: Url) -> dict[str, Node]:
    """Return every readable table in the folder of `url`, by id.

    A manifest that cannot be read is named in a `DamagedObjectWarning` and passed over.
    """
    parent, names = url.parent, folder_names(url.parent)
    memory = _memory_of(parent)
    memory.forget_what_changed(url.name)
    new = [name for name in names if name not in memory.nodes]
    stamps = {name: memory.stamp(name) for name in new}  # before reading: it may change meanwhile
    for folder, data in manifests([parent / name for name in new]):
        try:
            member = decode_part(data, _Member, folder)
        except TlcError as error:
            warn_of_damage(folder, error)
            continue
        made_from = next((p.id for p in member.parents if p.relation == REVISION), None)
        node = Node(folder, member.id, member.created, made_from)
        memory.nodes[folder.name] = stamps[folder.name], node
    nodes = memory.nodes.copy()
    return {nodes[name][1].id: nodes[name][1] for name in names if name in nodes}


class _Member(Head, frozen=True, kw_only=True):
    id: str
    created: str
    parents: tuple[Parent, ...] = ()


_Stamp = tuple[int, int, int]


class _Memory:
    """The manifests in one folder that this process has read, so that it reads only new ones.

    They never change, but may be replaced by another table's (``if_exists="overwrite"``). That is
    looked for at once where it would change what somebody gets, and now and then everywhere.

    Args:
        path: The folder's path on this machine; "" if it is elsewhere, where nothing is remembered:
            to ask whether a file has changed takes as long there as to read it.
    """

    def __init__(self, path: str) -> None:
        self.nodes: dict[str, tuple[_Stamp | None, Node]] = {}
        self._path = path
        self._checked = 0.0

    def stamp(self, name: str) -> _Stamp | None:
        """Return what another manifest of that name would differ in."""
        try:
            status = os.stat(f"{self._path}/{name}/{MANIFEST}") if self._path else None
        except OSError:
            return None
        return (status.st_ino, status.st_size, status.st_mtime_ns) if status else None

    def forget_what_changed(self, name: str) -> None:
        """Forget all if a table was replaced, and any other such if there was no look lately."""
        if self._has_changed(name):
            self.nodes.clear()  # perhaps the whole folder was deleted and made anew
        now = time.monotonic()
        if now - self._checked > _SECONDS_BETWEEN_LOOKS:
            self._checked = now
            for each in list(self.nodes):  # a copy: other threads may add some
                if self._has_changed(each):
                    self.nodes.pop(each, None)

    def _has_changed(self, name: str) -> bool:
        known = self.nodes.get(name)
        return known is not None and (known[0] is None or known[0] != self.stamp(name))


_SECONDS_BETWEEN_LOOKS = 1.0
_MOST_FOLDERS = 1000
_memories: dict[tuple[str, int], _Memory] = {}


def _memory_of(folder: Url) -> _Memory:
    adapter, resolved = UrlAdapterRegistry.resolve(folder)
    path = adapter.local_path(resolved)
    try:
        inode = os.stat(path).st_ino if path else 0
    except OSError:
        inode = 0
    if not inode:
        return _Memory("")
    if len(_memories) > _MOST_FOLDERS:
        _memories.clear()
    # A folder in the place of another of that name is another one.
    return _memories.setdefault((str(path), inode), _Memory(str(path)))


def warn_of_damage(url: Url, error: TlcError) -> None:
    """Warn the caller of the caller's caller: the one who called a method of a table."""
    warnings.warn(f"{url} was passed over: {error.message}", DamagedObjectWarning, stacklevel=4)


def ends(start: Node, nodes: Iterable[Node]) -> list[Node]:
    """Return the descendants of `start` that nothing was made from, oldest first.

    There is one, or none if `start` has no descendants, or one for each branch.
    """
    children = _children(nodes)
    return _oldest_first(node for node in _below(start, children) if node.id not in children)


def warn_of_branches(start: Node, ends: Sequence[Node]) -> None:
    """Give a `BranchWarning` if there is more than one end; the last one is the latest."""
    best, others = ends[-1], sorted(str(node.url) for node in ends[:-1])
    if others:
        warnings.warn(
            f"{start.url} has {len(ends)} newest revisions. {best.url} is the latest; "
            f"the others are {', '.join(others)}.",
            BranchWarning,
            stacklevel=3,
        )


def descendants(start: Node, nodes: Iterable[Node]) -> list[Node]:
    """Return the revisions made from `start`, and from those, oldest first; without `start`."""
    return _oldest_first(_below(start, _children(nodes)))


def _children(nodes: Iterable[Node]) -> dict[str, list[Node]]:
    children: dict[str, list[Node]] = {}
    for node in nodes:
        if node.parent is not None:
            children.setdefault(node.parent, []).append(node)
    return children


def _below(start: Node, children: Mapping[str, list[Node]]) -> Iterator[Node]:
    waiting, seen = [start], {start.id}
    while waiting:
        for node in children.get(waiting.pop().id, ()):
            if node.id not in seen:  # manifests that lie may form a circle
                seen.add(node.id)
                waiting.append(node)
                yield node


def _oldest_first(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda node: (node.created, node.id))


def ancestors(start: Node, nodes: dict[str, Node]) -> list[Node]:
    """Return the revisions that `start` was made from, oldest first; without `start`."""
    found = {start.id: start}
    node = start
    while node.parent is not None and node.parent in nodes and node.parent not in found:
        node = nodes[node.parent]
        found[node.id] = node
    return list(found.values())[:0:-1]
