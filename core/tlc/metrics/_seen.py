"""Which example ids have come already."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["SeenIds"]


class SeenIds:
    """Remembers ids, one byte for each up to the largest."""

    def __init__(self) -> None:
        self._seen = np.zeros(0, dtype=bool)
        self._top = -1

    def first_positions(self, ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
        """Return the positions of ids that have not come before, of equal ones the first.

        None stands for all of them, which is what a pass over a table has.
        """
        if not len(ids):
            return None
        is_rising = ids[0] > self._top and bool((ids[1:] > ids[:-1]).all())
        self._grow(int(ids[-1]) if is_rising else int(ids.max()))
        fresh: np.ndarray[Any, Any] | None = None
        if not is_rising:
            first = np.sort(np.unique(ids, return_index=True)[1])
            fresh = first[~self._seen[ids[first]]]
        self._seen[ids] = True
        return fresh

    def _grow(self, top: int) -> None:
        self._top = max(top, self._top)
        missing = self._top + 1 - len(self._seen)
        if missing > 0:
            grown = max(missing, len(self._seen))
            self._seen = np.append(self._seen, np.zeros(grown, dtype=bool))
