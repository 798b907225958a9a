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
    from collections.abc import Iterable

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
            warnings.warn(
                f"{folder} was passed over: {error.message}",
                DamagedObjectWarning,
                stacklevel=3,
            )
            continue
        parent = next((p.id for p in head.parents if p.relation == REVISION), None)
        nodes[head.id] = Node(folder, head.id, head.created, parent)
    return nodes


def newest(start: Node, nodes: Iterable[Node]) -> Node:
    """Return the newest descendant of `start`, or `start`.

    Where there are branches the one with the newest end wins, and a `BranchWarning` names the ends
    of the others.
    """
    ends = [node for node in descendants(start, nodes) if _is_leaf(node, nodes)]
    best = max(ends, key=lambda node: (node.created, node.id), default=start)
    others = sorted(str(node.url) for node in ends if node is not best)
    if others:
        warnings.warn(
            f"{start.url} has {len(ends)} newest revisions. {best.url} is the latest; "
            f"the others are {', '.join(others)}.",
            BranchWarning,
            stacklevel=3,
        )
    return best


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


def _is_leaf(node: Node, nodes: Iterable[Node]) -> bool:
    return all(other.parent != node.id for other in nodes)
