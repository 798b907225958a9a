"""Rows that repeat, rows that wait, and rows that a writer left behind."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import tlc


@pytest.fixture
def run():
    return tlc.init("project", "run")


@pytest.fixture
def table():
    return tlc.Table.from_dict({"number": list(range(10))}, project_name="project")


def columns(table):
    return {name: table.column(name).to_pylist() for name in table.columns}


class TestUniqueIds:
    @pytest.mark.parametrize(
        "make",
        [
            list,
            np.array,
            torch.tensor,
            pa.array,
            lambda values: pd.Series(values, index=range(100, 100 + len(values))),
        ],
        ids=["list", "numpy", "torch", "arrow", "pandas"],
    )
    def test_repeats_are_dropped_and_rows_are_in_order(self, run, table, make):
        with tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True) as writer:
            writer.add_batch({"example_id": make([5, 2, 5]), "loss": make([50.0, 20.0, 51.0])})
            writer.add_batch({"example_id": make([2, 5]), "loss": make([21.0, 52.0])})
            writer.add_batch({"example_id": make([9, 2, 0]), "loss": make([90.0, 22.0, 0.0])})
            assert writer.row_count == 4
        (metrics,) = run.metrics_tables
        assert columns(metrics)["example_id"] == [0, 2, 5, 9]
        assert columns(metrics)["loss"] == [0.0, 20.0, 50.0, 90.0]
        found = metrics.completeness
        assert (found.rows, found.unique, found.repeats_dropped) == (4, 4, 4)
        assert (found.expected, found.missing) == (10, 6)
        assert run.metrics[0]["row_count"] == 4

    def test_without_it_repeats_stay(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table) as writer:
            writer.add_batch({"example_id": [5, 2, 5], "loss": [0.0, 1.0, 2.0]})
        (metrics,) = run.metrics_tables
        assert columns(metrics)["example_id"] == [5, 2, 5]
        found = metrics.completeness
        assert (found.rows, found.unique, found.repeats_dropped) == (3, 2, 0)
        assert (found.expected, found.missing) == (10, 8)

    def test_images_of_repeats_are_not_written(self, run, table):
        images = [Image.new("L", (2, 2), value) for value in range(4)]
        with tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True) as writer:
            writer.add_batch({"example_id": [1, 1, 0, 1], "image": images})
        (metrics,) = run.metrics_tables
        assert [metrics[i]["image"].getpixel((0, 0)) for i in range(2)] == [2, 0]
        assert len(list(Path(str(run.url), "bulk_data").rglob("*.png"))) == 2

    @given(
        batches=st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6),
        flushed=st.lists(st.booleans(), min_size=6, max_size=6),
    )
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_against_a_dict(self, table, batches, flushed):
        run = tlc.init("project", "generated", if_exists="overwrite")
        oracle: dict[int, int] = {}
        number = 0
        with tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True) as writer:
            for ids, flush in zip(batches, flushed, strict=False):
                numbers = list(range(number, number + len(ids)))
                number += len(ids)
                for example_id, each in zip(ids, numbers, strict=True):
                    oracle.setdefault(example_id, each)
                writer.add_batch({"example_id": ids, "number": numbers})
                if flush:
                    writer.flush()
        (metrics,) = run.metrics_tables
        if oracle:
            assert columns(metrics)["example_id"] == sorted(oracle)
            assert columns(metrics)["number"] == [oracle[key] for key in sorted(oracle)]
        found = metrics.completeness
        assert (found.rows, found.unique) == (len(oracle), len(oracle))
        assert found.repeats_dropped == number - len(oracle)
        assert found.missing == 10 - len(oracle)


class TestPartial:
    def test_flushed_rows_can_be_read_at_once(self, run, table):
        writer = tlc.MetricsTableWriter(
            foreign_table_url=table, constants={"epoch": 4}, split="val"
        )
        writer.add_batch({"example_id": [3], "loss": [0.5]})
        assert run.metrics_tables == []
        writer.flush()
        writer.add_batch({"example_id": [4], "loss": [1.5]})
        (metrics,) = run.metrics_tables
        assert metrics.is_partial
        assert (metrics.completeness.unique, metrics.completeness.missing) == (1, 9)
        assert metrics.missing_example_ids().tolist() == [0, 1, 2, *range(4, 10)]
        assert metrics[0] == {"example_id": 3, "loss": 0.5, "epoch": 4}
        assert run.metrics(table, split="val")["loss"].to_pylist() == [0.5]
        run.add_metrics_table(writer.finalize())
        assert [len(t) for t in run.metrics_tables] == [2]
        assert not run.metrics_tables[0].is_partial

    @pytest.mark.parametrize("how", ["abort", "error", "interrupt"])
    def test_what_came_in_stays_and_comes_last(self, run, table, how):
        writer = tlc.MetricsTableWriter(foreign_table_url=table)
        writer.add_batch({"example_id": [3, 4], "loss": [0.5, 1.5]})
        error = {"error": ZeroDivisionError, "interrupt": KeyboardInterrupt}.get(how)
        if error is None:
            writer.abort()
        else:
            with pytest.raises(error), writer:
                raise error
        run.add_metrics({"loss": [0.0] * 10}, foreign_table_url=table)
        finished, partial = run.metrics_tables
        assert not finished.is_partial
        assert partial.is_partial
        assert partial.url == writer.url
        assert columns(partial)["example_id"] == [3, 4]
        assert partial.metrics_info.foreign_table.id == table.id
        assert run.metrics()["example_id"].to_pylist() == [*range(10), 3, 4]
        assert len(run.metrics) == 1

    def test_nothing_came_in(self, run, table):
        with (
            pytest.raises(ZeroDivisionError),
            tlc.MetricsTableWriter(foreign_table_url=table) as writer,
        ):
            raise ZeroDivisionError
        assert run.metrics_tables == []
        assert not writer.url.exists()
        assert writer.row_count == 0


class TestManyRows:
    def test_rows_are_written_when_there_are_many(self, run, table):
        writer = tlc.MetricsTableWriter(foreign_table_url=table)
        for _ in range(140):
            writer.add_batch({"example_id": np.zeros(1000, np.int64), "loss": np.ones(1000)})
        assert [len(t) for t in run.metrics_tables] == [131_000]
        assert len(writer.finalize()) == 140_000

    def test_single_rows(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table) as writer:
            for i in range(500):
                writer.add_row({"example_id": i % 10, "loss": i / 2})
        assert columns(run.metrics_tables[0])["loss"] == [i / 2 for i in range(500)]


def test_when_the_disk_is_full_rows_wait_and_are_not_taken_twice(run, table):
    """The limit on the size of files stands in for the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True)
    writer.add_batch({"example_id": [0], "text": ["x" * 10]})
    noise = np.random.default_rng(0).bytes(100_000).hex()
    writer.add_batch({"example_id": [1], "text": [noise]})
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        with pytest.raises(OSError, match="File too large"):
            writer.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert run.metrics_tables == []
    writer.add_batch({"example_id": [1, 2], "text": ["again", "y"]})
    metrics = writer.finalize()
    assert columns(metrics)["text"] == ["x" * 10, noise, "y"]
    assert metrics.completeness.repeats_dropped == 1
