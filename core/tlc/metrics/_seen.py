"""Which example ids have come already."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["SeenIds"]


class SeenIds:
    """Remembers ids, one byte for each up to the largest."""

    def __init__(self) -> None:
        self._seen = np.zeros(0, dtype=bool)

    def first_positions(self, ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the positions of ids that have not come before, of equal ones the first."""
        missing = int(ids.max(initial=-1)) + 1 - len(self._seen)
        if missing > 0:
            grown = max(missing, len(self._seen))
            self._seen = np.append(self._seen, np.zeros(grown, dtype=bool))
        first = np.sort(np.unique(ids, return_index=True)[1])
        fresh: np.ndarray[Any, Any] = first[~self._seen[ids[first]]]
        self._seen[ids] = True
        return fresh
