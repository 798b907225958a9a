"""Writing rows and metrics, against Parquet written by hand."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import written_by_hand as by_hand
from benchmarks.harness import Case, Fact, unsynced
from benchmarks.memory import added_megabytes
from tlc.run import Run
from tlc.table import Table
from tlc.writers import MetricsTableWriter, TableWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.url import Url

ROWS, SINGLE_ROWS, BATCH = 1_000_000, 200_000, 1000
EPOCHS = 10
METRIC_ROWS = EPOCHS * ROWS


def cases() -> Iterator[Case | Fact]:
    yield from _from_dict()
    yield from _rows_and_batches()
    yield from _metrics()


# Tables


def lists() -> dict[str, list[Any]]:
    rng = np.random.default_rng(0)
    return {
        "id": list(range(ROWS)),
        "score": rng.random(ROWS).tolist(),
        "label": rng.integers(0, 10, ROWS).tolist(),
        "name": [f"sample-{i}" for i in range(ROWS)],
    }


def from_dict(data: dict[str, list[Any]]) -> Table:
    return Table.from_dict(data, table_name="lists", if_exists="overwrite")


def _from_dict() -> Iterator[Case | Fact]:
    data = lists()
    name = f"from_dict, {ROWS:,} rows x 4 columns of Python lists"
    yield Case(
        name,
        {
            "pyarrow table + Parquet": lambda: by_hand.write_lists(data),
            "tlc": unsynced(lambda: from_dict(data)),
            "tlc, synced": lambda: from_dict(data),
        },
        unit=ROWS,
        goal=1.2,
    )
    disk = from_dict(data).file_size / by_hand.write_lists(data).stat().st_size
    yield Fact(f"{name}, bytes on disk", disk, 1.1, "x pyarrow's")
    work = {"floor": "by_hand.write_lists(data)", "tlc": "writing.from_dict(data)"}
    added = {side: _added("data = writing.lists()", code) for side, code in work.items()}
    yield Fact(f"{name}, memory", added["tlc"] / added["floor"], 1.1, "x pyarrow's")


def columns(count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "id": np.arange(count),
        "label": rng.integers(0, 100, count),
        "width": rng.integers(100, 1000, count),
        "score": rng.random(count),
        "loss": rng.exponential(size=count),
        "x": np.round(rng.random(count), 2),
        "y": rng.random(count),
        "flag": rng.random(count) < 0.1,
        "path": np.array([f"/data/images/train/{i:08d}.jpg" for i in range(count)], object),
        "animal": rng.choice(np.array(["cat", "cow", "dog"], object), count),
    }


def add_rows(rows: list[dict[str, Any]]) -> None:
    writer = TableWriter("rows", if_exists="overwrite")
    for row in rows:
        writer.add_row(row)
    writer.finalize()


def add_batches(batches: list[dict[str, Any]]) -> None:
    writer = TableWriter("batches", if_exists="overwrite")
    for batch in batches:
        writer.add_batch(batch)
    writer.finalize()


def rows(count: int) -> list[dict[str, Any]]:
    data = {name: values.tolist() for name, values in columns(count).items()}
    return [dict(zip(data, row, strict=True)) for row in zip(*data.values(), strict=True)]


def batches(data: dict[str, Any]) -> list[dict[str, Any]]:
    starts = range(0, len(data["id"]), BATCH)
    return [{name: v[start : start + BATCH] for name, v in data.items()} for start in starts]


def _rows_and_batches() -> Iterator[Case | Fact]:
    yield from _add_row(rows(SINGLE_ROWS))
    grown = [
        _added(f"data = writing.rows({count})", "writing.add_rows(data)")
        for count in (SINGLE_ROWS, 3 * SINGLE_ROWS)
    ]
    yield Fact("add_row, memory", grown[0], 60, "MB")
    yield Fact("add_row, memory for three times as many rows", grown[1] - grown[0], 20, "MB more")
    data: dict[str, Any] = dict(columns(ROWS))
    for kind in ("NumPy", "lists"):
        if kind == "lists":
            data = {name: values.tolist() for name, values in data.items()}
        parts = batches(data)
        yield Case(
            f"add_batch, {ROWS:,} rows x 10 in batches of {BATCH:,}, {kind}",
            {
                "buffers of 64k rows + Parquet": lambda parts=parts: by_hand.write_batches(parts),
                "tlc": unsynced(lambda parts=parts: add_batches(parts)),
            },
            unit=ROWS,
            rounds=3,
            goal=1.15,
        )


def add_metrics_rows(rows: list[dict[str, Any]]) -> None:
    table = Table.from_dict({"id": range(len(rows))}, table_name="ids", if_exists="overwrite")
    with MetricsTableWriter(Run.create("rows", if_exists="overwrite"), table) as writer:
        for row in rows:
            writer.add_row(row)


def _add_row(single: list[dict[str, Any]]) -> Iterator[Case]:
    floor = {"from_pylist every 64k rows + Parquet": lambda: by_hand.write_rows(single)}
    yield Case(
        f"add_row, {SINGLE_ROWS:,} rows x 10",
        {**floor, "tlc": unsynced(lambda: add_rows(single))},
        unit=SINGLE_ROWS,
        goal=2,
    )
    metrics = [{"example_id": row.pop("id"), **row} for row in rows(SINGLE_ROWS)]
    yield Case(
        f"add_row of metrics, {SINGLE_ROWS:,} rows x 10",
        {**floor, "tlc": unsynced(lambda: add_metrics_rows(metrics))},
        unit=SINGLE_ROWS,
    )


# Metrics


class Epochs:
    """What a model said of each sample, the same in every epoch."""

    def __init__(self) -> None:
        rng = np.random.default_rng(2)
        self.ids = np.arange(ROWS)
        self.loss = rng.exponential(size=ROWS).astype(np.float32)
        self.predicted = rng.integers(0, 10, ROWS, dtype=np.int32)
        self.confidence = (1 / (1 + rng.exponential(0.3, ROWS))).astype(np.float32)
        self.epochs = [np.full(ROWS, epoch, np.int32) for epoch in range(EPOCHS)]
        self.table = Table.from_dict({"id": self.ids}, table_name="samples", if_exists="overwrite")
        self.run = Run.create("bench", if_exists="overwrite")

    def one_writer(self, size: int, epochs: int = EPOCHS) -> int:
        """Write all metrics to one table, the epoch as a column; return its bytes."""
        with MetricsTableWriter(self.run, self.table) as writer:
            for epoch in self.epochs[:epochs]:
                for start in range(0, ROWS, size):
                    part = slice(start, start + size)
                    writer.add_batch(
                        {
                            "example_id": self.ids[part],
                            "epoch": epoch[part],
                            "loss": self.loss[part],
                            "predicted": self.predicted[part],
                            "confidence": self.confidence[part],
                        }
                    )
        return _removed(writer.url)

    def a_writer_an_epoch(self, size: int) -> None:
        for epoch in range(EPOCHS):
            with MetricsTableWriter(self.run, self.table, constants={"epoch": epoch}) as writer:
                for start in range(0, ROWS, size):
                    part = slice(start, start + size)
                    writer.add_batch(
                        {
                            "example_id": self.ids[part],
                            "loss": self.loss[part],
                            "predicted": self.predicted[part],
                            "confidence": self.confidence[part],
                        }
                    )
            _removed(writer.url)


def _removed(url: Url) -> int:
    """Remove a table and return its bytes; the floor, too, writes where there is nothing."""
    size = Table.from_url(url).file_size
    shutil.rmtree(url.to_str())
    return size


def _metrics() -> Iterator[Case | Fact]:
    data = Epochs()
    for size, goal in ((256, 1.5), (4096, 1.3)):
        yield Case(
            f"{METRIC_ROWS:,} metric rows in batches of {size:,}",
            {
                "preallocated Parquet": lambda size=size: by_hand.write_metrics(data, size),
                "tlc": lambda size=size: data.one_writer(size),
                "tlc, not synced": unsynced(lambda size=size: data.one_writer(size)),
                "tlc, a writer an epoch": lambda size=size: data.a_writer_an_epoch(size),
            },
            unit=METRIC_ROWS,
            rounds=3,
            goal=goal,
        )
    megabytes = data.one_writer(4096) / 1e6
    yield Fact(f"{METRIC_ROWS:,} metric rows, bytes on disk", megabytes, 80, "MB")
    setup = "data = writing.Epochs(); data.one_writer(1000, epochs=0)"
    memory = _added(setup, "data.one_writer(256)")
    yield Fact(f"{METRIC_ROWS:,} metric rows, memory", memory, 20, "MB")


def _added(setup: str, code: str) -> float:
    imports = "import pandas\nfrom benchmarks import writing, written_by_hand as by_hand\n"
    return added_megabytes(code, setup=imports + setup)
