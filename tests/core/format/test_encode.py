from __future__ import annotations

import datetime
import math
import types
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import CellError, ColumnError, ColumnLengthError, SchemaError
from tlc.format.bulk import NoFiles
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.infer import infer_column
from tlc.schemas import Schema
from tlc.schemas.values import DictValue
from tlc.url import Url

A_DAY = datetime.datetime(2020, 1, 2, 3, 4, 5)
PAIR = Schema(values={"a": schemas.Int32Schema(), "b": schemas.StringSchema()})


def encoder(schema):
    return ColumnEncoder("x", schema, NoFiles())


def encoded(values, schema=None):
    cells = encoder(schema or infer_column("x", values)).encode(values)
    cells.validate(full=True)
    return cells.to_pylist()


@pytest.mark.parametrize(
    ("schema", "values", "rows"),
    [
        (schemas.Int32Schema(), [1, 2.0, True, None, np.int64(3)], [1, 2, 1, None, 3]),
        (schemas.Int8Schema(), np.array([1.0, -128.0]), [1, -128]),
        (schemas.Uint64Schema(), [2**64 - 1], [2**64 - 1]),
        (schemas.Float32Schema(), [1, 0.5, math.inf, None], [1.0, 0.5, math.inf, None]),
        (schemas.Float64Schema(), [2**60 + 1], [float(2**60)]),
        (schemas.BoolSchema(), [1, 0.0, True, np.bool_(False)], [True, False, True, False]),
        (schemas.StringSchema(), ["ä", Path("/a"), Url("/b")], ["ä", "/a", "/b"]),
        (schemas.StringSchema(), [A_DAY, A_DAY.date()], ["2020-01-02T03:04:05", "2020-01-02"]),
        (schemas.Float32Schema(shape=(-1,)), [[], (1, 2), np.ones(1)], [[], [1, 2], [1]]),
        (schemas.Float32Schema(shape=(2,)), torch.ones(2, 2), [[1, 1], [1, 1]]),
        (schemas.Int32Schema(shape=(-1, 2)), np.ones((1, 3, 2)), [[[1, 1]] * 3]),
        (PAIR, [{"a": 1.0}, {"b": "x", "a": None}, None], None),
        (PAIR, [types.MappingProxyType({"a": 1, "b": "x"})], [{"a": 1, "b": "x"}]),
    ],
    ids=repr,
)
def test_a_value_that_fits_without_loss_is_taken(schema, values, rows):
    rows = rows or [{"a": 1, "b": None}, {"a": None, "b": "x"}, None]
    assert encoded(values, schema) == rows
    one_by_one = [encoder(schema).admit(value, 0) for value in values]
    assert encoded(one_by_one, schema) == rows


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (schemas.Int32Schema(), 1.5),
        (schemas.Int32Schema(), "1"),
        (schemas.Int32Schema(), 2**31),
        (schemas.Int32Schema(), math.nan),
        (schemas.Int32Schema(), math.inf),
        (schemas.Int32Schema(), [1]),
        (schemas.Uint8Schema(), -1),
        (schemas.BoolSchema(), 2),
        (schemas.BoolSchema(), pd.NA),
        (schemas.BoolSchema(), "yes"),
        (schemas.Float32Schema(), 1e300),
        (schemas.Float64Schema(), 10**400),
        (schemas.Float32Schema(), "1.0"),
        (schemas.StringSchema(), 1),
        (schemas.StringSchema(), b"a"),
        (schemas.StringSchema(), math.nan),
        (schemas.StringSchema(), "\ud800"),
        (schemas.StringSchema(), {"a": 1}),
        (schemas.StringSchema(shape=(-1,)), "abc"),
        (schemas.Float32Schema(shape=(-1,)), 1.0),
        (schemas.Float32Schema(shape=(-1,)), [1e300]),
        (schemas.Float32Schema(shape=(1,), sample_type="numpy_array"), np.array([1e300])),
        (schemas.Float32Schema(shape=(1,), sample_type="torch_tensor"), torch.ones(2)),
        (schemas.Float32Schema(shape=(2,)), [1.0]),
        (schemas.Float32Schema(shape=(2,)), [[1.0, 2.0]]),
        (schemas.Int32Schema(shape=(-1,)), [1.5]),
        (Schema(value=schemas.values.BytesStringValue()), "abc"),
        (PAIR, {"a": 1, "c": 2}),
        (PAIR, {"a": "one"}),
        (PAIR, (1, "x")),
        (PAIR, [{"a": 1}]),
        (schemas.Float32Schema(value_min=0, enforce_min=True), -0.5),
        (schemas.Int32Schema(value_max=3, enforce_max=True), 4),
        (schemas.UrlSchema(), 3),
    ],
    ids=repr,
)
def test_a_value_that_does_not_fit_is_named_with_row_and_column(schema, value):
    with pytest.raises(CellError, match=r"Row 7, column 'x'") as caught:
        encoder(schema).encode([None, value], first_row=6)
    assert (caught.value.column, caught.value.row) == ("x", 7)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(CellError, match=r"Row 3, column 'x'"):
        encoder(schema).admit(value, 3)


@pytest.mark.parametrize(
    ("schema", "values", "row"),
    [
        (schemas.Float32Schema(shape=(2,)), np.array([[0.5, 1], [1e300, 1]]), 1),
        (schemas.Float32Schema(shape=(2,), sample_type="numpy_array"), np.full((2, 2), 1e300), 0),
        (schemas.Int32Schema(shape=(1,)), np.array([[1.0], [1.5]]), 1),
        (schemas.Float32Schema(shape=(3,)), torch.ones(2, 2), 0),
        (schemas.Float32Schema(), np.ones((2, 2)), 0),
        (schemas.Float32Schema(shape=(-1, -1)), np.ones((2, 2)), 0),
    ],
    ids=repr,
)
def test_a_row_of_an_array_that_does_not_fit_is_named(schema, values, row):
    with pytest.raises(CellError) as caught:
        encoder(schema).encode(values)
    assert caught.value.row == row


