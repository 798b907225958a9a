"""Rows that are nearly the same as others, in one table or in two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from tlc.dynamics.distances import (
    Ints,
    Metric,
    SquaredDistances,
    limit_of,
    prepared,
    squared_distances,
)
from tlc.dynamics.embeddings import embeddings
from tlc.dynamics.neighbours import EXACT_UP_TO, find_neighbours
from tlc.dynamics.scores import Scores
from tlc.errors import OptionError

if TYPE_CHECKING:
    from tlc.dynamics.embeddings import Source, Where
    from tlc.dynamics.vectors import Vectors

__all__ = ["duplicate_groups", "leakage", "near_duplicates"]

_LINKS = 16
"""Neighbours that may link two rows where not all pairs are looked at."""


def near_duplicates(
    source: Source,
    threshold: float,
    *,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
    **where: Unpack[Where],
) -> Scores:
    """Return groups of rows that are nearly the same.

    Two rows are in one group if a chain of rows leads from one to the other in which each is within
    `threshold` of the next: single linkage.

    Args:
        source: A table or run with embeddings, or `Embeddings`.
        threshold: Largest distance of near duplicates, such as 0.01 for ``"cosine"``.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most rows of which all pairs are looked at; of more each row is linked to at
            most 16 neighbours, and some links may be missed: see `find_neighbours`.
        **where: Which vectors; see `tlc.dynamics.embeddings`.

    Returns:
        ``duplicate_group``: number of the group, int64, those with the lowest rows first, -1 for
        rows that are like no other; ``nearest``: the nearest other row, int64, -1 if there is none;
        ``nearest_distance``: float32, NaN if there is none.

    Raises:
        MissingExtraError: There are more rows, and usearch is not installed.
        OptionError: The threshold is negative, or there is no such metric.
        ColumnNotFoundError: There are no embeddings.
    """
    given = embeddings(source, **where)
    groups = duplicate_groups(given.vectors, threshold, metric=metric, exact_up_to=exact_up_to)
    found = find_neighbours(given.vectors, 1, metric=metric, exact_up_to=exact_up_to)
    return Scores(
        given.table,
        {
            "duplicate_group": groups,
            "nearest": found.rows[:, 0],
            "nearest_distance": found.distances[:, 0],
        },
        description=f"near duplicates: {metric} distance of {given.column} <= {threshold:g}"
        + ("" if found.is_exact else ", found by approximate search"),
    )


def leakage(
    source: Source,
    other: Source,
    threshold: float,
    *,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
) -> Scores:
    """Return which rows have a near duplicate in another table, such as the one to validate with.

    Args:
        source: A table with embeddings, or `Embeddings`.
        other: Another one. Of runs, and to name columns, give ``tlc.dynamics.embeddings(...)``.
        threshold: Largest distance of near duplicates, such as 0.01 for ``"cosine"``.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most rows of `other` that are compared one by one.

    Returns:
        ``leaked``: bool; ``nearest``: the nearest row of the other table, int64, -1 if there is
        none; ``nearest_distance``: float32, NaN if there is none.

    Raises:
        MissingExtraError: `other` has more rows, and usearch is not installed.
        OptionError: The threshold is negative, there is no such metric, or lengths differ.
        ColumnNotFoundError: There are no embeddings.
    """
    _check(threshold)
    given, searched = embeddings(source), embeddings(other)
    found = find_neighbours(
        given.vectors, 1, metric=metric, exact_up_to=exact_up_to, among=searched.vectors
    )
    distances = found.distances[:, 0]
    return Scores(
        given.table,
        {
            "leaked": distances <= np.float32(threshold),
            "nearest": found.rows[:, 0],
            "nearest_distance": distances,
        },
        description=f"rows with a near duplicate in {searched.table.name}: {metric} distance of "
        f"{given.column} <= {threshold:g}",
    )


def duplicate_groups(
    vectors: Vectors,
    threshold: float,
    *,
    metric: Metric = "cosine",
    exact_up_to: int = EXACT_UP_TO,
) -> Ints:
    """Return the group of near duplicates that each vector is in; see `near_duplicates`.

    Args:
        vectors: Shape ``(n, d)``.
        threshold: Largest distance of near duplicates.
        metric: ``"cosine"`` or ``"euclidean"``.
        exact_up_to: Most vectors of which all pairs are looked at.

    Returns:
        int64 of shape ``(n,)``; -1 for none.

    Raises:
        MissingExtraError: There are more vectors, and usearch is not installed.
        OptionError: The threshold is negative, or there is no such metric.
    """
    _check(threshold)
    rows, places = prepared(vectors, metric)
    sets = _Sets(len(rows))
    if len(rows) > exact_up_to:
        found = find_neighbours(vectors, _LINKS, metric=metric, exact_up_to=exact_up_to)
        ones, others = np.nonzero(found.distances[rows] <= np.float32(threshold))
        sets.join(ones, np.searchsorted(rows, found.rows[rows][ones, others]))
    elif len(rows):
        _join_all(sets, places, limit_of(threshold, metric))
    _, number, sizes = np.unique(sets.roots, return_inverse=True, return_counts=True)
    is_group = sizes > 1
    numbers = np.where(is_group, is_group.cumsum() - 1, -1)
    made = np.full(len(vectors), -1, np.int64)
    made[rows] = numbers[number]
    return made


def _join_all(sets: _Sets, places: Vectors, limit: float) -> None:
    """Join all pairs within a squared distance."""
    work = SquaredDistances(places)
    for start, block in work.blocks():
        is_near = block <= limit + work.noise
        if not is_near.any():
            continue
        roots = sets.roots
        is_near &= roots[start : start + len(block), None] != roots
        ones, others = np.nonzero(is_near)
        ones += start
        exact = squared_distances(places[ones], places, others[:, None])[:, 0]
        is_near_indeed = exact <= np.float32(limit)
        sets.join(ones[is_near_indeed], others[is_near_indeed])


class _Sets:
    """Disjoint sets of the numbers below a count; at first each is a set of its own.

    Attributes:
        roots: The least number of the set that each number is in.
    """

    def __init__(self, count: int) -> None:
        self.roots = np.arange(count)

    def join(self, ones: Ints, others: Ints) -> None:
        """Join the sets of pairs: hook each root to the least one beside it, until none differ."""
        roots = self.roots
        while len(ones):
            ones, others = roots[ones], roots[others]
            differ = ones != others
            ones, others = ones[differ], others[differ]
            np.minimum.at(roots, np.maximum(ones, others), np.minimum(ones, others))
            while not (roots[roots] == roots).all():
                roots[:] = roots[roots]


def _check(threshold: float) -> None:
    if not threshold >= 0:
        raise OptionError(f"The threshold is {threshold!r}.", hint="give a distance of 0 or more.")
