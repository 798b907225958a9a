"""Exact distances between many vectors, a block of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.dynamics.vectors import Vectors

__all__ = [
    "Ints",
    "Metric",
    "SquaredDistances",
    "as_distances",
    "limit_of",
    "members_of",
    "prepared",
    "smallest",
    "squared_distances",
]

Metric: TypeAlias = Literal["cosine", "euclidean"]
"""``"cosine"``: 1 - cos, from 0 to 2; ``"euclidean"``: the length of the difference."""

Ints: TypeAlias = npt.NDArray[np.int64]

_BLOCK = 1 << 24
"""Most distances at a time: 64 MB."""

_PAIRS = 8192
_RUN = 64
"""Distances of which the least is looked at first."""


def prepared(vectors: Vectors, metric: Metric) -> tuple[Ints, Vectors]:
    """Return which rows have a place in a space, and that place.

    Rows with NaN or infinities have none, nor has a vector of zeros under ``"cosine"``: it has no
    direction. Under ``"cosine"`` the places have length 1: half the squared distance of two of
    them is their cosine distance.

    Args:
        vectors: Shape ``(n, d)``.
        metric: The kind of distance.

    Returns:
        Row numbers, ascending, and as many vectors, C-contiguous float32.

    Raises:
        OptionError: There is no such metric.
    """
    if metric not in ("cosine", "euclidean"):
        raise OptionError(f"There is no metric {metric!r}.", hint="use 'cosine' or 'euclidean'.")
    there = np.isfinite(vectors).all(axis=1)
    if metric == "euclidean":
        rows = np.flatnonzero(there)
        return rows, np.ascontiguousarray(vectors[rows], np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    rows = np.flatnonzero(there & (lengths > 0))
    places = vectors[rows].astype(np.float32, copy=False)
    return rows, np.divide(places, lengths[rows, None], out=places, casting="same_kind")


def members_of(codes: Ints) -> Iterator[Ints]:
    """Yield the places of each number, ascending, the lowest number first.

    Args:
        codes: Numbers, shape ``(n,)``.
    """
    order = np.argsort(codes, kind="stable")
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    yield from np.split(order, ends) if len(codes) else ()


def as_distances(squared: Vectors, metric: Metric) -> Vectors:
    """Return distances from squared ones between prepared vectors."""
    found: Vectors = np.float32(0.5) * squared if metric == "cosine" else np.sqrt(squared)
    return found


def limit_of(threshold: float, metric: Metric) -> float:
    """Return the squared distance between prepared vectors that a distance comes from."""
    return 2 * threshold if metric == "cosine" else threshold * threshold


class SquaredDistances:
    """Squared distances to all of some vectors, by matrix products in float32.

    They have an error of about a millionth of the squared spread of the vectors:
    `squared_distances` does better for those that matter.

    Args:
        vectors: Prepared ones.
    """

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors
        # The smaller the numbers, the smaller the error of what cancels out.
        self._center = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        centered = vectors - self._center
        squares = np.einsum("ij,ij->i", centered, centered)
        self.noise = 1e-5 * float(squares.max(initial=0.0))
        self._right = np.empty((centered.shape[1] + 2, len(vectors)), np.float32)
        self._right[:-2] = -2 * centered.T
        self._right[-2] = squares
        self._right[-1] = 1

    def blocks(self, queries: Vectors | None = None) -> Iterator[tuple[int, Vectors]]:
        """Yield the first row of a block of queries, and their distances to all vectors.

        Args:
            queries: Prepared vectors; None for the vectors themselves, whose distance to
                themselves is infinite then.

        Yields:
            A block of shape ``(b, n)`` that may be changed; it is used again for the next.
        """
        asked = self.vectors if queries is None else queries
        size = max(1, _BLOCK // max(1, *self._right.shape))
        for start in range(0, len(asked), size):
            centered = asked[start : start + size] - self._center
            left = np.empty((len(centered), centered.shape[1] + 2), np.float32)
            left[:, :-2] = centered
            left[:, -2] = 1
            left[:, -1] = np.einsum("ij,ij->i", centered, centered)
            block = left @ self._right
            if queries is None:
                own = np.arange(len(block))
                block[own, own + start] = np.inf
            yield start, block


def squared_distances(queries: Vectors, vectors: Vectors, rows: Ints) -> Vectors:
    """Return squared distances of a few pairs, without the error of matrix products.

    Args:
        queries: Shape ``(b, d)``.
        vectors: Shape ``(n, d)``.
        rows: Rows of `vectors` for each query, shape ``(b, c)``.

    Returns:
        Shape ``(b, c)``, float32.
    """
    found = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        for place in range(rows.shape[1]):
            difference = queries[part] - vectors[rows[part, place]]
            found[part, place] = np.einsum("ij,ij->i", difference, difference)
    return found


def smallest(block: Vectors, count: int) -> Ints:
    """Return the columns of the smallest numbers of each row, in no order.

    The numbers are in runs. Those with the `count` smallest minima hold the `count` smallest
    numbers: of any other run each number is preceded by that many minima. Looking for minima is
    ten times as fast as `numpy.argpartition`.

    Args:
        block: Shape ``(b, n)``.
        count: How many.

    Returns:
        Shape ``(b, min(count, n))``.
    """
    rows, columns = block.shape
    count = min(count, columns)
    runs = columns // _RUN
    if count == columns:
        return np.broadcast_to(np.arange(columns), block.shape)
    if runs < 2 * count:
        return np.argpartition(block, count - 1, axis=1)[:, :count]
    # Run j is every `runs`-th number from j on: minima of such are taken a whole line at a time.
    whole = runs * _RUN
    minima = block[:, :whole].reshape(rows, _RUN, runs).min(axis=1)
    best = np.argpartition(minima, count - 1, axis=1)[:, :count]
    places = (best[:, :, None] + runs * np.arange(_RUN)).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(whole, columns), (rows, columns - whole))
    places = np.concatenate([places, rest], axis=1)
    found = np.take_along_axis(block, places, axis=1)
    chosen = np.argpartition(found, count - 1, axis=1)[:, :count]
    return np.take_along_axis(places, chosen, axis=1)
