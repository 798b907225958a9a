"""Splitting, choosing, sorting, grouping and unrolling a table, against the same by hand."""

from __future__ import annotations

import os
import shutil
import time
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.harness import Case, Fact, Timed, unsynced
from tlc.data_types import BoundingBoxes2D
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS, CLASSES, GROUPS = 1_000_000, 100, 50_000
IMAGES, BOXES = 150_000, 1_000_000
LIMIT = 1000  # ms: "well under a second"
_LABELS = "bbs.instances_additional_data.label"


def cases() -> Iterator[Case | Fact]:
    folder = mkdtemp()
    columns = _columns()
    table = _labelled(columns, "big", 0)
    images, boxes = _images()
    yield from _splits(table, columns, folder)
    yield from _annotations(images, boxes, folder)
    yield from _selections(table, columns, folder)
    yield from _groups(table, columns, folder)
    yield _join(table, _labelled(columns, "other", 3), columns, folder)


def _case(
    name: str, floor: Callable[[], object], made: Callable[[], object], goal: float | None = None
) -> Case:
    sides = {"NumPy, Arrow and a Parquet file": floor, "tlc": unsynced(partial(_timed, made))}
    return Case(name, sides, unit=ROWS, rounds=5, goal=goal, limit=LIMIT)


def _timed(make: Callable[[], Any]) -> Timed:
    """Make one or several tables, and remove them when the clock has stopped."""
    started = time.perf_counter()
    made = make()
    seconds = time.perf_counter() - started
    for table in made.values() if isinstance(made, dict) else [made]:
        shutil.rmtree(str(table.url))
    return Timed(seconds)


def _columns() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS).astype(np.int32)
    return {
        "id": np.arange(ROWS),
        "url": [f"/data/images/{number:07}.jpg" for number in range(ROWS)],
        "patient": [f"patient-{number:05}" for number in rng.integers(0, GROUPS, ROWS).tolist()],
        "label": labels,
        "score": rng.random(ROWS),
        "confidence": rng.random(ROWS).astype(np.float32),
    }


def _labelled(columns: dict[str, Any], name: str, first: int) -> Table:
    classes = [f"class-{first + number}" for number in range(CLASSES)]
    schema = {"label": CategoricalLabelSchema(classes)}
    return Table.from_dict(columns, schema, table_name=name)


def _images() -> tuple[Table, pa.Array]:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(BOXES, np.full(IMAGES, 1 / IMAGES))
    offsets = pa.array(np.append(0, counts.cumsum()).astype(np.int32))
    corners = pa.array(rng.random(4 * BOXES).astype(np.float32))
    labels = pa.array(np.minimum(rng.zipf(1.5, BOXES) - 1, 79).astype(np.int32))
    parts = {
        "x_max": pa.array(np.full(IMAGES, 640, np.float32)),
        "y_max": pa.array(np.full(IMAGES, 480, np.float32)),
        "instances": pa.ListArray.from_arrays(
            offsets, pa.FixedSizeListArray.from_arrays(corners, 4)
        ),
        "instances_additional_data": pa.StructArray.from_arrays(
            [pa.ListArray.from_arrays(offsets, labels)], ["label"]
        ),
    }
    boxes = pa.StructArray.from_arrays(list(parts.values()), list(parts))
    schema = BoundingBoxes2D.schema(classes=[f"class-{number}" for number in range(80)])
    urls = [f"/data/images/{number:07}.jpg" for number in range(IMAGES)]
    return Table.from_dict({"image": urls, "bbs": boxes}, {"bbs": schema}, table_name="im"), boxes


def _write(folder: str, **columns: object) -> None:
    """Write what a selection is made of, as the floor does it."""
    name = f"{folder}/floor.parquet"
    pq.write_table(pa.table(columns), f"{name}.tmp", compression="lz4")
    os.replace(f"{name}.tmp", name)
    Path(f"{name}.json").write_text('{"rows": "floor.parquet"}')


