"""Run.add_metrics and its relatives: metrics that are complete already."""

from __future__ import annotations

import math
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
    TlcError,
)


def rows(table):
    return [{k: v for k, v in row.items() if k != "input_table_id"} for row in table.table_rows]


def test_by_position(run, table):
    (info,) = run.add_metrics({"loss": [0.0, 0.1, 0.2, 0.3, 0.4]}, foreign_table_url=table)
    (metrics,) = run.metrics_tables
    assert rows(metrics) == [{"example_id": i, "loss": i / 10} for i in range(5)]
    assert metrics.metrics_info.foreign_table.id == table.id
    assert run.input_tables == [table.url]
    assert tlc.Url(info["url"]).to_absolute(run.url) == metrics.url
    assert info["row_count"] == 5
    assert info["file_size"] == metrics.file_size > 0
    assert info["stream_name"] == "default_stream"
    assert run.metrics == [info]


@pytest.mark.parametrize("form", ["table", "url", "text", "view"])
def test_all_ways_to_name_the_table(run, table, form):
    given = {
        "table": table,
        "url": table.url,
        "text": table.url.to_str(),
        "view": table.with_transform(len),
    }[form]
    run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=given)
    assert run.metrics(table)["example_id"].to_pylist() == list(range(5))
    assert run.input_tables == [table.url]


@pytest.mark.parametrize(
    "ids",
    [
        [4, 0, 4],
        (4, 0, 4),
        np.array([4, 0, 4], np.uint8),
        torch.tensor([4, 0, 4]),
        pd.Series([4, 0, 4], index=[7, 8, 9]),
        pa.array([4, 0, 4]),
        range(4, 1, -1),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_with_ids(run, table, ids):
    run.add_metrics({"loss": [1.0, 2.0, 3.0], "example_id": ids}, foreign_table_url=table)
    assert run.metrics()["example_id"].to_pylist() == [int(i) for i in ids]
    assert run.metrics()["loss"].to_pylist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("count", [0, 4, 6])
def test_by_position_the_lengths_must_agree(run, table, count):
    with pytest.raises(MetricsError, match=rf"have {count} values.* has 5 rows.*example_id"):
        run.add_metrics({"loss": [0.0] * count}, foreign_table_url=table)
    assert run.metrics_tables == []


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([0, 5], RowIndexError, r"example_id 5 is out of range: .* has 5 rows"),
        ([-1, 0], RowIndexError, r"example_id -1 is out of range"),
        ([2**70, 0], TlcError, "example_id"),
        ([0.0, 1.0], MetricsError, "float64, not whole numbers"),
        ([0, math.nan], MetricsError, "not whole numbers"),
        ([0, None], MetricsError, "not whole numbers"),
        (["0", "1"], MetricsError, "not whole numbers"),
        ([True, False], MetricsError, "bool, not whole numbers"),
        ([[0], [1]], MetricsError, "one number per row"),
        (np.array([[0], [1]]), MetricsError, "one number per row"),
        ([[0], [1, 2]], MetricsError, "example_id"),
        ([0], ColumnLengthError, "'loss' has 2"),
        (0, ColumnError, "single value"),
    ],
)
def test_bad_ids(run, table, ids, error, message):
    with pytest.raises(error, match=message):
        run.add_metrics({"example_id": ids, "loss": [0.0, 1.0]}, foreign_table_url=table)
    assert run.metrics_tables == []
    assert run.metrics == []


@pytest.mark.parametrize(
    ("metrics", "options", "error", "message"),
    [
        ([1, 2], {}, MetricsError, "a dict of columns, not list"),
        ({"loss": 1.0}, {}, ColumnError, "single value"),
        ({"loss": "text"}, {}, ColumnError, "single value"),
        ({"a": [1], "b": [1, 2]}, {}, ColumnLengthError, "'a' has 1, 'b' has 2"),
        (
            {"loss": [1.0, "high"]},
            {"schema": {"loss": tlc.schemas.Float32Schema()}},
            CellError,
            "Row 1, column 'loss'",
        ),
        ({"loss": [1.0, "high"]}, {}, TlcError, "'loss'"),
        ({"a": [1], "epoch": [1]}, {"constants": {"epoch": 1}}, ColumnError, "'epoch'"),
        ({"": [1]}, {}, NameNotAllowedError, "name of a column"),
    ],
)
def test_bad_metrics_leave_nothing_behind(run, metrics, options, error, message):
    with pytest.raises(error, match=message):
        run.add_metrics(metrics, **options)
    assert run.metrics == run.metrics_tables == []
    (_info,) = run.add_metrics({"loss": [1.0]})
    assert [table.name for table in run.metrics_tables] == ["metrics_0000"]
    assert not Path(str(run.url), "bulk_data").exists()


def test_no_such_table(run, tmp_path):
    with pytest.raises(FileNotFoundError):
        run.add_metrics({"loss": [1.0]}, foreign_table_url=tmp_path / "nothing")
    with pytest.raises(ValueError, match="is a run, not a table"):
        run.add_metrics({"loss": [1.0]}, foreign_table_url=run.url)
    assert run.metrics_tables == []


def test_about_a_table_without_rows(run):
    empty = tlc.Table.from_dict({"x": []}, project_name="project")
    for given in (empty, empty.url, empty.with_transform(len)):
        run.add_metrics({"loss": []}, foreign_table_url=given)
        assert run.metrics_tables[-1].metrics_info.foreign_table.id == empty.id
        with pytest.raises(MetricsError, match="have 1 values"):
            run.add_metrics({"loss": [1.0]}, foreign_table_url=given)


