"""Questions to 10 million metric rows: the worst samples of all epochs, and means by label and epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import Case, unsynced
from tlc.run import Run
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, EPOCHS, CLASSES, WORST = 1_000_000, 10, 10, 200


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS, dtype=np.int32)
    table = unsynced(lambda: Table.from_dict({"label": labels}, table_name="train"))()
    assert isinstance(table, Table)
    run = Run.create("bench")
    unsynced(lambda: _collect(run, table, labels, rng))()
    files = sorted(map(str, Path(str(run.url)).glob("metrics/*/rank-*/*.parquet")))
    name = f"of {EPOCHS * ROWS:,} metric rows"
    yield Case(
        f"worst {WORST} of {ROWS:,} samples by mean loss, {name}",
        {
            "two columns, bincount": lambda: floor_worst(files),
            "tlc": lambda: worst(run, table),
            "duckdb": lambda: _duckdb(files, WORST),
            "polars": lambda: _polars_worst(files),
            "pandas": lambda: _pandas_worst(files),
        },
        goal=1.4,
        rounds=5,
    )
    yield Case(
        f"mean loss and accuracy by label and epoch, {name}",
        {
            "four columns, bincount": lambda: floor_groups(files, labels),
            "tlc": lambda: groups(run, table),
            "polars": lambda: _polars_groups(files, labels),
            "pandas": lambda: _pandas_groups(files, labels),
        },
        goal=1.4,
        rounds=3,
    )
