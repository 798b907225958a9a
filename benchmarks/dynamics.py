"""Scores of 1 million samples over 10 epochs, from the metrics of each sample and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.epochs import EPOCHS, NAME, ROWS, collected, columns
from benchmarks.harness import Case, Fact
from benchmarks.processes import fresh
from tlc.dynamics import aum, cartography, forgetting, label_issues, loss_trajectory, suggest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.run import Run


def cases() -> Iterator[Case | Fact]:
    made = collected()
    run, files = made.run, made.files
    yield Case(
        f"cartography {NAME}",
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
        yield Case(f"{what} {NAME}", {"tlc": lambda score=score: score(run)}, rounds=3, limit=5000)
    yield Fact(f"cartography {NAME}, memory", lambda: _memory(run), 300, "MB")


def floor(files: list[str]) -> tuple[np.ndarray, ...]:
    total, squares, right = np.zeros((3, ROWS))
    for file in files:
        ids, probability, accuracy = columns(file, ["example_id", "label_prob", "accuracy"])
        assert (ids == np.arange(ROWS)).all(), "in the order of the table"
        wide = probability.astype(np.float64)
        total += wide
        squares += wide * wide
        right += accuracy
    mean = total / EPOCHS
    return mean, np.sqrt(np.maximum(squares / EPOCHS - mean * mean, 0)), right / EPOCHS


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
