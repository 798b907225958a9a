"""Drawing an epoch of row numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from benchmarks.harness import Case
from tlc.samplers import create_sampler
from tlc.schemas import SampleWeightSchema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 1_000_000


def cases() -> Iterator[Case]:
    weights = np.random.default_rng(0).random(ROWS)
    weights[::3] = 0
    table = Table.from_dict(
        {"weight": weights.astype(np.float32)},
        schema={"weight": SampleWeightSchema()},
        table_name="weights",
    )
    peer = torch.utils.data.WeightedRandomSampler(weights.tolist(), ROWS)
    sampler = create_sampler(table, num_samples=ROWS)
    repeating = create_sampler(table, repeat_by_weight=True)
    yield Case(
        f"one weighted epoch of {ROWS:,} rows",
        {"torch WeightedRandomSampler": lambda: list(peer), "tlc": lambda: list(sampler)},
        unit=ROWS,
        rounds=3,
    )
    yield Case(
        f"one epoch of repeats by weight, {ROWS:,} rows",
        {"tlc": lambda: list(repeating)},
        unit=ROWS,
        rounds=3,
    )
