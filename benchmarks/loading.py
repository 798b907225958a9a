"""Epochs of a ``DataLoader``: samples and columns, and what worker processes take."""

from __future__ import annotations

import operator
import os
import pickle
import statistics
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import DataLoader, Dataset, SubsetRandomSampler

import tlc
from benchmarks.harness import Case, Fact
from benchmarks.processes import fresh
from benchmarks.reading import as_dataset, reopened
from benchmarks.worker_memory import growth
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ROWS, EPOCH, BATCH = 1_000_000, 256_000, 256


def cases() -> Iterator[Case | Fact]:
    torch.set_num_threads(1)
    os.environ["TLC_CACHE_FOLDER"] = mkdtemp()
    rng = np.random.default_rng(0)
    columns = {
        "x": rng.random(ROWS).astype(np.float32),
        "y": rng.random(ROWS).astype(np.float32),
        "label": rng.integers(0, 10, ROWS).astype(np.int32),
    }
    table = reopened(columns, {}, "numbers")
    subset = rng.permutation(ROWS)[:EPOCH].tolist()
    yield from _samples(columns, table, subset)
    yield from _columns(columns, table, subset)
    yield from _workers(table)


class Arrays(Dataset[dict[str, Any]]):
    """Columns in memory, a dict per row."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.columns = columns
        self.getters = [(name, column.item) for name, column in columns.items()]

    def __len__(self) -> int:
        return len(self.columns["x"])

    def __getitem__(self, index: int) -> dict[str, Any]:
        return doubled({name: get(index) for name, get in self.getters})


class Batches(Dataset[dict[str, Any]]):
    """Columns in memory, a batch at a time."""

    def __init__(self, columns: dict[str, np.ndarray]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns["x"])

    def __getitems__(self, indices: list[int]) -> dict[str, np.ndarray]:
        rows = np.array(indices)
        return {name: column.take(rows) for name, column in self.columns.items()}


class Transformed(Dataset[Any]):
    """Another dataset, seen through a function."""

    def __init__(self, source: Any, transform: Callable[[Any], Any]) -> None:
        self.source, self.transform = source, transform

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Any:
        return self.transform(self.source[index])


def doubled(sample: dict[str, Any]) -> dict[str, Any]:
    """The transform of each sample."""
    return {"x": sample["x"] * 2, "y": sample["y"], "label": sample["label"]}


def to_tensors(batch: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The collate function of the columns."""
    return {name: torch.from_numpy(column) for name, column in batch.items()}


def epoch(
    dataset: Any, rows: Sequence[int], workers: int = 0, **options: Any
) -> Callable[[], None]:
    """Return a side that runs through some rows of a dataset once."""
    options = {"batch_size": BATCH, "num_workers": workers, **options}

    def side() -> None:
        for _ in DataLoader(dataset, sampler=SubsetRandomSampler(rows), **options):
            pass

    return side


def _samples(columns: Any, table: Table, rows: list[int]) -> Iterator[Case]:
    floor = Arrays(columns)
    mapped = Transformed(as_dataset(pa.table(columns)), doubled)
    for workers, goal in ((0, 2.0), (2, 1.15)):
        # A table that nothing was read from: workers find what earlier workers left on the disk.
        view = Table.from_url(table.url).with_transform(doubled)
        yield Case(
            f"DataLoader, {EPOCH:,} of {ROWS:,} rows through a transform, {workers} workers",
            {
                "NumPy arrays": epoch(floor, rows, workers),
                "tlc": epoch(view, rows, workers),
                "datasets": epoch(mapped, rows, workers),
            },
            unit=EPOCH,
            goal=goal,
            rounds=5,
        )


def _columns(columns: Any, table: Table, rows: list[int]) -> Iterator[Case]:
    floor, view = Batches(columns), Table.from_url(table.url).columns_view()
    mapped = as_dataset(pa.table(columns)).with_format("numpy")
    for workers in (0, 2):
        yield Case(
            f"DataLoader, columns of the same rows, {workers} workers",
            {
                "NumPy take and own collate": epoch(floor, rows, workers, collate_fn=to_tensors),
                "tlc": epoch(view, rows, workers, collate_fn=tlc.collate_columns),
                "datasets, numpy format": epoch(mapped, rows, workers),
            },
            unit=EPOCH,
            goal=2,
        )


def _workers(table: Table) -> Iterator[Fact]:
    for context in ("fork", "spawn"):
        view = Table.from_url(table.url).with_transform(doubled)
        name = f"private memory that a worker takes in an epoch of {ROWS:,} rows, {context}"
        os.environ["TLC_CACHE_FOLDER"] = mkdtemp()  # nothing is there yet
        yield Fact(name, lambda v=view, c=context: growth(v, c), 5, "MB")
    view = pickle.dumps(Table.from_url(table.url).with_transform(operator.itemgetter("x")))
    yield Fact("pickled view", len(view) / 1000, 5, "kB")
    imports = "import operator, pickle, pyarrow.parquet, tlc.table"
    seconds = [fresh(f"pickle.loads({view!r})[123_456]", setup=imports).seconds for _ in range(9)]
    name = "first row of a pickled view in a new process, after imports"
    yield Fact(name, statistics.median(seconds) * 1e3, 20, "ms")
