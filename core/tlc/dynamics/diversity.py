"""How spread out the rows of each class are, and which of them are unlike the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from tlc.dynamics.distances import as_distances, members_of, prepared, squared_distances
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.scores import Scores
from tlc.table.paths import groups_by

if TYPE_CHECKING:
    from tlc.dynamics.distances import Ints, Metric
    from tlc.dynamics.embeddings import Source, Where
    from tlc.dynamics.outliers import Scalars
    from tlc.dynamics.vectors import Vectors

__all__ = ["distances_to_means", "diversity"]

_SAME = 1e-13
"""Cosine distance of equal directions at most, by the error of float32."""


def diversity(
    source: Source,
    by: str | None = "label",
    *,
    metric: Metric = "cosine",
    **where: Unpack[Where],
) -> Scores:
    """Return how far each row is from the mean of its class, and how far those of a class are.

    With d(x) the distance of a row to the mean of its class, the diversity of the class is the mean
    of d(x) over its rows, and that of a row is d(x) divided by it: 1 for an ordinary row of any
    class, and more for one that adds variety, or that has the wrong label. Under ``"cosine"`` the
    mean is that of directions.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        by: The column of the classes, or a path to it; None if all rows are one class. Rows without
            a class are one.
        metric: ``"cosine"`` or ``"euclidean"``.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        ``diversity``: of the row, float32; 1 if all rows of the class are in one place;
        ``class_diversity``: of its class, float32. Both are NaN for rows without a vector.

    Raises:
        OptionError: There is no such metric.
        ColumnNotFoundError: There are no embeddings, or there is no column `by`.
    """
    given = embeddings(source, **where)
    codes = groups_by(given.table, [] if by is None else [by]).codes
    own, mean = distances_to_means(given.vectors, codes, metric=metric)
    # Of rows in one place nothing but the error of float32 remains.
    apart = ~(mean <= (_SAME if metric == "cosine" else 0))
    ratio = np.divide(own, mean, out=np.ones_like(own), where=apart)
    return Scores(
        given.table,
        {"diversity": ratio, "class_diversity": mean},
        description=f"{metric} distance of {given.column} to the mean of each {by or 'row'}",
    )


def distances_to_means(
    vectors: Vectors, classes: Ints, *, metric: Metric = "cosine"
) -> tuple[Scalars, Scalars]:
    """Return the distance of each vector to the mean of its class, and its mean in the class.

    Args:
        vectors: Shape ``(n, d)``.
        classes: Whole numbers from 0, shape ``(n,)``.
        metric: ``"cosine"`` or ``"euclidean"``.

    Returns:
        Two arrays of shape ``(n,)``; NaN for vectors with NaN, infinities or, for ``"cosine"``,
        only zeros.

    Raises:
        OptionError: There is no such metric.
    """
    rows, places = prepared(vectors, metric)
    made = np.full((2, len(vectors)), np.nan, np.float32)
    for chosen in members_of(classes[rows]):
        members = places[chosen]
        mean = members.mean(axis=0, dtype=np.float64)
        length = np.linalg.norm(mean) if metric == "cosine" else 1.0
        if length:
            centre = (mean / length).astype(np.float32)[None]
            same = np.zeros((len(members), 1), np.int64)
            distances = as_distances(squared_distances(members, centre, same), metric)[:, 0]
        else:
            distances = np.ones(len(members), np.float32)  # as far as is a right angle
        made[0, rows[chosen]] = distances
        made[1, rows[chosen]] = distances.mean(dtype=np.float64)
    return made[0], made[1]
