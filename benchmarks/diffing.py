"""What changed between two revisions of a million rows, and between two runs about them."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.harness import Case, unsynced
from tlc.run import Run
from tlc.table import DeleteRows, SetValues, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS, CLASSES, CHANGED, DELETED, EPOCHS = 1_000_000, 100, 1_000, 1_000, 3
LIMIT = 2000  # ms: "in seconds at 1M rows"
_COLUMNS = ["url", "label", "score"]  # those beside the id, which tells the rows


def cases() -> Iterator[Case]:
    folder = Path(mkdtemp())
    unsynced(lambda: _make(folder))()
    tables = [Table.from_names(name, dataset_name="d") for name in ("old", "new", "alone")]
    old, new, alone = tables
    files = folder / "old.parquet", folder / "new.parquet"
    expected = _by_hand(*files)
    rows = f"{ROWS:,} rows, 4 columns, {CHANGED:,} labels changed, {DELETED:,} rows deleted"
    sides = {
        "two Parquet files, searchsorted": lambda: _by_hand(*files),
        "tlc": lambda: _checked(_tlc(old, new), expected),
        "polars, two Parquet files": lambda: _checked(_polars(*files), expected),
        "pandas, two Parquet files": lambda: _checked(_pandas(*files), expected),
    }
    yield Case(f"diff of two revisions, {rows}", sides, goal=0.8, limit=LIMIT)
    sides = {
        "two Parquet files, searchsorted": lambda: _by_hand(*files),
        "tlc": lambda: _checked(_tlc(old, alone), expected),
    }
    yield Case(f"diff of tables that share no file, {rows}", sides, goal=3, limit=LIMIT)
    yield _runs(old, new)
    shutil.rmtree(folder)


def _make(folder: Path) -> None:
    """Write the tables, and two of them as Parquet files."""
    rng = np.random.default_rng(0)
    old = Table.from_dict(
        {
            "id": np.arange(ROWS),
            "url": [f"/data/images/{number:07}.jpg" for number in range(ROWS)],
            "label": rng.integers(0, CLASSES, ROWS).astype(np.int32),
            "score": rng.random(ROWS),
        },
        table_name="old",
        dataset_name="d",
    )
    chosen = rng.choice(ROWS, CHANGED + DELETED, replace=False)
    rows = np.sort(chosen[:CHANGED])
    labels = (old.column("label").to_numpy()[rows] + 1) % CLASSES
    edits = SetValues("label", rows, labels), DeleteRows(chosen[CHANGED:])
    new = old.revise(*edits, name="new")
    new.squash("alone", dataset_name="d")
    pq.write_table(old.to_arrow(), folder / "old.parquet", compression="zstd")
    pq.write_table(new.to_arrow(), folder / "new.parquet", compression="zstd")


Counts = dict[str, int]
"""Changed cells by column, and rows that were removed."""


def _tlc(old: Table, new: Table) -> Counts:
    diff = Table.from_url(old.url).diff(Table.from_url(new.url))
    return {
        **{name: len(diff.cells[name]) if name in diff.cells else 0 for name in _COLUMNS},
        "removed": len(diff.removed),
    }


def _by_hand(old: Path, new: Path) -> Counts:
    """Find rows by their ids, which are sorted, and compare all columns."""
    was, now = (pq.read_table(path).combine_chunks() for path in (old, new))
    ids = was["id"].to_numpy()
    at = np.searchsorted(ids, now["id"].to_numpy())
    kept = was.take(pa.array(at))
    counts = {name: pc.sum(pc.not_equal(kept[name], now[name])).as_py() for name in _COLUMNS}
    return {**counts, "removed": len(ids) - len(at)}


def _polars(old: Path, new: Path) -> Counts:
    import polars

    was, now = polars.scan_parquet(old), polars.scan_parquet(new)
    joined = was.join(now, on="id", how="left", suffix="_new")
    there = polars.col("label_new").is_not_null()
    changed = [
        (there & polars.col(name).ne_missing(polars.col(f"{name}_new"))).sum().alias(name)
        for name in _COLUMNS
    ]
    return joined.select(*changed, (~there).sum().alias("removed")).collect().row(0, named=True)


def _pandas(old: Path, new: Path) -> Counts:
    import pandas

    was, now = pandas.read_parquet(old), pandas.read_parquet(new)
    joined = was.merge(now, on="id", how="left", suffixes=("", "_new"), indicator=True)
    both = joined[joined["_merge"] == "both"]
    counts = {name: int((both[name] != both[f"{name}_new"]).sum()) for name in _COLUMNS}
    return {**counts, "removed": len(joined) - len(both)}


def _checked(found: Counts, expected: Counts) -> None:
    assert dict(found) == expected, (found, expected)


def _runs(old: Table, new: Table) -> Case:
    """Return the case of two runs, each about one of two revisions."""
    rng = np.random.default_rng(1)
    runs = [Run.create("bench", name) for name in ("before", "after")]

    def collect() -> None:
        for run, table in zip(runs, (old, new), strict=True):
            for epoch in range(EPOCHS):
                metrics = {"loss": rng.random(len(table)), "confidence": rng.random(len(table))}
                run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})

    unsynced(collect)()
    kept = np.isin(old.column("id").to_numpy(), new.column("id").to_numpy())
    sides: dict[str, Callable[[], object]] = {
        "last epochs' Parquet files, two columns": lambda: _changes(*runs, kept),
        "tlc, with the diff of the tables": lambda: runs[0].compare(runs[1], ["loss"]),
    }
    name = f"change of a metric in each of {ROWS:,} rows between two runs of {EPOCHS} epochs"
    return Case(name, sides, rounds=5, limit=LIMIT)


def _changes(before: Run, after: Run, kept: np.ndarray) -> np.ndarray:
    """Return the changes of the losses, where somebody else knows which rows are the same."""
    values = []
    for run in (before, after):
        folder = Path(str(run.metrics_tables[-1].url))
        table = pq.read_table(next(folder.glob("rank-0")), columns=["example_id", "loss"])
        losses = np.empty(len(table))
        losses[table["example_id"].to_numpy()] = table["loss"].to_numpy()
        values.append(losses)
    return values[1] - values[0][kept]
