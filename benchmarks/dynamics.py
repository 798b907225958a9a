"""Scores of 1 million samples over 10 epochs, from the metrics of each sample and epoch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from benchmarks.harness import Case, Fact, unsynced
from benchmarks.processes import fresh
from tlc.dynamics import aum, cartography, forgetting, label_issues, loss_trajectory, suggest
from tlc.run import Run
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, EPOCHS, CLASSES = 1_000_000, 10, 10


def cases() -> Iterator[Case | Fact]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS, dtype=np.int32)
    schema = {"label": CategoricalLabelSchema([str(n) for n in range(CLASSES)])}
    table = unsynced(lambda: Table.from_dict({"label": labels}, schema, table_name="train"))()
    assert isinstance(table, Table)
    run = Run.create("bench")
    unsynced(lambda: _collect(run, table, labels, rng))()
    files = sorted(map(str, Path(str(run.url)).glob("metrics/*/rank-*/*.parquet")))
    name = f"of {EPOCHS * ROWS:,} metric rows"
    yield Case(
        f"cartography {name}",
        {
            "three columns, sums": lambda: floor(files),
            "tlc": lambda: cartography(run),
            "duckdb": lambda: _duckdb(files),
            "polars": lambda: _polars(files),
        },
        goal=2.5,
        rounds=5,
    )
    scores = {
        "area under the margin": aum,
        "forgetting": forgetting,
        "loss trajectory": loss_trajectory,
        "label issues": label_issues,
        "suggestions": suggest,
    }
    for what, score in scores.items():
        yield Case(f"{what} {name}", {"tlc": lambda score=score: score(run)}, rounds=3, limit=5000)
    yield Fact(f"cartography {name}, memory", lambda: _memory(run), 300, "MB")


def floor(files: list[str]) -> tuple[np.ndarray, ...]:
    total, squares, right = np.zeros((3, ROWS))
    for file in files:
        ids, probability, accuracy = _columns(file, ["example_id", "label_prob", "accuracy"])
        assert (ids == np.arange(ROWS)).all(), "in the order of the table"
        wide = probability.astype(np.float64)
        total += wide
        squares += wide * wide
        right += accuracy
    mean = total / EPOCHS
    return mean, np.sqrt(np.maximum(squares / EPOCHS - mean * mean, 0)), right / EPOCHS


def _columns(file: str, names: list[str]) -> list[np.ndarray]:
    table = pq.ParquetFile(file).read(columns=names).combine_chunks()
    found = []
    for name in names:
        cells = table.column(name).chunk(0)
        found.append(np.frombuffer(cells.buffers()[1], cells.type.to_pandas_dtype())[: len(cells)])
    return found


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
        }
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})


def _duckdb(files: list[str]) -> object:
    import duckdb

    query = (
        "SELECT example_id, avg(label_prob), stddev_pop(label_prob), avg(accuracy) "
        f"FROM read_parquet({files}) GROUP BY example_id ORDER BY example_id"
    )
    return duckdb.sql(query).fetchnumpy()


def _polars(files: list[str]) -> object:
    import polars

    probability = polars.col("label_prob")
    scores = [
        probability.mean(),
        probability.std(ddof=0).alias("variability"),
        polars.col("accuracy").mean(),
    ]
    return polars.scan_parquet(files).group_by("example_id").agg(scores).collect()


def _memory(run: Run) -> float:
    """Return what cartography takes beyond imports, in megabytes."""
    setup = "from tlc.dynamics import cartography; from tlc.run import Run"
    code = f"scores = cartography(Run.from_url({str(run.url)!r})); result = len(scores)"
    return fresh(code, setup=setup).added_mb
