"""Finding vectors among those that a reducer was fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.reduction.reducer import Vectors

    Rows = npt.NDArray[np.int64]

_BLOCK = 4096


class Known:
    """Vectors, by their values.

    A number for each vector is made of its bits, as in multiply-shift hashing (Dietzfelbinger and
    others 1997, https://doi.org/10.1006/jagm.1997.0873); vectors are compared only where it is
    equal.

    Args:
        vectors: float32 of shape (n, d).
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        rng = np.random.default_rng(0)
        self._factors = rng.integers(1, 2**63, vectors.shape[1], np.uint64) * np.uint64(
            2
        ) + np.uint64(1)
        numbers = self._numbers(vectors)
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]

    def find(self, vectors: Vectors) -> Rows:
        """Return the first row with the same numbers for each vector; -1 where there is none.

        Args:
            vectors: float32 of shape (m, d), all finite.
        """
        if not len(self._sorted):
            return np.full(len(vectors), -1)
        numbers = self._numbers(vectors)
        at = np.minimum(np.searchsorted(self._sorted, numbers), len(self._sorted) - 1)
        rows = self._order[at]
        found = self._sorted[at] == numbers
        places = np.flatnonzero(found)
        for start in range(0, len(places), _BLOCK):
            part = places[start : start + _BLOCK]
            found[part] = (self._vectors[rows[part]] == vectors[part]).all(axis=1)
        return np.where(found, rows, -1)

    def _numbers(self, vectors: Vectors) -> npt.NDArray[np.uint64]:
        numbers = np.empty(len(vectors), np.uint64)
        for start in range(0, len(vectors), _BLOCK):
            block = np.ascontiguousarray(vectors[start : start + _BLOCK] + np.float32(0))  # no -0
            bits = block.view(np.uint32).astype(np.uint64)
            numbers[start : start + _BLOCK] = bits @ self._factors
        return numbers
