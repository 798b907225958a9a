"""Processes that write one metrics table together, each its share of the rows.

They do not wait for each other. Each writes segments in a folder of its own and then a file that
says what its share is; whoever finds all shares publishes the table. What a process that was killed
has flushed stays readable, and one that takes its place goes on after it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.format.example_ids import ForeignTable

__all__ = ["Ranks", "is_share", "share_name", "shared_name"]

_SHARE = "share-"


_begun: Counter[tuple[str, ...]] = Counter()


@dataclass(frozen=True)
class Ranks:
    """One of several processes that share work.

    Attributes:
        rank: Its number, from 0.
        count: How many there are.
        turn: How often the same was begun in this process before; None if it is not begun yet.
    """

    rank: int
    count: int
    turn: int | None = None

    def begin(self, *about: object) -> Ranks:
        """Return itself with the turn of some work, which is told by what it is about.

        All ranks begin the same work in the same order, and so they agree on this without a word.
        """
        if self.turn is not None:
            return self
        key = tuple(map(str, (self.rank, self.count, *about)))
        _begun[key] += 1
        return replace(self, turn=_begun[key] - 1)

    def block(self, length: int) -> tuple[int, int]:
        """Return where its part of `length` things begins and ends; parts are about equal."""
        return length * self.rank // self.count, length * (self.rank + 1) // self.count


def shared_name(foreign: ForeignTable, split: str, constants: Mapping[str, Any], count: int) -> str:
    """Return the name under which `count` ranks find the table of one collection."""
    told = json.dumps([foreign.id, split, dict(constants), count], sort_keys=True, default=repr)
    return f"metrics_{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def share_name(rank: int, count: int) -> str:
    """Return the name of the file that says what a rank's share of a table is."""
    return f"{_SHARE}{rank}-of-{count}.json"


def is_share(name: str) -> bool:
    """Whether a file is one that says what a rank's share is."""
    return name.startswith(_SHARE)
