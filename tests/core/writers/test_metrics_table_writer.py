"""Writing metrics from a loop of one's own."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image

import tlc
from tlc.errors import (
    CellError,
    ColumnError,
    ColumnLengthError,
    MetricsError,
    NameNotAllowedError,
    RowIndexError,
    RunStateError,
    TlcError,
    WriterStateError,
)


@pytest.fixture
def run():
    return tlc.init("project", "run")


@pytest.fixture
def table():
    return tlc.Table.from_dict({"number": list(range(10))}, project_name="project")


def columns(table):
    return {name: table.column(name).to_pylist() for name in table.columns}


class TestContextManager:
    def test_links_the_table_and_its_input(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table.url) as writer:
            assert writer.row_count == 0
            writer.add_batch({"example_id": [0, 1], "loss": [0.5, 0.25]})
            writer.add_batch({"example_id": [2], "loss": [1.0]})
            assert writer.row_count == 3
            assert run.metrics == []
        (metrics,) = run.metrics_tables
        assert metrics.url == writer.url
        assert metrics.url.parent == run.url / "metrics"
        assert columns(metrics) == {
            "example_id": [0, 1, 2],
            "loss": [0.5, 0.25, 1.0],
            "input_table_id": [0, 0, 0],
        }
        assert not metrics.is_partial
        assert run.input_tables == [table.url]
        assert metrics.metrics_info.foreign_table.id == table.id

    def test_samples_have_no_housekeeping_columns(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table, constants={"epoch": 1}) as writer:
            writer.add_row({"example_id": 7, "loss": 0.5})
        assert run.metrics_tables[0][0] == {"example_id": 7, "loss": 0.5, "epoch": 1}

    @pytest.mark.parametrize("form", ["run", "url", "text"])
    def test_into_a_given_run(self, run, form):
        active = tlc.init("project", "active")
        given = {"run": run, "url": run.url, "text": run.url.to_str()}[form]
        with tlc.MetricsTableWriter(given) as writer:
            writer.add_row({"loss": 1.0})
        assert len(run.metrics_tables) == 1
        assert active.metrics_tables == []

    @pytest.mark.parametrize("form", ["table", "url", "text", "view"])
    def test_about_a_given_table(self, run, table, form):
        given = {
            "table": table,
            "url": table.url,
            "text": table.url.to_str(),
            "view": table.with_transform(len),
        }[form]
        with tlc.MetricsTableWriter(foreign_table_url=given) as writer:
            writer.add_row({"example_id": 9, "loss": 1.0})
        assert run.metrics(table)["example_id"].to_pylist() == [9]

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_about_no_table(self, run, nothing):
        with tlc.MetricsTableWriter(foreign_table_url=nothing) as writer:
            writer.add_batch({"class": ["a", "b"], "iou": [0.5, 1.0]})
        assert columns(run.metrics_tables[0]) == {"class": ["a", "b"], "iou": [0.5, 1.0]}
        assert run.metrics_tables[0].completeness is None
        assert run.input_tables == []

    def test_a_table_finalized_by_hand_is_not_touched_again(self, run):
        with tlc.MetricsTableWriter() as writer:
            writer.add_row({"loss": 1.0})
            metrics = writer.finalize()
            run.add_metrics_table(metrics, stream_name="mine")
        assert [info["stream_name"] for info in run.metrics] == ["mine"]
        assert run.metrics_tables == [metrics]


class TestByHand:
    def test_finalize(self, run, table):
        writer = tlc.MetricsTableWriter(run_url=run.url, foreign_table_url=table.url)
        writer.add_row({"example_id": 3, "loss": 0.5})
        assert writer.get_written_metrics_infos() == []
        metrics = writer.finalize()
        assert columns(metrics)["loss"] == [0.5]
        assert run.metrics_tables == []
        run.add_metrics_table(metrics)
        assert run.metrics_tables == [metrics]

    def test_the_older_way(self, run):
        writer = tlc.MetricsTableWriter()
        writer.add_batch({"loss": [1.0, 2.0]})
        writer.finalize()
        (info,) = infos = writer.get_written_metrics_infos()
        assert info["row_count"] == 2
        assert info["stream_name"] == "default_stream"
        info["stream_name"] = "per class"
        run.update_metrics(infos)
        (linked,) = run.metrics
        assert linked["stream_name"] == "per class"
        assert not tlc.Url(linked["url"]).is_absolute
        assert tlc.Url(linked["url"]).to_absolute(run.url) == writer.url
        assert linked["file_size"] == run.metrics_tables[0].file_size
        run.update_metrics(writer.get_written_metrics_infos())
        assert len(run.metrics) == 1

    @pytest.mark.parametrize("end", ["finalize", "abort"])
    def test_nothing_more_comes_after_the_end(self, run, end):
        writer = tlc.MetricsTableWriter()
        writer.add_row({"loss": 1.0})
        getattr(writer, end)()
        for call in (
            lambda: writer.add_row({"loss": 1.0}),
            lambda: writer.add_batch({"loss": [1.0]}),
            writer.finalize,
        ):
            with pytest.raises(WriterStateError, match="already"):
                call()
        writer.abort()
        writer.flush()
        assert len(tlc.Table.from_url(writer.url)) == 1

    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # fork beside threads
    def test_not_in_a_forked_process(self, run):
        writer = tlc.MetricsTableWriter()
        child = os.fork()
        if not child:
            try:
                writer.add_row({"loss": 0.0})
            except WriterStateError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        writer.add_row({"loss": 1.0})
        assert columns(writer.finalize()) == {"loss": [1.0]}


class TestErrorsAtTheStart:
    def test_no_active_run(self, table):
        with pytest.raises(RunStateError, match=r"no active run.*Hint: .*tlc\.init"):
            tlc.MetricsTableWriter(foreign_table_url=table)

    def test_no_such_run_or_table(self, run, table, tmp_path):
        with pytest.raises(FileNotFoundError):
            tlc.MetricsTableWriter(tmp_path / "nothing")
        with pytest.raises(FileNotFoundError):
            tlc.MetricsTableWriter(foreign_table_url=tmp_path / "nothing")
        with pytest.raises(ValueError, match="is a table, not a run"):
            tlc.MetricsTableWriter(table.url)
        with pytest.raises(ValueError, match="is a run, not a table"):
            tlc.MetricsTableWriter(foreign_table_url=run.url)

    def test_unique_ids_of_nothing(self, run):
        with pytest.raises(MetricsError, match="unique_ids"):
            tlc.MetricsTableWriter(unique_ids=True)

    def test_bad_name_of_a_constant(self, run):
        with pytest.raises(NameNotAllowedError):
            tlc.MetricsTableWriter(constants={"": 1})
        assert run.metrics_tables == []


class TestColumns:
    def test_forms_of_columns(self, run, table):
        with tlc.MetricsTableWriter(
            foreign_table_url=table,
            schema={"embedding": tlc.schemas.EmbeddingSchema(shape=(3,))},
        ) as writer:
            writer.add_batch(
                {
                    "example_id": torch.tensor([0, 1]),
                    "embedding": np.ones((2, 3), np.float32),
                    "tensor": torch.ones(2, 2),
                    "flag": torch.tensor([True, False]),
                    "nan": [math.nan, 1.0],
                    "arrow": pa.array(["a", "b"]),
                    "series": pd.Series([1.5, 2.5], index=[8, 9]),
                }
            )
        found = columns(run.metrics_tables[0])
        assert found["embedding"] == [[1.0] * 3] * 2
        assert found["tensor"] == [[1.0] * 2] * 2
        assert found["flag"] == [True, False]
        assert math.isnan(found["nan"][0])
        assert found["arrow"] == ["a", "b"]
        assert found["series"] == [1.5, 2.5]

    def test_images(self, run, table):
        with tlc.MetricsTableWriter(
            foreign_table_url=table, schema={"augmented": tlc.schemas.ImageSchema()}
        ) as writer:
            for i in range(3):
                image = Image.new("L", (4, 4), 10 * i)
                writer.add_row({"example_id": i, "augmented": image})
        metrics = run.metrics_tables[0]
        assert [metrics[i]["augmented"].getpixel((0, 0)) for i in range(3)] == [0, 10, 20]
        assert len(list(Path(str(run.url), "bulk_data").rglob("*.png"))) == 3

    def test_constants(self, run, table):
        constants = {"epoch": 2, "lr": 0.1, "name": "x", "flag": True}
        with tlc.MetricsTableWriter(
            foreign_table_url=table,
            constants=constants,
            schema={"lr": tlc.schemas.Float64Schema(display_name="learning rate")},
            split="val",
        ) as writer:
            writer.add_batch({"example_id": [0, 1], "loss": [0.0, 1.0]})
        (metrics,) = run.metrics_tables
        assert {name: columns(metrics)[name] for name in constants} == {
            name: [value] * 2 for name, value in constants.items()
        }
        assert metrics.rows_schema.values["lr"].display_name == "learning rate"
        assert metrics.metrics_info.constants == constants
        assert metrics.metrics_info.split == "val"

    def test_a_column_that_is_a_constant_too(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table, constants={"epoch": 1}) as writer:
            writer.add_row({"example_id": 0, "loss": 1.0})
            with pytest.raises(ColumnError, match="'epoch' is a column of the batch and a const"):
                writer.add_row({"example_id": 1, "loss": 1.0, "epoch": 1})
        assert len(run.metrics_tables[0]) == 1

    def test_input_table_id_by_hand(self, run):
        schema = {"input_table_id": tlc.schemas.ForeignTableIdSchema("../../x")}
        with tlc.MetricsTableWriter(schema=schema) as writer:
            writer.add_batch({"input_table_id": [0, 0], "class": [1, 2]})
        assert columns(run.metrics_tables[0]) == {"input_table_id": [0, 0], "class": [1, 2]}

    def test_no_rows(self, run, table):
        with tlc.MetricsTableWriter(
            foreign_table_url=table,
            constants={"epoch": 1, "lr": 0.1},
            schema={"loss": tlc.schemas.Float32Schema()},
        ):
            pass
        (metrics,) = run.metrics_tables
        assert not metrics.is_partial
        assert set(metrics.columns) == {"example_id", "loss", "epoch", "lr", "input_table_id"}
        assert len(metrics) == 0
        assert metrics.completeness.missing == 10
        assert run.metrics()["lr"].type == pa.float64()
        assert run.metrics().num_rows == 0

    def test_no_rows_and_no_columns(self, run):
        with tlc.MetricsTableWriter():
            pass
        assert [t.columns for t in run.metrics_tables] == [[]]

    def test_empty_batches_tell_nothing_about_types(self, run, table):
        with tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True) as writer:
            writer.add_batch({"example_id": [], "loss": [], "vector": np.empty((0, 2))})
            writer.add_batch({"example_id": [1], "loss": [0.5], "vector": np.ones((1, 2))})
            writer.add_batch({"example_id": [], "loss": [], "vector": np.empty((0, 2))})
        assert columns(run.metrics_tables[0])["loss"] == [0.5]
        assert columns(run.metrics_tables[0])["vector"] == [[1.0, 1.0]]


BAD_BATCHES = [
    ({"loss": [1.0, 2.0]}, MetricsError, "no 'example_id'"),
    ({"example_id": [3, 10], "loss": [1.0, 2.0]}, RowIndexError, "10 is out of range"),
    ({"example_id": [3, -1], "loss": [1.0, 2.0]}, RowIndexError, "-1 is out of range"),
    ({"example_id": [3.0, 4.0], "loss": [1.0, 2.0]}, MetricsError, "whole numbers"),
    ({"example_id": [3, 4], "loss": [1.0]}, ColumnLengthError, "'example_id' has 2"),
    ({"example_id": [3, 4], "loss": 1.0}, ColumnError, "single value"),
    ({"example_id": [3, 4], "loss": torch.tensor(1.0)}, ColumnError, "single value"),
    ({"example_id": [3, 4], "loss": [1.0, "high"]}, CellError, "Row 1|Row 3|column 'loss'"),
    ({"example_id": [3, 4], "loss": [1.0, [2.0]]}, TlcError, "'loss'"),
    ({"example_id": [3, 4], "loss": [1.0, 2.0], "extra": [1, 2]}, ColumnError, "'extra'"),
    ({"example_id": [3, 4]}, ColumnError, "'loss'"),
]


@pytest.mark.parametrize(("batch", "error", "message"), BAD_BATCHES)
@pytest.mark.parametrize("unique_ids", [False, True])
def test_after_a_bad_batch_the_writer_goes_on(run, table, batch, error, message, unique_ids):
    with tlc.MetricsTableWriter(
        foreign_table_url=table,
        unique_ids=unique_ids,
        schema={"loss": tlc.schemas.Float32Schema()},
    ) as writer:
        writer.add_batch({"example_id": [0, 1], "loss": [0.0, 0.1]})
        with pytest.raises(error, match=message):
            writer.add_batch(batch)
        assert writer.row_count == 2
        writer.add_batch({"example_id": [3, 4], "loss": [0.3, 0.4]})
    (metrics,) = run.metrics_tables
    assert columns(metrics)["example_id"] == [0, 1, 3, 4]
    assert metrics.completeness.rows == metrics.completeness.unique == 4
    assert metrics.completeness.repeats_dropped == 0


@pytest.mark.parametrize(("batch", "error"), [each[:2] for each in BAD_BATCHES[:-2]])
@pytest.mark.parametrize("declared", [False, True])
def test_a_bad_first_batch_fixes_nothing(run, table, batch, error, declared):
    schema = {"loss": tlc.schemas.Float32Schema()} if declared else {}
    with tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True, schema=schema) as writer:
        with pytest.raises(TlcError):
            writer.add_batch({**batch, "stray": [1, 2]})
        writer.add_batch({"example_id": [3, 4], "loss": [0.5, 1.0], "vector": np.ones((2, 2))})
    (metrics,) = run.metrics_tables
    assert set(metrics.columns) == {"example_id", "loss", "vector", "input_table_id"}
    assert columns(metrics)["loss"] == [0.5, 1.0]
    assert metrics.completeness.repeats_dropped == 0