def test_about_no_table(run):
    (info,) = run.add_metrics({"class": ["a", "b"], "iou": [0.1, 0.2]})
    assert rows(run.metrics_tables[-1]) == [
        {"class": "a", "iou": 0.1},
        {"class": "b", "iou": 0.2},
    ]
    assert run.metrics_tables[-1].metrics_info.foreign_table is None
    assert run.input_tables == []
    assert info["row_count"] == 2


def test_kinds_of_columns(run):
    data = {
        "bool": [True, False],
        "int": [1, 2],
        "float": [1.5, math.nan],
        "float32": np.array([1.5, np.inf], np.float32),
        "numpy bool": np.array([True, False]),
        "tensor": torch.tensor([1, 2]),
        "text": ["a", "b"],
        "2d": np.arange(6, dtype=np.float32).reshape(2, 3),
        "masks": [np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8)],
        "vectors": [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
        "points": [[[0, 1], [2, 3]], [[4, 5]]],
        "ids": [[1, 2, 3], []],
        "some": [None, 1.0],
    }
    run.add_metrics(data)
    first, second = rows(run.metrics_tables[-1])
    assert first["bool"] is first["numpy bool"] is True
    assert second["bool"] is second["numpy bool"] is False
    assert (first["int"], first["float"], first["tensor"], first["text"]) == (1, 1.5, 1, "a")
    assert math.isnan(second["float"])
    assert second["float32"] == math.inf
    assert second["2d"] == [3.0, 4.0, 5.0]
    assert second["masks"] == [[1, 1], [1, 1]]
    assert second["vectors"] == [3.0, 4.0]
    assert first["points"] == [[0, 1], [2, 3]]
    assert second["points"] == [[4, 5]]
    assert (first["ids"], second["ids"]) == ([1, 2, 3], [])
    assert (first["some"], second["some"]) == (None, 1.0)


def test_partial_schema(run):
    schema = {
        "predicted": tlc.schemas.CategoricalLabelSchema(classes=["cat", "dog"]),
        "embedding": tlc.schemas.EmbeddingSchema(shape=(2,)),
    }
    run.add_metrics(
        {"predicted": [0, 1], "embedding": np.ones((2, 2)), "loss": [0.1, 0.2]}, schema=schema
    )
    (metrics,) = run.metrics_tables
    assert metrics.get_simple_value_map("predicted") == {0: "cat", 1: "dog"}
    assert metrics.table_rows[1] == {"predicted": 1, "embedding": [1.0, 1.0], "loss": 0.2}


def test_images(run, table):
    images = [Image.new("RGB", (2, 3), (value, 0, 0)) for value in range(0, 250, 50)]
    run.add_metrics({"image": images, "loss": [0.0] * 5}, foreign_table_url=table)
    metrics = run.metrics_tables[-1]
    for i, image in enumerate(images):
        assert metrics[i]["image"].size == (2, 3)
        assert metrics[i]["image"].convert("RGB").tobytes() == image.tobytes()
    files = list(Path(str(run.url), "bulk_data").rglob("*.png"))
    assert {metrics.table_rows[i]["image"] for i in range(5)} == {str(file) for file in files}
    assert run.metrics()["image"].to_pylist() == [metrics.table_rows[i]["image"] for i in range(5)]


def test_constants_and_split(run, table):
    run.add_metrics(
        {"loss": [0.0] * 5},
        foreign_table_url=table,
        constants={"epoch": 3, "lr": 0.1, "tag": "x"},
        split="val",
    )
    (metrics,) = run.metrics_tables
    assert rows(metrics)[4] == {"example_id": 4, "loss": 0.0, "epoch": 3, "lr": 0.1, "tag": "x"}
    assert metrics.metrics_info.split == "val"
    assert metrics.metrics_info.constants == {"epoch": 3, "lr": 0.1, "tag": "x"}
    role = metrics.rows_schema.values["epoch"].value.number_role
    assert role == tlc.constants.NUMBER_ROLE_EPOCH


def test_infos_in_order_and_names_that_count(run, table, infos_of):
    infos = [
        run.add_metrics({"loss": [float(epoch)] * 5}, foreign_table_url=table)[0]
        for epoch in range(3)
    ]
    assert run.metrics == infos
    assert [t.name for t in run.metrics_tables] == [
        "metrics_0000",
        "metrics_0001",
        "metrics_0002",
    ]
    assert [t.url for t in run.metrics_tables] == infos_of(run)
    assert all(not info["url"].startswith("/") for info in infos)
    assert run.input_tables == [table.url]


class TestAddMetricsTable:
    def test_any_table_by_any_name(self, run, table, infos_of):
        run.add_metrics_table(table)
        other = table.delete_rows([0])
        run.add_metrics_table(other.url)
        run.add_metrics_table(other.url.to_str(), stream_name="mine")
        assert infos_of(run) == [table.url, other.url]
        assert [info["stream_name"] for info in run.metrics] == ["default_stream", "mine"]
        assert [info["row_count"] for info in run.metrics] == [5, 4]
        assert run.metrics_tables == [table, other]
        assert run.metrics().num_rows == 0

    def test_no_table(self, run, tmp_path):
        with pytest.raises(FileNotFoundError):
            run.add_metrics_table(tmp_path / "nothing")
        with pytest.raises(ValueError, match="not a table"):
            run.add_metrics_table(run.url)
        assert run.metrics == []

    def test_update_metrics_checks_its_tables(self, run, table, tmp_path):
        with pytest.raises(FileNotFoundError):
            run.update_metrics([{"url": str(tmp_path / "nothing")}])
        assert run.metrics == []
        run.update_metrics([{"url": table.url.to_str()}])
        (info,) = run.metrics
        assert info["stream_name"] == "default_stream"
        assert info["row_count"] == 5
        assert run.metrics_tables == [table]
