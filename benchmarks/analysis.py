"""Questions to 10 million metric rows: the worst samples, and means by label and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.epochs import CLASSES, EPOCHS, NAME, ROWS, collected, columns
from benchmarks.harness import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.run import Run
    from tlc.table import Table

WORST = 200


def cases() -> Iterator[Case]:
    made = collected()
    run, table, labels, files = made.run, made.table, made.labels, made.files
    yield Case(
        f"worst {WORST} of {ROWS:,} samples by mean loss, {NAME}",
        {
            "two columns, bincount": lambda: floor_worst(files),
            "tlc": lambda: worst(run, table),
            "duckdb": lambda: _duckdb(files),
            "polars": lambda: _polars_worst(files),
            "pandas": lambda: _pandas_worst(files),
        },
        goal=1.4,
        rounds=5,
    )
    yield Case(
        f"mean loss and accuracy by label and epoch, {NAME}",
        {
            "four columns, bincount": lambda: floor_groups(files, labels),
            "tlc": lambda: groups(run, table),
            "polars": lambda: _polars_groups(files, labels),
            "pandas": lambda: _pandas_groups(files, labels),
        },
        goal=1.4,
        rounds=3,
    )


def worst(run: Run, table: Table) -> np.ndarray:
    losses = run.metrics.by_example("loss", table)
    return np.argpartition(-losses, WORST)[:WORST]


def groups(run: Run, table: Table) -> object:
    metrics = run.metrics(table=table, columns=["epoch", "loss", "correct"], join=["label"])
    return metrics.group_by(["label", "epoch"]).aggregate([("loss", "mean"), ("correct", "mean")])


def floor_worst(files: list[str]) -> np.ndarray:
    total, count = np.zeros(ROWS), np.zeros(ROWS, np.int64)
    for file in files:
        ids, losses = columns(file, ["example_id", "loss"])
        total += np.bincount(ids, losses, ROWS)
        count += np.bincount(ids, minlength=ROWS)
    means = total / count
    found = np.argpartition(means, -WORST)[-WORST:]
    return found[np.argsort(-means[found])]


def floor_groups(files: list[str], labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shape = CLASSES * EPOCHS
    count, loss, correct = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for file in files:
        ids, epochs, losses, predicted = columns(file, ["example_id", "epoch", "loss", "predicted"])
        its = labels[ids]
        group = its * EPOCHS + epochs
        count += np.bincount(group, minlength=shape)
        loss += np.bincount(group, losses, shape)
        correct += np.bincount(group, its == predicted, shape)
    return loss / count, correct / count


def _duckdb(files: list[str]) -> object:
    import duckdb

    query = (
        f"SELECT example_id, avg(loss) AS mean FROM read_parquet({files}) GROUP BY example_id "
        f"ORDER BY mean DESC LIMIT {WORST}"
    )
    return duckdb.sql(query).fetchall()


def _polars_worst(files: list[str]) -> object:
    import polars

    means = polars.scan_parquet(files).group_by("example_id").agg(polars.col("loss").mean())
    return means.top_k(WORST, by="loss").collect()


def _pandas_worst(files: list[str]) -> object:
    import pandas

    frame = pandas.read_parquet(files, columns=["example_id", "loss"])
    return frame.groupby("example_id")["loss"].mean().nlargest(WORST)


def _polars_groups(files: list[str], labels: np.ndarray) -> object:
    import polars

    known = polars.LazyFrame({"example_id": np.arange(ROWS), "label": labels})
    joined = polars.scan_parquet(files).join(known, on="example_id")
    right = (polars.col("predicted") == polars.col("label")).mean()
    return joined.group_by("label", "epoch").agg(polars.col("loss").mean(), right).collect()


def _pandas_groups(files: list[str], labels: np.ndarray) -> object:
    import pandas

    names = ["example_id", "epoch", "loss", "predicted"]
    frame = pandas.read_parquet(files, columns=names)
    frame["label"] = labels[frame["example_id"]]
    frame["right"] = frame["label"] == frame["predicted"]
    return frame.groupby(["label", "epoch"])[["loss", "right"]].mean()
