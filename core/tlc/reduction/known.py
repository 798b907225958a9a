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
    equal, since it may be for vectors that differ.

    Args:
        vectors: float32 of shape (n, d).
    """

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        rng = np.random.default_rng(0)
        self._factors = rng.integers(0, 2**64, vectors.shape[1], np.uint64) | np.uint64(1)
        numbers = self._numbers(vectors)
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]

    def find(self, vectors: Vectors) -> Rows:
        """Return the first row with the same numbers for each vector; -1 where there is none.

        Args:
            vectors: float32 of shape (m, d), all finite.
        """
        numbers = self._numbers(vectors)
        first = np.searchsorted(self._sorted, numbers)
        alike = np.searchsorted(self._sorted, numbers, side="right") - first
        rows = np.full(len(vectors), -1)
        left, step = np.flatnonzero(alike), 0
        while len(left):
            candidates = self._order[first[left] + step]
            is_equal = self._are_equal(candidates, vectors, left)
            rows[left[is_equal]] = candidates[is_equal]
            step += 1
            left = left[~is_equal & (alike[left] > step)]
        return rows

    def _are_equal(self, rows: Rows, vectors: Vectors, others: Rows) -> npt.NDArray[np.bool_]:
        equal = np.empty(len(rows), np.bool_)
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            equal[part] = (self._vectors[rows[part]] == vectors[others[part]]).all(axis=1)
        return equal

    def _numbers(self, vectors: Vectors) -> npt.NDArray[np.uint64]:
        numbers = np.empty(len(vectors), np.uint64)
        for start in range(0, len(vectors), _BLOCK):
            block = np.ascontiguousarray(vectors[start : start + _BLOCK] + np.float32(0))  # no -0
            bits = block.view(np.uint32).astype(np.uint64)
            numbers[start : start + _BLOCK] = bits @ self._factors
        return numbers
