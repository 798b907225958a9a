"""Nearest neighbours of vectors, against the matrix products that they need and scikit-learn.

The vectors lie near a space of 16 dimensions, as embeddings of a trained model do: vectors that are
equally far from each other have no neighbours that a search could find.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks.harness import Case, Fact
from benchmarks.memory import added_megabytes
from tlc.dynamics.duplicates import duplicate_groups
from tlc.dynamics.neighbours import Neighbours, find_neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, MANY, LENGTH, NEAREST = 50_000, 200_000, 128, 10
ASKED = 1_000


def cases() -> Iterator[Case | Fact]:
    points = vectors(ROWS)
    work = f"{NEAREST} nearest of each of {ROWS:,} vectors of {LENGTH}"
    yield Case(
        f"{work}, exactly",
        {
            "matrix products alone": lambda: products(points),
            "tlc": lambda: find_neighbours(points, NEAREST, metric="euclidean"),
            "scikit-learn, brute": lambda: _by_scikit_learn(points),
        },
        unit=ROWS,
        rounds=3,
        goal=2.5,
    )
    setup = f"import benchmarks.neighbours as b; points = b.vectors({ROWS})"
    code = f"b.find_neighbours(points, {NEAREST})"
    yield Fact(f"memory of {work}", lambda: added_megabytes(code, setup=setup), 300, "MB")
    yield Case(
        f"groups of near duplicates among {ROWS:,} vectors of {LENGTH}",
        {
            "matrix products alone": lambda: products(points),
            "tlc": lambda: duplicate_groups(points, 0.1, metric="euclidean"),
        },
        rounds=3,
        goal=2,
    )
    work = f"{NEAREST} nearest of each of {MANY:,} vectors of {LENGTH}, by usearch"
    yield Fact(work, lambda: _search()[1], None, "s")
    yield Fact(f"{work}: missed of 100", _missed, 2, "neighbours")


def vectors(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    places = rng.normal(size=(count, 16)) @ rng.normal(size=(16, LENGTH))
    return (places + 0.1 * rng.normal(size=(count, LENGTH))).astype(np.float32)


def products(points: np.ndarray) -> None:
    """Multiply all vectors with all, in blocks: the floor."""
    turned = np.ascontiguousarray(points.T)
    for start in range(0, len(points), 320):
        points[start : start + 320] @ turned


def _by_scikit_learn(points: np.ndarray) -> object:
    return NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(points).kneighbors()


@cache
def _search() -> tuple[Neighbours, float]:
    points = vectors(MANY)
    started = time.perf_counter()
    found = find_neighbours(points, NEAREST, metric="euclidean", exact_up_to=ROWS)
    return found, time.perf_counter() - started


def _missed() -> float:
    """Return how many of a hundred neighbours the search has missed, of some vectors."""
    points = vectors(MANY)
    asked = np.random.default_rng(1).choice(MANY, ASKED, replace=False)
    exact = find_neighbours(
        points[asked], NEAREST + 1, metric="euclidean", among=points, exact_up_to=MANY
    )
    found = _search()[0].rows[asked]
    common = [
        len(set(wanted[wanted != row][:NEAREST]) & set(there))
        for row, wanted, there in zip(asked, exact.rows, found, strict=True)
    ]
    return 100 * (1 - float(np.mean(common)) / NEAREST)
