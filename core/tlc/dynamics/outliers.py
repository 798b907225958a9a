"""Rows that are far from all others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, Unpack

import numpy as np
import numpy.typing as npt

from tlc.dynamics.distances import members_of
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.neighbours import EXACT_UP_TO, find_neighbours
from tlc.dynamics.scores import Scores
from tlc.errors import OptionError
from tlc.table.paths import groups_by

if TYPE_CHECKING:
    from tlc.dynamics.distances import Metric
    from tlc.dynamics.embeddings import Source, Where
    from tlc.dynamics.neighbours import Neighbours
    from tlc.dynamics.vectors import Vectors

__all__ = ["OutlierMethod", "Scalars", "outlier_scores", "outliers"]

OutlierMethod: TypeAlias = Literal["mean", "kth", "lof"]
"""How distances to the k nearest become a score; see `outlier_scores`."""

Scalars: TypeAlias = npt.NDArray[np.float32]
"""float32 of shape ``(rows,)``."""

_LEAST_REACH = 1e-10
"""Keeps the density of vectors with k equal ones finite; scikit-learn has the same."""


def outliers(
    source: Source,
    k: int = 20,
    *,
    method: OutlierMethod = "mean",
    by: str | None = None,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
    **where: Unpack[Where],
) -> Scores:
    """Return how far each row is from the others; see `outlier_scores`.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        k: How many neighbours to look at; if there are fewer other rows, all of them.
        method: ``"mean"``, ``"kth"`` or ``"lof"``.
        by: The column of the classes, or a path to it: neighbours are of the same class then, so
            that a row that is like another class stands out. Those without a class are one.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most rows that are compared with each other one by one.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        ``outlier_score``: float32; NaN for rows without a vector, or without another row to be
        compared with.

    Raises:
        MissingExtraError: There are more rows, and usearch is not installed.
        OptionError: There is no such method or metric, or `k` is not positive.
        ColumnNotFoundError: There are no embeddings, or there is no column `by`.
    """
    given = embeddings(source, **where)
    codes = groups_by(given.table, [] if by is None else [by]).codes
    made = np.full(len(given.vectors), np.nan, np.float32)
    for rows in members_of(codes):
        made[rows] = outlier_scores(
            given.vectors[rows], k, method=method, metric=metric, exact_up_to=exact_up_to
        )
    what = "local outlier factor" if method == "lof" else f"{method} distance"
    return Scores(
        given.table,
        {"outlier_score": made},
        description=f"{what} of {k} nearest rows by {metric} distance of {given.column}"
        + ("" if by is None else f", for each {by}"),
    )


def outlier_scores(
    vectors: Vectors,
    k: int = 20,
    *,
    method: OutlierMethod = "mean",
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
) -> Scalars:
    """Return how far each vector is from the others, by its k nearest.

    - ``"mean"``: the mean distance to them (Angiulli and Pizzuti 2002);
    - ``"kth"``: the distance to the k-th (Ramaswamy, Rastogi and Shim 2000);
    - ``"lof"``: the local outlier factor (Breunig, Kriegel, Ng and Sander 2000): how much denser it
      is around them than around the vector, about 1 in a cluster. With d_k(o) the distance of o to
      its k-th neighbour, reach(p, o) = max(d_k(o), d(p, o)) and density(p) = 1 / mean reach(p, o)
      over the neighbours o of p, the factor is mean density(o) / density(p). Each vector has
      exactly k neighbours, even if others are as near as the last.

    Args:
        vectors: Shape ``(n, d)``.
        k: How many neighbours; if there are fewer other vectors, all of them.
        method: ``"mean"``, ``"kth"`` or ``"lof"``.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most vectors that are compared with each other one by one.

    Returns:
        Shape ``(n,)``; NaN for vectors with NaN, infinities or, for ``"cosine"``, only zeros, and
        for a single one.

    Raises:
        MissingExtraError: There are more vectors, and usearch is not installed.
        OptionError: There is no such method or metric, or `k` is not positive.
    """
    if method not in ("mean", "kth", "lof"):
        raise OptionError(f"There is no method {method!r}.", hint="use 'mean', 'kth' or 'lof'.")
    found = find_neighbours(vectors, k, metric=metric, exact_up_to=exact_up_to)
    count = int((found.rows >= 0).sum(axis=1).max(initial=0))
    made = np.full(len(vectors), np.nan, np.float32)
    if not count:
        return made
    there = np.flatnonzero(found.rows[:, count - 1] >= 0)
    if method == "lof":
        made[there] = _local_outlier_factors(found, there, count)
    else:
        distances = found.distances[there, :count]
        made[there] = distances.mean(axis=1) if method == "mean" else distances[:, -1]
    return made


def _local_outlier_factors(
    found: Neighbours, there: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    rows = np.searchsorted(there, found.rows[there, :count])
    distances = found.distances[there, :count].astype(np.float64)
    reach = np.maximum(distances[:, -1][rows], distances)
    density = 1 / (reach.mean(axis=1) + _LEAST_REACH)
    return density[rows].mean(axis=1) / density
