"""Rows that come one by one wait a little, and nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tlc
from tlc.errors import CellError, ColumnError, RowIndexError


@pytest.fixture
def run():
    return tlc.init("project", "run")


@pytest.fixture
def table():
    return tlc.Table.from_dict({"number": list(range(1000))}, project_name="project")


def cells(table, name):
    return table.column(name).to_pylist()


def test_they_count_and_stay_in_order_with_batches(run, table):
    writer = tlc.MetricsTableWriter(foreign_table_url=table, unique_ids=True)
    for i in (1, 2, 3, 3, 2):
        writer.add_row({"example_id": i, "loss": 0.5})
    assert writer.row_count == 3
    writer.add_row({"example_id": 0, "loss": 1.5})
    writer.add_batch({"example_id": [0, 4], "loss": [2.5, 2.5]})
    assert cells(writer.finalize(), "loss") == [1.5, 0.5, 0.5, 0.5, 2.5]


BAD_ROWS = [
    ({"example_id": 1000, "loss": 1.0}, RowIndexError, "1000 is out of range"),
    ({"example_id": -1, "loss": 1.0}, RowIndexError, "-1 is out of range"),
    ({"example_id": 5, "loss": "high"}, CellError, "Row 3, column 'loss'"),
    ({"example_id": 5, "loss": 1e300}, CellError, "Row 3, column 'loss'"),
    ({"example_id": 5}, ColumnError, "'loss'"),
    ({"example_id": 5, "loss": 1.0, "more": 1}, ColumnError, "'more'"),
]


@pytest.mark.parametrize(("row", "error", "message"), BAD_ROWS)
def test_a_bad_one_is_refused_at_once(run, table, row, error, message):
    schema = {"loss": tlc.schemas.Float32Schema()}
    with tlc.MetricsTableWriter(foreign_table_url=table, schema=schema) as writer:
        for i in range(3):
            writer.add_row({"example_id": i, "loss": 0.5})
        with pytest.raises(error, match=message):
            writer.add_row(row)
        writer.add_row({"example_id": 3, "loss": 0.5})
    assert cells(run.metrics_tables[0], "example_id") == [0, 1, 2, 3]


def test_an_array_may_be_filled_anew(run, table):
    vector, numbers = np.zeros(2), [0.0, 0.0]
    with tlc.MetricsTableWriter(foreign_table_url=table) as writer:
        for i in range(4):
            vector[:] = i
            numbers[0] = float(i)
            writer.add_row({"example_id": i, "vector": vector, "numbers": numbers})
    assert cells(run.metrics_tables[0], "vector") == [[i, i] for i in range(4)]
    assert cells(run.metrics_tables[0], "numbers") == [[i, 0.0] for i in range(4)]


def test_forms_may_change(run, table):
    values = [1, 2, 2.5, None, np.float32(0.5), torch.tensor(1.5), 7]
    with tlc.MetricsTableWriter(foreign_table_url=table) as writer:
        for i, value in enumerate(values):
            writer.add_row({"example_id": np.int64(i), "loss": value})
    assert cells(run.metrics_tables[0], "loss") == [1, 2, 2.5, None, 0.5, 1.5, 7]


@pytest.mark.parametrize("make", [np.array, torch.tensor, np.float64])
def test_constants_of_one_number_are_plain(run, table, make):
    run.add_metrics(
        {"loss": [0.0] * 1000}, foreign_table_url=table, constants={"lr": make(0.5)}, split=None
    )
    (metrics,) = run.metrics_tables
    assert metrics.metrics_info.constants == {"lr": 0.5}
    assert metrics.metrics_info.split == ""
    assert cells(metrics, "lr")[:2] == [0.5, 0.5]
    assert metrics.rows_schema.values["lr"].shape == ()
