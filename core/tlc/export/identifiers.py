"""Ids for records that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def free_ids(given: Sequence[int | None]) -> list[int]:
    """Return ids that all differ: those given, and the next free ones for others.

    Args:
        given: Ids; None where there is none. Of several that are the same the first keeps it.
    """
    known = {each for each in given if each is not None}
    following = max(known, default=0) + 1
    taken: set[int] = set()
    found = []
    for each in given:
        if each is None or each in taken:
            each, following = following, following + 1
        taken.add(each)
        found.append(each)
    return found
