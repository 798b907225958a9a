"""Ids in annotation files: any integers, in any order, with gaps of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

# A table by id takes 8 bytes for each; beyond so many per id that there is, a search is better.
_SPARSE = 16


def duplicate(ids: Integers) -> tuple[int, int] | None:
    """Return the positions of two ids that are the same, or None if all differ."""
    ordered = np.sort(ids)
    equal = ordered[1:] == ordered[:-1]
    if not equal.any():
        return None
    first, second = np.flatnonzero(ids == ordered[np.argmax(equal)])[:2]
    return int(first), int(second)


def positions(ids: Integers, known: Integers) -> Integers:
    """Return where each id stands in `known`, whose ids all differ; -1 where it does not."""
    if not known.size:
        return np.full(ids.shape, -1, np.int64)
    low, high = int(known.min()), int(known.max())
    if high - low > _SPARSE * known.size:
        order = np.argsort(known)
        found = order[np.minimum(np.searchsorted(known, ids, sorter=order), known.size - 1)]
        return np.where(known[found] == ids, found, -1)
    table = np.full(high - low + 1, -1, np.int64)
    table[known - low] = np.arange(known.size)
    inside = (ids >= low) & (ids <= high)
    return np.where(inside, table[np.where(inside, ids, low) - low], -1)
