"""Drawing an epoch of row numbers by weights, a third of them zero, drained as Python integers."""

from __future__ import annotations

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
    yield _epochs(table)
    yield _repeats(table, weights)
    yield from _large()


def _epochs(table: Table) -> Case:
    kept = _drawing(table)
    return Case(
        "weighted draw, a later epoch (no cumulative sum)",
        {"the first epoch": lambda: list(_drawing(table)), "tlc": lambda: list(kept)},
        unit=DRAWN,
        goal=0.9,
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
    floor = fresh(
        f"list_ = draw(weights, {DRAWN})",
        setup="from benchmarks.sampling import _weights, draw\n" + f"weights = _weights({LARGE})",
    )
    tlc = fresh(
        f"list_ = list(create_sampler(table, num_samples={DRAWN}, seed=0))",
        setup="from benchmarks.sampling import create_sampler, Table\n"
        f"table = Table.from_url({str(table.url)!r}); table.column('weight')",
    )
    yield Fact("the same, memory over the floor", tlc.added_mb / floor.added_mb, 1.3, "x")


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
