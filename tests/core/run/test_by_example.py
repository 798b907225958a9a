"""One number per sample from the metrics of all epochs, against plain Python."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.errors import (
    ColumnNotFoundError,
    DamagedObjectWarning,
    MetricsError,
    OptionError,
)
from tlc.run import Run
from tlc.schemas import Float32Schema
from tlc.table import Table

PLAIN = {
    "mean": statistics.fmean,
    "std": statistics.pstdev,
    "min": min,
    "max": max,
    "sum": math.fsum,
    "count": len,
}
ROWS = 7


@pytest.fixture
def table():
    return Table.from_dict({"n": list(range(ROWS))}, table_name="train")


@pytest.fixture
def run():
    return Run.create("project", "run")


def plain(collected, how):
    """Return what every row comes to, from (row, value) pairs."""
    values = defaultdict(list)
    for row, value in collected:
        if value is not None:
            values[row].append(value)
    empty = 0.0 if how in ("sum", "count") else math.nan
    return [PLAIN[how](values[row]) if values[row] else empty for row in range(ROWS)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    epochs=st.lists(
        st.lists(
            st.tuples(st.integers(0, ROWS - 1), st.none() | st.integers(-50, 50)), min_size=1
        ).filter(lambda pairs: any(value is not None for _, value in pairs)),
        min_size=1,
        max_size=3,
    ),
    number=st.sampled_from([int, float]),
)
def test_as_plain_python_has_it(table, epochs, number):
    run = Run.create("project")
    for pairs in epochs:
        values = [value if value is None else number(value) for _, value in pairs]
        metrics = {"example_id": [row for row, _ in pairs], "loss": values}
        run.add_metrics(metrics, foreign_table_url=table)
    collected = [pair for pairs in epochs for pair in pairs]
    for how in PLAIN:
        found = run.metrics.by_example("loss", table, how)
        np.testing.assert_allclose(found, plain(collected, how), atol=1e-6)


def test_worst_samples_in_two_lines(run, table):
    for losses in ([3.0, 1, 2, 9, 0, 0, 0], [1.0, 1, 4, 7, 0, 0, 5]):
        run.add_metrics({"loss": losses}, foreign_table_url=table)
    losses = run.metrics.by_example("loss", table)
    assert np.argsort(-losses)[:3].tolist() == [3, 2, 6]
    assert losses.dtype == np.float64


def test_booleans_are_shares(run, table):
    for row in range(2):
        run.add_metrics({"correct": [row == n % 2 for n in range(ROWS)]}, foreign_table_url=table)
    assert run.metrics.by_example("correct", table).tolist() == [0.5] * ROWS


def test_the_spread_of_large_numbers_is_not_lost(run, table):
    for step in range(3):
        values = {"example_id": [6, 0, 1], "loss": [1e9 + step, 5.0, -1e9]}
        run.add_metrics(values, foreign_table_url=table)
    found = run.metrics.by_example("loss", table, "std")
    np.testing.assert_allclose(found[[6, 0, 1]], [math.sqrt(2 / 3), 0, 0])


def test_nan_stays_visible(run, table):
    run.add_metrics({"example_id": [1, 2], "loss": [math.nan, 1.0]}, foreign_table_url=table)
    run.add_metrics({"example_id": [1, 2], "loss": [0.0, 1.0]}, foreign_table_url=table)
    for how in ("mean", "min", "max", "sum", "std"):
        found = run.metrics.by_example("loss", table, how)
        assert math.isnan(found[1])
        assert not math.isnan(found[2])


def test_rows_of_another_revision_are_found_by_their_keys(run, table):
    run.add_metrics({"loss": [float(n) for n in range(ROWS)]}, foreign_table_url=table)
    smaller = table.delete_rows([0, 3])
    assert run.metrics.by_example("loss", smaller).tolist() == [1, 2, 4, 5, 6]
    larger = Table.join_tables([smaller, table.delete_rows(range(1, ROWS))])
    assert run.metrics.by_example("loss", larger).tolist() == [1, 2, 4, 5, 6, 0]


def test_a_split_can_be_chosen(run, table):
    for number, split in enumerate(["train", "val"]):
        run.add_metrics({"loss": [float(number)] * ROWS}, foreign_table_url=table, split=split)
    assert run.metrics.by_example("loss", table, split="val").tolist() == [1] * ROWS
    assert run.metrics.by_example("loss", table.url, "count").tolist() == [2] * ROWS


def test_metrics_of_other_tables_do_not_count(run, table):
    other = Table.from_dict({"n": [0, 1]}, table_name="other")
    run.add_metrics({"loss": [5.0, 5.0]}, foreign_table_url=other)
    run.add_metrics({"loss": [1.0] * ROWS}, foreign_table_url=table)
    assert run.metrics.by_example("loss", table).tolist() == [1] * ROWS


def test_a_damaged_table_is_passed_over_with_a_warning(run, table):
    for value in (1.0, 3.0):
        run.add_metrics({"loss": [value] * ROWS}, foreign_table_url=table)
    damaged = next((run.url / "metrics").to_local_path().glob("*_0001/rank-*/*.parquet"))
    damaged.write_bytes(b"PAR1")
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        found = run.metrics.by_example("loss", table)
    assert found.tolist() == [1] * ROWS


def test_what_cannot_be_answered_says_why(run, table):
    with pytest.raises(ColumnNotFoundError, match="'loss'"):
        run.metrics.by_example("loss", table)
    run.add_metrics({"name": ["a"] * ROWS, "loss": [1.0] * ROWS}, foreign_table_url=table)
    with pytest.raises(MetricsError, match=r"'name' .* holds string"):
        run.metrics.by_example("name", table)
    with pytest.raises(OptionError, match=r"'median'.*mean"):
        run.metrics.by_example("loss", table, "median")


def test_rows_of_one_key_are_told_apart(run):
    """As those of boxes: the first of a photo is the first of it in a revision, and so on."""
    schema = {"boxes": Float32Schema(shape=(-1,))}
    photos = Table.from_dict({"boxes": [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]]}, schema)
    boxes = photos.unroll("boxes")
    revision = boxes.set_values("boxes", [0], [9.0])
    shuffled = boxes.keep([4, 2, 3, 0, 1, 5], table_name="shuffled")
    for about, first in ((boxes, 0.0), (revision, 10.0)):
        run.add_metrics({"loss": [first + n for n in range(6)]}, foreign_table_url=about)
    assert run.metrics(revision)["example_id"].to_pylist() == [*range(6)] * 2
    assert run.metrics.by_example("loss", revision).tolist() == [5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    assert run.metrics.by_example("loss", shuffled).tolist() == [8.0, 7.0, 9.0, 5.0, 6.0, 10.0]
    assert run.metrics.by_example("loss", photos).tolist() == [5.5, 7.0, 9.0]
    fewer = boxes.keep([0, 3, 4], table_name="fewer")
    assert run.metrics.by_example("loss", fewer, "sum").tolist() == [10.0, 16.0, 18.0]


def test_values_that_are_null_do_not_count_in_a_revision_either(run, table):
    run.add_metrics({"loss": [None, 1.0, None, 3.0, 4.0, 5.0, 6.0]}, foreign_table_url=table)
    revision = table.delete_rows([0])
    assert run.metrics.by_example("loss", revision, "count").tolist() == [1, 0, 1, 1, 1, 1]
