"""The nearest other rows of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np

from tlc._optional import require
from tlc.dynamics.distances import (
    Ints,
    Metric,
    SquaredDistances,
    as_distances,
    prepared,
    smallest,
    squared_distances,
)
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.scores import Scores
from tlc.errors import OptionError

if TYPE_CHECKING:
    from tlc.dynamics.embeddings import Source, Where
    from tlc.dynamics.vectors import Vectors

__all__ = ["EXACT_UP_TO", "Neighbours", "find_neighbours", "nearest_neighbours"]

EXACT_UP_TO = 50_000
"""Most rows that are compared with each other without an index."""

_SPARE = 8
"""Candidates beyond those asked for, whose order the error of float32 products may have changed."""

_EFFORT = 64
"""Candidates that the approximate search keeps: usearch's expansion_search."""


class Neighbours(NamedTuple):
    """The nearest vectors of each vector, the nearest first.

    Attributes:
        rows: Their row numbers, int64 of shape ``(n, k)``; -1 where there is none.
        distances: Their distances, float32 of the same shape; NaN where there is none.
        is_exact: Whether these are the nearest, and not only most probably.
    """

    rows: Ints
    distances: Vectors
    is_exact: bool


def nearest_neighbours(
    source: Source,
    k: int = 10,
    *,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
    **where: Unpack[Where],
) -> Scores:
    """Return the nearest other rows of each row; see `find_neighbours`.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        k: How many.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most rows that are compared with each other one by one.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        ``neighbours``: row numbers, int64 of shape ``(rows, k)``, the nearest first, -1 where there
        is none; ``neighbour_distances``: float32, NaN where there is none.

    Raises:
        MissingExtraError: There are more rows, and usearch is not installed.
        OptionError: `k` is not positive, or there is no such metric.
        ColumnNotFoundError: There are no embeddings.
    """
    given = embeddings(source, **where)
    found = find_neighbours(given.vectors, k, metric=metric, exact_up_to=exact_up_to)
    kind = "nearest" if found.is_exact else "probably nearest (approximate search)"
    return Scores(
        given.table,
        {"neighbours": found.rows, "neighbour_distances": found.distances},
        description=f"{k} {kind} rows by {metric} distance of {given.column}",
    )


def find_neighbours(
    vectors: Vectors,
    k: int,
    *,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
    among: Vectors | None = None,
) -> Neighbours:
    """Return the nearest vectors of each vector.

    Up to `exact_up_to` vectors all are compared with all, by matrix products in blocks of 64 MB;
    distances of the nearest are then computed anew from their differences. Two vectors whose
    distances differ by less than the error of float32 products may be exchanged. Above, a graph is
    searched (HNSW: Malkov and Yashunin 2018, by usearch), which misses some of the nearest: about
    one of a hundred, and others each time, as threads build it.

    Args:
        vectors: Shape ``(n, d)``. Rows with NaN or infinities have no neighbours and are none;
            so it is with zeros under ``"cosine"``.
        k: How many.
        metric: ``"cosine"`` (``1 - cos``) or ``"euclidean"``.
        exact_up_to: Most vectors to be searched one by one.
        among: The vectors to be searched, shape ``(m, d)``; None for `vectors`, where no row is
            its own neighbour.

    Raises:
        MissingExtraError: There are more vectors, and usearch is not installed.
        OptionError: `k` is not positive, or there is no such metric, or lengths differ.
    """
    if k < 1:
        raise OptionError(f"k is {k!r}.", hint="give a positive number of neighbours.")
    rows, places = prepared(vectors, metric)
    there, targets = (rows, places) if among is None else prepared(among, metric)
    if places.shape[1] != targets.shape[1]:
        raise OptionError(
            f"Vectors of lengths {places.shape[1]} and {targets.shape[1]} are not compared."
        )
    asked = None if among is None else places
    count = min(k, max(0, len(targets) - (among is None)))
    is_exact = len(targets) <= exact_up_to
    search = _exact if is_exact else _approximate
    made = np.full((len(vectors), k), -1, np.int64)
    distances = np.full((len(vectors), k), np.nan, np.float32)
    if count and len(rows):
        found, squared = search(targets, asked, count)
        is_there = np.isfinite(squared)
        made[rows, :count] = np.where(is_there, there[found], -1)
        distances[rows, :count] = as_distances(np.where(is_there, squared, np.nan), metric)
    return Neighbours(made, distances, is_exact)


def _exact(targets: Vectors, asked: Vectors | None, count: int) -> tuple[Ints, Vectors]:
    queries = targets if asked is None else asked
    rows = np.empty((len(queries), count), np.int64)
    squared = np.empty((len(queries), count), np.float32)
    for start, block in SquaredDistances(targets).blocks(asked):
        stop = start + len(block)
        found = smallest(block, min(count + _SPARE, len(targets) - (asked is None)))
        rows[start:stop], squared[start:stop] = _nearest(
            queries[start:stop], targets, np.sort(found, axis=1), count
        )
    return rows, squared


def _approximate(targets: Vectors, asked: Vectors | None, count: int) -> tuple[Ints, Vectors]:
    library: Any = require(
        "usearch.index",
        extra="neighbours",
        purpose=f"to search {len(targets)} rows, which are more than exact_up_to",
    )
    index = library.Index(
        ndim=targets.shape[1], metric="l2sq", dtype="f32", expansion_search=max(_EFFORT, 2 * count)
    )
    index.add(np.arange(len(targets), dtype=np.uint64), targets)
    queries = targets if asked is None else asked
    # Of a single query the library would return another kind of object.
    twice = queries if len(queries) > 1 else np.repeat(queries, 2, axis=0)
    found = index.search(twice, min(len(targets), count + (asked is None)))
    keys = found.keys[: len(queries)].astype(np.int64)
    missing = np.arange(keys.shape[1]) >= found.counts[: len(queries), None]
    if asked is None:
        missing |= keys == np.arange(len(keys))[:, None]
    return _nearest(queries, targets, keys, count, missing)


def _nearest(
    queries: Vectors, targets: Vectors, candidates: Ints, count: int, missing: Any = False
) -> tuple[Ints, Vectors]:
    """Return the nearest candidates, in order; of equally near ones the lower row comes first."""
    squared = squared_distances(queries, targets, candidates)
    squared[np.broadcast_to(missing, squared.shape)] = np.inf
    order = np.argsort(squared, axis=1, kind="stable")[:, :count]
    squared = np.take_along_axis(squared, order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), squared
