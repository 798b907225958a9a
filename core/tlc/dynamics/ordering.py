"""Orders of rows in which any beginning covers the whole as well as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from tlc.dynamics.distances import prepared
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.scores import Scores
from tlc.errors import OptionError

if TYPE_CHECKING:
    from tlc.dynamics.distances import Ints, Metric
    from tlc.dynamics.embeddings import Source, Where
    from tlc.dynamics.vectors import Vectors

__all__ = ["farthest_first", "farthest_points", "traversal_index"]


def traversal_index(source: Source, *, metric: Metric = "cosine", **where: Unpack[Where]) -> Scores:
    """Return the place of each row in an order in which each is as far as can be from those before.

    The first n rows of the order are a selection of n rows that leaves no row far from all of them;
    near duplicates come last. See `farthest_first`; it takes time with the square of the rows.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        metric: ``"cosine"`` or ``"euclidean"``.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        ``traversal_index``: float64, from 0; NaN for rows without a vector.

    Raises:
        OptionError: There is no such metric.
        ColumnNotFoundError: There are no embeddings.
    """
    given = embeddings(source, **where)
    order = farthest_first(given.vectors, metric=metric)
    places = np.full(len(given.vectors), np.nan)
    places[order] = np.arange(len(order))
    return Scores(
        given.table,
        {"traversal_index": places},
        description=f"farthest-first order by {metric} distance of {given.column}",
    )


def farthest_points(
    source: Source, count: int, *, metric: Metric = "cosine", **where: Unpack[Where]
) -> Ints:
    """Return rows that are far from each other, for ``table.keep``; see `farthest_first`.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        count: How many.
        metric: ``"cosine"`` or ``"euclidean"``.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        int64 of shape ``(count,)``, in the order of their choice.

    Raises:
        OptionError: There are fewer rows with a vector, or there is no such metric.
        ColumnNotFoundError: There are no embeddings.
    """
    return farthest_first(embeddings(source, **where).vectors, count, metric=metric)


def farthest_first(
    vectors: Vectors, count: int | None = None, *, metric: Metric = "cosine"
) -> Ints:
    """Return vectors in an order in which each is the farthest from those before it.

    The farthest-first traversal of Gonzalez (1985): no vector is farther from the first n than
    twice the least distance that any n could have, where distances are euclidean, or between
    directions. The first is the one farthest from the mean; of equally far ones the lowest row
    comes first.

    Args:
        vectors: Shape ``(n, d)``. Those with NaN, infinities or, for ``"cosine"``, only zeros are
            left out.
        count: How many; None for all.
        metric: ``"cosine"`` or ``"euclidean"``.

    Returns:
        Row numbers, int64 of shape ``(count,)``.

    Raises:
        OptionError: There are fewer, or there is no such metric.
    """
    rows, places = prepared(vectors, metric)
    wanted = len(rows) if count is None else count
    if not 0 <= wanted <= len(rows):
        raise OptionError(
            f"{count} of {len(rows)} vectors cannot be chosen.",
            hint="rows without a vector do not count.",
        )
    if not wanted:
        return np.empty(0, np.int64)
    centered = places - places.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = np.einsum("ij,ij->i", centered, centered)
    order = np.empty(wanted, np.int64)
    order[0] = squares.argmax()
    nearest = np.full(len(places), np.inf, np.float32)
    for place in range(wanted):
        chosen = int(nearest.argmax()) if place else int(order[0])
        order[place] = chosen
        squared = centered @ (-2 * centered[chosen])
        squared += squares
        squared += squares[chosen]
        np.maximum(squared, 0, out=squared)
        np.minimum(nearest, squared, out=nearest)
        nearest[chosen] = -1  # stays the least, so that no row comes twice
    return rows[order]
