"""What a `TableWriter` refuses, and that nothing of it stays behind."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from tlc import schemas
from tlc.errors import (
    CellError,
    ColumnError,
    ColumnLengthError,
    NameNotAllowedError,
    ObjectNotFoundError,
    SchemaError,
)
from tlc.schemas import Schema
from tlc.table import Table
from tlc.writers import TableWriter


def column(table, name="n"):
    return [row[name] for row in table.table_rows]


SCHEMA = {"n": schemas.Int32Schema(), "box": Schema(values={"x": schemas.Float32Schema()})}
GOOD = {"n": 1, "box": {"x": 0.5}, "free": "a"}


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ({"n": 1, "box": None}, ColumnError, "missing: 'free'"),
        ({**GOOD, "m": 1}, ColumnError, "unknown: 'm'"),
        ({"n": 1, "m": 2}, ColumnError, "missing: 'box', 'free'; unknown: 'm'"),
        ({}, ColumnError, "missing|without columns"),
        ({**GOOD, "n": "x"}, CellError, "Row 1, column 'n'"),
        ({**GOOD, "n": 2**40}, CellError, "Row 1, column 'n'"),
        ({**GOOD, "n": 0.5}, CellError, "Row 1, column 'n'"),
        ({**GOOD, "box": {"y": 1}}, CellError, "Row 1, column 'box'.*'y'"),
        ({**GOOD, "box": 1}, CellError, "Row 1, column 'box'"),
        ({**GOOD, "free": object()}, CellError, "Row 1, column 'free'"),
        ({**GOOD, "free": "\ud800"}, CellError, "Row 1, column 'free'"),
    ],
)
@pytest.mark.parametrize("batch", [False, True])
def test_a_bad_row_or_batch_leaves_nothing_behind(bad, error, words, batch):
    def add(row):
        if batch:
            writer.add_batch({name: [value] for name, value in row.items()})
        else:
            writer.add_row(row)

    writer = TableWriter(schema=SCHEMA)
    writer.add_row(GOOD)
    with pytest.raises(error, match=words) as caught:
        add(bad)
    assert isinstance(caught.value, ValueError)
    assert writer.row_count == 1
    add({**GOOD, "n": 2})
    assert list(writer.finalize().table_rows) == [GOOD, {**GOOD, "n": 2}]


@pytest.mark.parametrize("batch", [False, True])
def test_a_bad_first_row_decides_nothing(batch):
    writer = TableWriter(schema={"n": schemas.Int32Schema()})
    with pytest.raises(CellError):
        writer.add_row({"n": "x", "free": 1, "typo": 2})
    with pytest.raises(SchemaError):
        writer.add_batch({"n": [1], "free": [1], "odd": [object()]})
    if batch:
        writer.add_batch({"n": [1], "free": ["a"]})
    else:
        writer.add_row({"n": 1, "free": "a"})
    assert list(writer.finalize().table_rows) == [{"n": 1, "free": "a"}]


def test_a_bad_row_does_not_widen_a_column():
    writer = TableWriter(schema={"z": schemas.Int32Schema()})
    writer.add_row({"n": 1, "z": 1})
    for add, bad in (
        (writer.add_row, {"n": 0.5, "z": "x"}),
        (writer.add_batch, {"n": [0.5], "z": "x"}),
    ):
        with pytest.raises(ColumnError if add == writer.add_batch else CellError):
            add(bad)
    with pytest.raises(CellError):
        writer.add_batch({"n": [0.5, 1.5], "z": [1, "x"]})
    assert writer.finalize().column("n").type == pa.int64()


@pytest.mark.parametrize(
    ("batch", "error", "words"),
    [
        ({"n": [1, 2], "m": [1]}, ColumnLengthError, "'n' has 2, 'm' has 1"),
        ({"n": [1], "m": 2}, ColumnError, "'m' .* single value .*add_row"),
        ({"n": [1], "m": "x"}, ColumnError, "'m' .* single value"),
        ({"n": [1], "m": np.float64(2)}, ColumnError, "'m' .* single value"),
        ({"n": [1], "m": torch.tensor(2)}, ColumnError, "'m' .* single value"),
        ({"n": [1, 2], "m": [1, "x"]}, SchemaError, "'m': Row 1"),
    ],
    ids=str,
)
def test_a_batch_that_is_no_batch_is_refused(batch, error, words):
    writer = TableWriter()
    with pytest.raises(error, match=words):
        writer.add_batch(batch)
    writer.add_batch({"n": [1]})
    assert column(writer.finalize()) == [1]


def test_the_row_of_a_bad_value_counts_from_the_start_of_the_table():
    writer = TableWriter(schema={"n": schemas.Int32Schema()})
    writer.add_batch({"n": range(10)})
    with pytest.raises(CellError) as caught:
        writer.add_batch({"n": [1, 2, "x"]})
    assert (caught.value.row, caught.value.column) == (12, "n")


def test_an_enforced_limit_is_checked_as_rows_come():
    writer = TableWriter(schema={"n": schemas.Float32Schema(value_max=1.0, enforce_max=True)})
    with pytest.raises(CellError, match=r"Row 0, column 'n'.*larger than 1"):
        writer.add_row({"n": 1.5})
    writer.add_row({"n": 1.0})
    assert column(writer.finalize()) == [1.0]


@pytest.mark.parametrize("name", ["a/b", "", ".a", "a:b", "x" * 201, 3])
@pytest.mark.parametrize("part", ["table_name", "dataset_name", "project_name"])
def test_a_name_that_is_not_allowed_is_refused_at_once(part, name):
    with pytest.raises(NameNotAllowedError):
        TableWriter(**{part: name})


@pytest.mark.parametrize("name", ["", "a\nb", 3])
def test_a_column_name_that_is_not_allowed_is_refused(name):
    with pytest.raises(NameNotAllowedError):
        TableWriter(schema={name: schemas.Int32Schema()})
    writer = TableWriter()
    with pytest.raises(NameNotAllowedError):
        writer.add_row({name: 1})


def test_a_sibling_that_differs_by_case_only_is_refused():
    Table.from_dict({"n": [1]}, table_name="Train")
    with pytest.raises(NameNotAllowedError, match="'Train'"):
        TableWriter("train")


def test_inputs_must_exist_before_the_work_begins(tmp_path):
    with pytest.raises(ObjectNotFoundError, match="nowhere"):
        TableWriter(input_tables=[tmp_path / "nowhere"])
