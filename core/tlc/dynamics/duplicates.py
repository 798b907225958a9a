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
    from tlc.dynamics.neighbours import Neighbours
    from tlc.dynamics.vectors import Vectors

__all__ = ["duplicate_groups", "leakage", "near_duplicates"]

_LINKS = 16
"""Neighbours that may link two rows where not all pairs are looked at."""

_PAIRS = 1 << 14
"""Pairs whose vectors are in memory at a time."""


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
    _check(threshold)
    given = embeddings(source, **where)
    found = find_neighbours(given.vectors, _LINKS, metric=metric, exact_up_to=exact_up_to)
    if found.is_exact:
        groups = duplicate_groups(given.vectors, threshold, metric=metric, exact_up_to=exact_up_to)
    else:
        groups = _linked(found, threshold)
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
        f"{given.column} <= {threshold:g}"
        + ("" if found.is_exact else ", found by approximate search"),
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
    if len(rows) > exact_up_to:
        found = find_neighbours(vectors, _LINKS, metric=metric, exact_up_to=exact_up_to)
        return _linked(found, threshold)
    made = np.full(len(vectors), -1, np.int64)
    if len(rows):
        made[rows] = _groups_within(places, limit_of(threshold, metric))
    return made


def _linked(found: Neighbours, threshold: float) -> Ints:
    """Return groups of rows that are linked to a neighbour."""
    sets = _Sets(len(found.rows))
    ones, ranks = np.nonzero(found.distances <= np.float32(threshold))
    sets.join(ones, found.rows[ones, ranks])
    return sets.groups()


def _groups_within(places: Vectors, limit: float) -> Ints:
    """Return groups by all pairs within a squared distance."""
    sets, work = _Sets(len(places)), SquaredDistances(places)
    for start, block in work.blocks():
        is_near = block <= limit + work.noise
        if not is_near.any():
            continue
        roots = sets.roots
        is_near &= roots[start : start + len(block), None] != roots
        ones, others = np.nonzero(is_near)
        ones += start
        for begin in range(0, len(ones), _PAIRS):
            one, other = ones[begin : begin + _PAIRS], others[begin : begin + _PAIRS]
            differ = sets.roots[one] != sets.roots[other]  # few do once others have been joined
            one, other = one[differ], other[differ]
            exact = squared_distances(places[one], places, other[:, None])[:, 0]
            is_near_indeed = exact <= np.float32(limit)
            sets.join(one[is_near_indeed], other[is_near_indeed])
    return sets.groups()


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

    def groups(self) -> Ints:
        """Return the number of the set of each, those with the lowest first; -1 for loners."""
        _, number, sizes = np.unique(self.roots, return_inverse=True, return_counts=True)
        is_group = sizes > 1
        return np.where(is_group, is_group.cumsum() - 1, -1)[number]


def _check(threshold: float) -> None:
    if not threshold >= 0:
        raise OptionError(f"The threshold is {threshold!r}.", hint="give a distance of 0 or more.")
