"""Drawing an epoch of row numbers by weights, a third of them zero, drained as Python integers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.harness import Case, Fact
from benchmarks.processes import fresh
from tlc.samplers import create_sampler
from tlc.schemas import SampleWeightSchema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.samplers import TableSampler

DRAWN, LARGE = 1_000_000, 20_000_000


def cases() -> Iterator[Case | Fact]:
    weights = _weights(DRAWN)
    table = _table(weights, "weights")
    peer = torch.utils.data.WeightedRandomSampler(torch.from_numpy(weights), DRAWN)
    yield Case(
        f"weighted draw, {DRAWN:,} of {DRAWN:,}",
        {
            "sorted search of the cumulative sum": lambda: draw(weights, DRAWN),
            "tlc": lambda: list(_drawing(table)),
            "torch WeightedRandomSampler": lambda: list(peer),
            "numpy choice": lambda: _choice(weights),
        },
        unit=DRAWN,
        goal=1.3,
    )
    yield _epochs(table, DRAWN, None)
    yield _repeats(table, weights)
    yield from _large()


def _epochs(table: Table, rows: int, goal: float | None) -> Case:
    kept = _drawing(table)
    return Case(
        f"weighted draw, {DRAWN:,} of {rows:,}, a later epoch (no cumulative sum)",
        {"the first epoch": lambda: list(_drawing(table)), "tlc": lambda: list(kept)},
        unit=DRAWN,
        goal=goal,
    )


def _repeats(table: Table, weights: np.ndarray) -> Case:
    return Case(
        f"repeats by weight, {DRAWN:,} rows",
        {
            "numpy repeat": lambda: repeat(weights),
            "tlc": lambda: list(create_sampler(table, repeat_by_weight=True, seed=0)),
            "a loop in Python": lambda: _repeat_in_python(weights),
        },
        unit=DRAWN,
        rounds=5,
        goal=1.3,
    )


def _large() -> Iterator[Case | Fact]:
    """The size at which torch gives up: more than 2^24 categories."""
    weights = _weights(LARGE)
    table = _table(weights, "many")
    yield Case(
        f"weighted draw, {DRAWN:,} of {LARGE:,}",
        {
            "sorted search of the cumulative sum": lambda: draw(weights, DRAWN),
            "tlc": lambda: list(_drawing(table)),
            "numpy choice": lambda: _choice(weights),
        },
        unit=DRAWN,
        rounds=3,
        goal=1.3,
    )
    yield _epochs(table, LARGE, 0.9)
    path = f"import sys; sys.path.insert(0, {os.getcwd()!r}); import benchmarks.sampling as b\n"
    floor = fresh(f"drawn = b.draw(weights, {DRAWN})", setup=f"{path}weights = b._weights({LARGE})")
    opened = f"table = b.Table.from_url({str(table.url)!r}); table.column('weight')"
    tlc = fresh("drawn = list(b._drawing(table))", setup=path + opened)
    yield Fact(
        f"weighted draw, {DRAWN:,} of {LARGE:,}, memory over the floor",
        tlc.added_mb / floor.added_mb,
        1.3,
        "x",
    )


def draw(weights: np.ndarray, count: int) -> list[int]:
    """Draw row numbers: the floor."""
    rng = np.random.default_rng(0)
    cumulative = np.cumsum(weights)
    points = rng.random(count) * cumulative[-1]
    points.sort()
    rows = np.searchsorted(cumulative, points, side="right")
    rng.shuffle(rows)
    return rows.tolist()


def repeat(weights: np.ndarray) -> list[int]:
    """Repeat row numbers, by the whole part of the weight or one more: the floor."""
    rng = np.random.default_rng(0)
    whole = np.floor(weights)
    counts = whole.astype(np.int64) + (rng.random(weights.size) < weights - whole)
    rows = np.repeat(np.arange(weights.size), counts)
    rng.shuffle(rows)
    return rows.tolist()


def _weights(rows: int) -> np.ndarray:
    weights = np.random.default_rng(0).random(rows) * 3
    weights[::3] = 0
    return weights


def _table(weights: np.ndarray, name: str) -> Table:
    schema = SampleWeightSchema()
    return Table.from_dict({"weight": weights}, schema={"weight": schema}, table_name=name)


def _drawing(table: Table) -> TableSampler:
    return create_sampler(table, num_samples=DRAWN, seed=0)


def _choice(weights: np.ndarray) -> list[int]:
    chances = weights / weights.sum()
    return np.random.default_rng(0).choice(weights.size, DRAWN, p=chances).tolist()


def _repeat_in_python(weights: np.ndarray) -> list[int]:
    """As the repeat-factor sampler of Detectron2 does it."""
    whole = np.trunc(weights)
    counts = whole + (torch.rand(weights.size).numpy() < weights - whole)
    rows: list[int] = []
    for row, count in enumerate(counts):
        rows.extend([row] * int(count))
    return torch.tensor(rows)[torch.randperm(len(rows))].tolist()