def _splits(table: Table, columns: dict[str, Any], folder: str) -> Iterator[Case]:
    shares = {"train": 0.8, "val": 0.2}
    labels, patients = columns["label"], columns["patient"]

    def random() -> None:
        order = np.random.default_rng(0).permutation(ROWS)
        for part in (order[: ROWS * 4 // 5], order[ROWS * 4 // 5 :]):
            _write(folder, row=np.sort(part))

    def stratified() -> None:
        order = np.random.default_rng(0).permutation(ROWS)
        order = order[np.argsort(labels[order], kind="stable")]
        is_val = np.arange(ROWS) % 5 == 0
        for part in (order[~is_val], order[is_val]):
            _write(folder, row=np.sort(part))

    codes = pa.array(patients).dictionary_encode().indices.to_numpy()

    def group() -> None:
        is_val = np.random.default_rng(0).random(GROUPS)[codes] < 0.2
        for part in (np.flatnonzero(~is_val), np.flatnonzero(is_val)):
            _write(folder, row=part)

    yield _case(f"split of {ROWS:,} rows at random", random, partial(table.split, shares))
    for strategy, by, floor in (("stratified", "label", stratified), ("group", "patient", group)):
        split = partial(table.split, shares, strategy=strategy, by=by)
        yield _case(f"split of {ROWS:,} rows, {strategy} by {by}", floor, split)


def _annotations(images: Table, boxes: pa.Array, folder: str) -> Iterator[Case]:
    def unrolled() -> None:
        lists = boxes.field("instances")
        labels = boxes.field("instances_additional_data").field("label").flatten()
        parents = pc.list_parent_indices(lists)
        _write(folder, row=parents, box=lists.flatten(), label=labels)

    def with_class() -> None:
        labels = boxes.field("instances_additional_data").field("label")
        found = pc.list_parent_indices(labels).filter(pc.equal(labels.flatten(), 3))
        _write(folder, row=pc.unique(found))

    def at_random() -> None:
        order = np.random.default_rng(0).permutation(IMAGES)
        for part in (order[: IMAGES * 4 // 5], order[IMAGES * 4 // 5 :]):
            _write(folder, row=np.sort(part))

    yield _case(f"unroll to {BOXES:,} boxes", unrolled, partial(images.unroll, "bbs"))
    rolled = images.unroll("bbs", keep_empty=True, table_name="unrolled")
    yield _case(f"roll {BOXES:,} boxes up", unrolled, rolled.roll_up)
    condition = f"any({_LABELS} == 'class-3')"
    choose = partial(images.filter, condition)
    yield _case(f"filter by the labels of {BOXES:,} boxes", with_class, choose)
    shares = {"train": 0.8, "val": 0.2}
    split = partial(images.split, shares, strategy="stratified", by=_LABELS)
    yield _case(f"split by the labels of {BOXES:,} boxes", at_random, split)


def _selections(table: Table, columns: dict[str, Any], folder: str) -> Iterator[Case]:
    labels, score, confidence = (columns[n] for n in ("label", "score", "confidence"))

    def chosen() -> None:
        mask = np.isin(labels, [3, 7]) & (confidence > np.float32(0.5))
        _write(folder, row=np.flatnonzero(mask))

    def ordered() -> None:
        _write(folder, row=np.argsort(score, kind="stable"))

    def by_url() -> None:
        _write(folder, row=pc.sort_indices(urls))

    def kept() -> None:
        _write(folder, row=turned)

    urls, turned = pa.array(columns["url"]), np.arange(ROWS)[::-1].copy()
    condition = "label in ['class-3', 'class-7'] and confidence > 0.5"
    yield _case(f"filter of {ROWS:,} rows", chosen, partial(table.filter, condition))
    yield _case(f"sort of {ROWS:,} rows by a float", ordered, partial(table.sort, "score"))
    yield _case(f"sort of {ROWS:,} rows by a text", by_url, partial(table.sort, "url"))
    yield _case(f"keep {ROWS:,} rows in reverse", kept, partial(table.keep, turned))


def _groups(table: Table, columns: dict[str, Any], folder: str) -> Iterator[Case]:
    rows = pa.table({name: columns[name] for name in ("patient", "score", "confidence")})

    def reduced() -> None:
        done = rows.group_by("patient", use_threads=False).aggregate(
            [("score", "mean"), ("confidence", "mean")]
        )
        _write(folder, **dict(zip(done.column_names, done.columns, strict=True)))

    def balanced() -> None:
        order = np.random.default_rng(0).permutation(ROWS)
        order = order[np.argsort(columns["label"][order], kind="stable")]
        starts = np.searchsorted(columns["label"][order], np.arange(CLASSES))
        chosen = starts[:, None] + np.arange(ROWS // 10 // CLASSES)
        _write(folder, row=np.sort(order[chosen.ravel()]))

    names = ["score", "confidence"]
    reduce = partial(table.reduce, "patient", columns=names)
    yield _case(f"reduce {ROWS:,} rows to {GROUPS:,}", reduced, reduce)
    coreset = partial(table.coreset, ROWS // 10, "label")
    yield _case(f"balanced coreset of {ROWS:,} rows", balanced, coreset)


def _join(table: Table, other: Table, columns: dict[str, Any], folder: str) -> Case:
    def renumbered() -> None:
        numbers = np.append(np.arange(3, CLASSES), [CLASSES, CLASSES + 1, CLASSES + 2])
        _write(folder, label=numbers[columns["label"]])

    join = partial(Table.join_tables, [table, other])
    return _case(f"join {ROWS:,} rows whose classes have other numbers", renumbered, join)