@pytest.mark.parametrize(
    ("schema", "cells"),
    [
        (schemas.Int32Schema(), pa.array([None, 1.5])),
        (schemas.Float32Schema(), pa.array([None, 1e300])),
        (schemas.Float32Schema(shape=(-1,)), pa.array([None, [1e300]])),
        (Schema(values={"a": schemas.Int64Schema()}), pa.array([None, {"a": 1, "c": 2}])),
        (schemas.Int32Schema(), pa.array([None, "x"])),
    ],
)
def test_arrow_cells_that_would_lose_something_are_refused(schema, cells):
    with pytest.raises(CellError, match="Row 1, column 'x'"):
        encoder(schema).encode(cells)


@pytest.mark.parametrize(
    ("values", "rows"),
    [
        (pd.Series([1, 2], index=[7, 9]), [1, 2]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([None, "a"]), [None, "a"]),
        (pd.Series(["a", None], dtype="category"), ["a", None]),
        (pd.Series([[1], [1, 2]]), [[1], [1, 2]]),
        (pd.Series([Path("/a"), None]), ["/a", None]),
        (pd.Series([A_DAY]), ["2020-01-02 03:04:05.000000"]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (pl.Series([1, None]), [1, None]),
        (pl.Series(["a", None]), ["a", None]),
        (pa.chunked_array([[1], [2]]), [1, 2]),
        (pa.chunked_array([], pa.int64()), []),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (np.array(["2020-01-02T03:04:05"], "datetime64[s]"), ["2020-01-02 03:04:05"]),
        ([np.datetime64("2020-01-02T03:04:05", "ns")], ["2020-01-02T03:04:05.000000000"]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        (np.array([True, False]), [True, False]),
        (np.array([1, "a", None], dtype=object)[:1], [1]),
        (np.zeros((2, 0)), [[], []]),
        (np.zeros((0, 3)), []),
        (np.arange(8).reshape(2, 2, 2)[::-1], [[[4, 5], [6, 7]], [[0, 1], [2, 3]]]),
        (np.arange(4, dtype=">i4"), [0, 1, 2, 3]),
        (torch.tensor([1.5], dtype=torch.bfloat16), [1.5]),
        (torch.tensor([[1.5]], dtype=torch.float16), [[1.5]]),
        (torch.ones(2, requires_grad=True), [1.0, 1.0]),
        (range(2), [0, 1]),
        ([None, None], [None, None]),
        ([], []),
        ([Path("/a"), "/b"], ["/a", "/b"]),
        ([{"a": 1}, {}, {"b": "x"}], None),
    ],
    ids=lambda case: f"{type(case).__module__}.{type(case).__name__}",  # some show an address
)
def test_a_column_of_any_library_gets_a_schema_and_keeps_its_values(values, rows):
    rows = (
        [{"a": 1, "b": None}, {"a": None, "b": None}, {"a": None, "b": "x"}]
        if rows is None
        else rows
    )
    assert encoded(values) == rows


def test_relative_urls_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = [str(tmp_path / "a.png"), "s3://b/a.png", "<ALIAS>/a.png", None]
    values = ["a.png", "s3://b/a.png", "<ALIAS>/a.png", None]
    assert encoded(values, schemas.UrlSchema()) == expected
    assert encoded(pa.array(values), schemas.ImageSchema()) == expected


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
def test_cells_do_not_follow_an_array_that_is_filled_anew(make):
    values = make([1, 2, 3])
    cells = encoder(schemas.Int64Schema()).encode(values)
    values[:] = 0
    assert cells.to_pylist() == [1, 2, 3]


@given(st.floats(width=32) | st.none())
def test_32_bit_floats_are_kept(value):
    (row,) = encoded([value], schemas.Float32Schema())
    assert row == value or (math.isnan(row) and math.isnan(value))


@given(st.lists(st.integers(-(2**70), 2**70), min_size=1))
def test_integers_are_kept_or_refused(values):
    too_large = [row for row, value in enumerate(values) if not -(2**63) <= value < 2**63]
    if too_large:
        with pytest.raises(CellError) as caught:
            encoded(values, schemas.Int64Schema())
        assert caught.value.row == too_large[0]
    else:
        assert encoded(values, schemas.Int64Schema()) == values


def test_a_vector_of_fixed_length_0_is_refused_before_parquet_makes_it_unreadable():
    with pytest.raises(SchemaError, match="length 0"):
        encoder(schemas.Float32Schema(shape=(0,)))


@pytest.mark.parametrize(
    "values",
    ["abc", b"abc", 3, None, {"a": 1}, {1, 2}, np.array(3), torch.tensor(3), iter([1])],
    ids=lambda values: type(values).__name__,
)
def test_a_single_value_is_no_column(values):
    with pytest.raises(ColumnError, match="'x'"):
        common_length({"x": values})


def test_columns_of_one_batch_have_one_length():
    assert common_length({"a": [1, 2], "b": np.zeros((2, 3)), "c": range(2)}) == 2
    assert common_length({}) == 0
    with pytest.raises(ColumnLengthError, match="'a' has 1, 'b' has 2"):
        common_length({"a": [1], "b": [1, 2]})


def test_the_error_of_a_cell_ends_with_one_full_stop():
    with pytest.raises(CellError, match="cannot be stored as JSON") as caught:
        encoder(Schema(value=DictValue())).encode([{"a": object()}])
    assert caught.value.message.endswith(" 'object' is no type of JSON.")
