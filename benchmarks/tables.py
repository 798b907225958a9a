"""Making, reading and revising tables."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Case
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 200_000
READS = 20_000


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    lists = {
        "id": list(range(ROWS)),
        "score": rng.random(ROWS).tolist(),
        "label": rng.integers(0, 10, ROWS).tolist(),
        "name": [f"sample-{i}" for i in range(ROWS)],
    }
    yield Case(
        f"from_dict, {ROWS:,} rows x 4 columns of Python lists",
        {"pyarrow table + Parquet": _arrow(lists), "tlc": _from_dict(lists)},
        unit=ROWS,
    )
    numbers = {f"c{i}": rng.random(ROWS) for i in range(10)}
    table = Table.from_dict(numbers, table_name="numbers")
    rows = rng.integers(0, ROWS, READS).tolist()
    frame = pd.DataFrame(numbers)
    yield Case(
        f"{READS:,} random rows of 10 numbers as dicts",
        {
            "NumPy .item on columns": _items(numbers, rows),
            "tlc table[i]": lambda: [table[i] for i in rows],
            "tlc table.table_rows[i]": _table_rows(table, rows),
            "pandas iloc": lambda: [frame.iloc[i].to_dict() for i in rows],
        },
        unit=READS,
        rounds=3,
    )
    yield Case(
        f"set 1,000 cells of a table of {ROWS:,} rows x 10",
        {
            "pandas, whole Parquet file": _pandas_edit(frame),
            "tlc set_values": lambda: table.set_values("c0", range(1000), 0.0),
        },
    )


def _arrow(data: dict[str, list[object]]) -> Callable[[], object]:
    path = Path(mkdtemp()) / "floor.parquet"
    return lambda: pq.write_table(pa.table(data), path, compression="zstd")


def _from_dict(data: dict[str, list[object]]) -> Callable[[], object]:
    return lambda: Table.from_dict(data, table_name="lists", if_exists="overwrite")


def _items(columns: dict[str, np.ndarray], rows: list[int]) -> Callable[[], object]:
    getters = [(name, values.item) for name, values in columns.items()]
    return lambda: [{name: get(i) for name, get in getters} for i in rows]


def _table_rows(table: Table, rows: list[int]) -> Callable[[], object]:
    view = table.table_rows
    return lambda: [view[i] for i in rows]


def _pandas_edit(frame: pd.DataFrame) -> Callable[[], object]:
    path = Path(mkdtemp()) / "edited.parquet"

    def edit() -> None:
        changed = frame.copy()
        changed.loc[:999, "c0"] = 0.0
        changed.to_parquet(path)

    return edit
