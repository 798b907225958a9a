"""Editing a large table, once and a hundred times, and reading what came out."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.committing import commits_per_second
from benchmarks.harness import Case, Fact, Timed, unsynced
from benchmarks.processes import fresh
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS, CLASSES = 1_000_000, 100
REVISIONS, ROWS_EACH = 100, 1000
LIMITS = {1: (3, 12), 1000: (3, 12), 100_000: (9, 250)}  # rows: ms, kB


def cases() -> Iterator[Case | Fact]:
    base = Path(mkdtemp()) / "base.parquet"
    columns = _columns()
    pq.write_table(pa.table(columns), base, compression="zstd")
    table = Table.from_dict(columns, table_name="big", add_weight_column=False)
    for rows, limits in LIMITS.items():
        yield from _edit(table, base, rows, *limits)
    yield from _chain(table, base)
    yield from _committers()


def _columns() -> dict[str, object]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS).astype(np.int32)
    return {
        "id": np.arange(ROWS),
        "url": [f"/data/images/{number:07}.jpg" for number in range(ROWS)],
        "name": [f"class-{label:02}" for label in labels.tolist()],
        "label": labels,
        "weight": np.ones(ROWS, np.float32),
        "width": rng.choice([320, 640, 1024], ROWS).astype(np.int32),
        "height": rng.choice([240, 480, 768], ROWS).astype(np.int32),
        "score": rng.random(ROWS),
        "confidence": rng.random(ROWS).astype(np.float32),
        "reviewed": rng.random(ROWS) < 0.5,
    }


def _change(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, rows).astype(np.int32)
    return np.sort(rng.choice(ROWS, rows, replace=False)), labels


def _edit(
    table: Table, base: Path, rows: int, milliseconds: float, kilobytes: float
) -> Iterator[Case | Fact]:
    numbers, labels = _change(rows)
    edit = partial(table.set_values, "label", numbers, labels)
    what = f"edit of {rows:,} of {ROWS:,} labels, 10 columns"
    sides = {"pyarrow: overlay + JSON manifest": partial(_overlay, mkdtemp(), numbers, labels)}
    others = {"pandas, whole Parquet file": partial(_pandas, base, numbers, labels)}
    yield Case(
        what,
        {
            **sides,
            "tlc": unsynced(partial(_timed, edit)),
            "synced": partial(_timed, edit),
            **(others if rows == 1000 else {}),
        },
        rounds=9,
        goal=3,
        limit=milliseconds,
    )
    yield Fact(f"{what}: added", _bytes(edit().url) / 1e3, kilobytes, "kB")
    if rows == 100_000:
        scores = np.random.default_rng(2).random(rows)
        random = table.set_values("score", numbers, scores)
        yield Fact(f"{what}: random float64 instead", _bytes(random.url) / 1e3, None, "kB")


def _timed(edit: Callable[[], Table]) -> Timed:
    """Make a revision, and remove it when the clock has stopped."""
    started = time.perf_counter()
    made = edit()
    seconds = time.perf_counter() - started
    shutil.rmtree(str(made.url))
    return Timed(seconds)


_NUMBERS = count()


def _overlay(folder: str, rows: np.ndarray, labels: np.ndarray) -> None:
    name = f"{folder}/{next(_NUMBERS)}"
    pq.write_table(
        pa.table({"row": rows, "value": labels}),
        f"{name}.tmp",
        compression="zstd",
        use_dictionary=["value"],
        column_encoding={"row": "DELTA_BINARY_PACKED"},
    )
    os.rename(f"{name}.tmp", f"{name}.parquet")
    manifest = {"base": "base.parquet", "layers": [{"column": "label", "file": f"{name}.parquet"}]}
    Path(f"{name}.json.tmp").write_text(json.dumps(manifest))
    os.rename(f"{name}.json.tmp", f"{name}.json")


def _pandas(base: Path, rows: np.ndarray, labels: np.ndarray) -> None:
    frame = pd.read_parquet(base)
    frame.loc[rows, "label"] = labels
    frame.to_parquet(base.with_name("edited.parquet"), compression="zstd")


def _chain(table: Table, base: Path) -> Iterator[Case | Fact]:
    what = f"chain of {REVISIONS} revisions of {ROWS_EACH:,} labels"
    first = table.squash("chain")
    newest, seconds = _revised(first)
    yield Fact(f"{what}: each, without waiting for the disk", _mean(seconds) * 1e3, 5, "ms")
    growth = _mean(seconds[-20:]) / _mean(seconds[:20])
    yield Fact(f"{what}: the last 20 against the first 20", growth, 1.5, "x")
    added = sum(_bytes(each.url) for each in newest.history()[1:])
    yield Fact(f"{what}: added", added / 1e6, 2, "MB")
    yield Case(
        f"the column, newest of {REVISIONS} revisions",
        {"tlc, first": partial(_column, first), "tlc": partial(_column, newest)},
        rounds=15,
        goal=1.3,
    )
    yield Case(
        f"the column, newest of {REVISIONS} revisions, in a new process",
        {"tlc, first": partial(_in_new_process, first), "tlc": partial(_in_new_process, newest)},
        rounds=9,
        goal=1.3,
        limit=12,
    )
    rows = np.random.default_rng(3).integers(0, ROWS, 1000).tolist()
    yield Case(
        f"open and 1,000 random full rows, newest of {REVISIONS} revisions",
        {"pyarrow, base only": partial(_taken, base, rows), "tlc": partial(_rows, newest, rows)},
        limit=78,
    )


def _revised(table: Table) -> tuple[Table, list[float]]:
    """Make the chain; return its end and the seconds that each revision took."""
    seconds: list[float] = []
    for number in range(REVISIONS):
        rows, labels = _change(ROWS_EACH, seed=number)
        edit: Callable[[], Table] = unsynced(partial(table.set_values, "label", rows, labels))
        started = time.perf_counter()
        table = edit()
        seconds.append(time.perf_counter() - started)
    return table, seconds


def _column(table: Table) -> None:
    Table.from_url(table.url).column("label")


def _in_new_process(table: Table) -> object:
    setup = "import numpy, pyarrow.compute, pyarrow.parquet\nfrom tlc.table import Table"
    return fresh(f"Table.from_url({str(table.url)!r}).column('label')", setup=setup)


def _taken(base: Path, rows: list[int]) -> None:
    pq.read_table(base).take(rows).to_pylist()


def _rows(table: Table, rows: list[int]) -> None:
    view = Table.from_url(table.url).table_rows
    for row in rows:
        view[row]


def _committers() -> Iterator[Fact]:
    for synced in (True, False):
        rate = commits_per_second(processes=8, commits=100, synced=synced)
        how = "synced" if synced else "not synced"
        yield Fact(f"8 processes commit to one lineage, {how}: each", 1e3 / rate, 10, "ms")


def _bytes(folder: object) -> int:
    return sum(path.stat().st_size for path in Path(str(folder)).rglob("*") if path.is_file())


def _mean(values: list[float]) -> float:
    return statistics.fmean(values)
