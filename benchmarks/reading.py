"""Rows of a table in memory: one at a time, and a batch at a time."""

from __future__ import annotations

import time
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from benchmarks.harness import Case, Timed, unsynced
from tlc import schemas
from tlc.data_types import BoundingBoxes2D
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tlc.schemas import Schema

ROWS, READS, BATCH = 1_000_000, 100_000, 64
SLOW = 10  # of slow sides a tenth is measured

datasets.disable_progress_bars()


def cases() -> Iterator[Case]:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, ROWS, READS).tolist()
    yield from _scalars(rng, rows)
    yield from _boxes(rng, rows)


def scalar_columns(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return ten columns of numbers, a url and a short text."""
    columns = {f"f{i}": rng.random(ROWS) for i in range(4)}
    columns |= {f"h{i}": rng.random(ROWS).astype(np.float32) for i in range(2)}
    columns |= {f"n{i}": rng.integers(0, 1000, ROWS) for i in range(3)}
    columns["flag"] = rng.random(ROWS) < 0.5
    columns["url"] = np.array([f"/data/images/{i:08d}.jpg" for i in range(ROWS)])
    columns["name"] = np.array([f"sample {i % 1000}" for i in range(ROWS)])
    return columns


def reopened(data: dict[str, Any], schema: dict[str, Schema], name: str) -> Table:
    """Write a table and open it as another program would."""
    made = unsynced(lambda: Table.from_dict(data, schema, table_name=name))()
    assert isinstance(made, Table)
    return Table.from_url(made.url)


def as_dataset(data: pa.Table) -> datasets.Dataset:
    """Return a memory-mapped dataset, as `datasets` has them."""
    folder = mkdtemp()
    datasets.Dataset(data).save_to_disk(folder)
    return datasets.load_from_disk(folder)


def batches(rows: list[int], size: int = BATCH) -> list[list[int]]:
    """Return row numbers in batches."""
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _scalars(rng: np.random.Generator, rows: list[int]) -> Iterator[Case]:
    columns = scalar_columns(rng)
    arrow = pa.table({name: pa.array(column) for name, column in columns.items()})
    table = reopened(dict(arrow.to_pydict() | _numbers(columns)), _URL, "scalars")
    mapped, frame, polars = as_dataset(arrow), pd.DataFrame(columns), pl.DataFrame(arrow)
    getters = [(name, column.item) for name, column in columns.items()]
    view = table.table_rows
    yield Case(
        f"table[i], {READS:,} random rows of {ROWS:,} x {len(columns)} scalars",
        {
            "NumPy .item": _each(lambda i: {name: get(i) for name, get in getters}, rows),
            "tlc": _each(table.__getitem__, rows),
            "tlc, table_rows[i]": _each(view.__getitem__, rows),
            "polars": _each(lambda i: polars.row(i, named=True), rows),
            "datasets": _slow(mapped.__getitem__, rows),
            "pandas": _slow(lambda i: frame.iloc[i].to_dict(), rows),
        },
        unit=READS,
        goal=1.5,
    )
    parts = batches(rows)
    yield Case(
        f"__getitems__ of {BATCH}, {READS:,} random rows of scalars",
        {
            "NumPy take to dicts": _each(lambda part: _dicts(columns, part), parts),
            "tlc": _each(table.__getitems__, parts),
            "polars": _each(lambda part: polars[part].to_dicts(), parts),
            "datasets": _slow(mapped.__getitems__, parts),
        },
        unit=READS,
        goal=1.3,
    )


_URL: dict[str, Schema] = {"url": schemas.UrlSchema()}
_BOXES = BoundingBoxes2D.schema(classes=[f"class {i}" for i in range(80)])


def _numbers(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: column for name, column in columns.items() if column.dtype.kind != "U"}


def _nested(
    urls: np.ndarray, ids: np.ndarray, ends: np.ndarray, boxes: np.ndarray, labels: np.ndarray
) -> pa.Table:
    four = pa.FixedSizeListArray.from_arrays(pa.array(boxes.reshape(-1)), 4)
    lists = [pa.ListArray.from_arrays(pa.array(ends), part) for part in (four, pa.array(labels))]
    size = pa.array(np.full(ROWS, 640, np.float32))
    more = pa.StructArray.from_arrays(lists[1:], ["label"])
    names = ["x_max", "y_max", "instances", "instances_additional_data"]
    cells = pa.StructArray.from_arrays([size, size, lists[0], more], names)
    return pa.table({"url": pa.array(urls), "id": pa.array(ids), "bbs": cells})


def _boxes(rng: np.random.Generator, rows: list[int]) -> Iterator[Case]:
    """Yield reading of `BoundingBoxes2D`, untouched and with boxes and labels looked at."""
    ends = np.concatenate([[0], np.cumsum(rng.integers(0, 15, ROWS))]).astype(np.int32)
    boxes = np.sort(rng.random((ends[-1], 2, 2)).astype(np.float32), axis=1).reshape(-1, 4)
    labels = rng.integers(0, 80, ends[-1]).astype(np.int32)
    ids, urls = np.arange(ROWS), np.array([f"/data/images/{i:08d}.jpg" for i in range(ROWS)])
    arrow = _nested(urls, ids, ends, boxes, labels)
    table = reopened({n: arrow[n] for n in arrow.column_names}, {**_URL, "bbs": _BOXES}, "boxes")
    assert isinstance(table[0]["bbs"], BoundingBoxes2D)
    mapped = as_dataset(arrow)

    def views(i: int) -> dict[str, Any]:
        first, last = ends[i], ends[i + 1]
        return {"url": urls[i], "id": ids[i], "boxes": boxes[first:last], "l": labels[first:last]}

    yield Case(
        f"table[i], {READS:,} random rows of {ROWS:,} with boxes",
        {
            "array views": _each(views, rows),
            "tlc": _each(lambda i: _looked_at(table[i]), rows),
            "tlc, not looked at": _each(table.__getitem__, rows),
            "datasets": _slow(mapped.__getitem__, rows),
        },
        unit=READS,
        goal=5,
    )
    groups = batches(rows)
    yield Case(
        f"__getitems__ of {BATCH}, {READS:,} random rows with boxes",
        {
            "array views": _each(lambda part: [views(i) for i in part], groups),
            "tlc": _each(lambda part: list(map(_looked_at, table.__getitems__(part))), groups),
            "tlc, not looked at": _each(table.__getitems__, groups),
            "datasets": _slow(mapped.__getitems__, groups),
        },
        unit=READS,
        goal=5,
    )


def _looked_at(sample: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Decode what a training loop takes of boxes."""
    boxes = sample["bbs"]
    return boxes.bounding_boxes, boxes.labels


def _dicts(columns: dict[str, np.ndarray], rows: list[int]) -> list[dict[str, Any]]:
    numbers = np.array(rows)
    lists = [column.take(numbers).tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=False)) for row in zip(*lists, strict=False)]


def _each(read: Callable[[Any], object], items: Iterable[Any]) -> Callable[[], None]:
    def side() -> None:
        for item in items:
            read(item)

    return side


def _slow(read: Callable[[Any], object], items: list[Any]) -> Callable[[], Timed]:
    """Return a side that does a part of the work and counts it as the whole."""
    part = items[: len(items) // SLOW]

    def side() -> Timed:
        started = time.perf_counter()
        for item in part:
            read(item)
        return Timed((time.perf_counter() - started) * len(items) / len(part))

    return side
