"""Which tables are revisions of each other, read from the manifests that lie beside each other."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tlc.errors import BranchWarning, DamagedObjectWarning, TlcError
from tlc.format.commit import REVISION
from tlc.format.manifest import Parent, decode_part
from tlc.format.publish import readable_objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tlc.url import Url


class _Head(msgspec.Struct, frozen=True):
    id: str
    created: str
    revision: int = 0
    parents: tuple[Parent, ...] = ()


@dataclass(frozen=True)
class Node:
    """A table in a lineage."""

    url: Url
    id: str
    created: str
    parent: str | None


def revision_name(parent_name: str, number: int) -> str:
    """Return the usual name of revision `number`: that of the first table and the number."""
    first_name = re.sub(rf"-r{number - 1}(_\d{{4}})?$", "", parent_name)
    return f"{first_name}-r{number}"


def nodes_beside(url: Url) -> dict[str, Node]:
    """Return every readable table in the folder of `url`, by id.

    A manifest that cannot be read is named in a `DamagedObjectWarning` and passed over.
    """
    nodes: dict[str, Node] = {}
    for folder, data in readable_objects(url.parent):
        try:
            head = decode_part(data, _Head, folder)
        except TlcError as error:
            warn_of_damage(folder, error)
            continue
        parent = next((p.id for p in head.parents if p.relation == REVISION), None)
        nodes[head.id] = Node(folder, head.id, head.created, parent)
    return nodes


def warn_of_damage(url: Url, error: TlcError) -> None:
    """Warn the caller of the caller's caller: the one who called a method of a table."""
    warnings.warn(f"{url} was passed over: {error.message}", DamagedObjectWarning, stacklevel=4)


def ends(start: Node, nodes: Iterable[Node]) -> list[Node]:
    """Return the descendants of `start` that nothing was made from, oldest first.

    There is one, or none if `start` has no descendants, or one for each branch.
    """
    parents = {node.parent for node in nodes}
    return [node for node in descendants(start, nodes) if node.id not in parents]


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
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node)
    found: list[Node] = []
    waiting = list(children.get(start.id, ()))
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting += children.get(node.id, ())
    return sorted(found, key=lambda node: (node.created, node.id))


def ancestors(start: Node, nodes: dict[str, Node]) -> list[Node]:
    """Return the revisions that `start` was made from, oldest first; without `start`."""
    found: list[Node] = []
    node = start
    while node.parent is not None and node.parent in nodes:
        node = nodes[node.parent]
        found.append(node)
    return found[::-1]
