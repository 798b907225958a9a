"""Ids in annotation files: any integers, in any order, with gaps of any size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

# A table by id takes 8 bytes for each; beyond so many per id that there is, a search is better.
_SPARSE = 16


def repeated(ids: Integers) -> Integers:
    """Return where ids stand that stand further up, too, in ascending order."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    return np.sort(order[1:][ordered[1:] == ordered[:-1]])


class Places:
    """Where ids stand.

    Args:
        known: The ids, which all differ.
    """

    def __init__(self, known: Integers) -> None:
        self._known = known
        low, high = (int(known.min()), int(known.max())) if known.size else (0, -1)
        self._low, self._high = low, high
        self._table = self._order = np.empty(0, np.int64)
        if high - low > _SPARSE * known.size:
            self._order = np.argsort(known)
        elif known.size:
            self._table = np.full(high - low + 1, -1, np.int64)
            self._table[known - low] = np.arange(known.size)

    def of(self, ids: Integers) -> Integers:
        """Return where each id stands; -1 where it does not."""
        known = self._known
        if not known.size:
            return np.full(ids.shape, -1, np.int64)
        if self._order.size:
            at = np.searchsorted(known, ids, sorter=self._order)
            found = self._order[np.minimum(at, known.size - 1)]
            return np.where(known[found] == ids, found, -1)
        inside = (ids >= self._low) & (ids <= self._high)
        return np.where(inside, self._table[np.where(inside, ids, self._low) - self._low], -1)
