"""A run with metrics of 1 million samples over 10 epochs, for benchmarks that ask about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import unsynced
from tlc.run import Run
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

ROWS, EPOCHS, CLASSES = 1_000_000, 10, 10
NAME = f"of {EPOCHS * ROWS:,} metric rows"


@dataclass(frozen=True)
class Collected:
    """The run, its table and labels, and the files of its metrics, one for each epoch."""

    run: Run
    table: Table
    labels: np.ndarray
    files: list[str]


def collected() -> Collected:
    """Make the run, as collectors of classifiers would."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS, dtype=np.int32)
    schema = {"label": CategoricalLabelSchema([str(n) for n in range(CLASSES)])}
    table = unsynced(lambda: Table.from_dict({"label": labels}, schema, table_name="train"))()
    assert isinstance(table, Table)
    run = Run.create("bench")
    unsynced(lambda: _collect(run, table, labels, rng))()
    files = sorted(map(str, Path(str(run.url)).glob("metrics/*/rank-*/*.parquet")))
    return Collected(run, table, labels, files)


def columns(file: str, names: list[str]) -> list[np.ndarray]:
    """Read columns of numbers as the floors do, without a copy."""
    table = pq.ParquetFile(file).read(columns=names).combine_chunks()
    found = {}
    for name in names:
        cells = table.column(name).chunk(0)
        found[name] = np.frombuffer(cells.buffers()[1], cells.type.to_pandas_dtype())[: len(cells)]
    return [found[name] for name in names]


def _collect(run: Run, table: Table, labels: np.ndarray, rng: np.random.Generator) -> None:
    for epoch in range(EPOCHS):
        predicted = np.where(rng.random(ROWS) < 0.8, labels, rng.integers(0, CLASSES, ROWS))
        confidence = (0.5 + rng.random(ROWS) / 2).astype(np.float32)
        right = predicted == labels
        metrics = {
            "loss": rng.exponential(size=ROWS).astype(np.float32),
            "predicted": predicted.astype(np.int32),
            "accuracy": right.astype(np.float32),
            "confidence": confidence,
            "label_prob": np.where(right, confidence, 1 - confidence),
            "label_logit": rng.normal(size=ROWS).astype(np.float32),
            "max_other_logit": rng.normal(size=ROWS).astype(np.float32),
            "correct": right,
        }
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})
