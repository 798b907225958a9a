from __future__ import annotations

import datetime
import decimal

import duckdb
import narwhals
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import CellError, ColumnError, ReuseWarning
from tlc.table import Table

COLUMNS = {
    "n": [1, None, 3],
    "t": ["a", "ö", None],
    "l": [[1.5], [], None],
    "b": [True, None, False],
}
ROWS = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]


def batches(table):
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches(2))


FRAMES = {
    "polars": lambda: pl.DataFrame(COLUMNS),
    "narwhals": lambda: narwhals.from_native(pl.DataFrame(COLUMNS), eager_only=True),
    "pyarrow": lambda: pa.table(COLUMNS),
    "record batch": lambda: pa.record_batch(COLUMNS),
    "reader": lambda: batches(pa.table(COLUMNS)),
    "duckdb": lambda: duckdb.from_arrow(pa.table(COLUMNS)),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_columns_of_any_frame_are_taken(name):
    table = Table.from_arrow(FRAMES[name]())
    assert table.columns == [*COLUMNS, "weight"]
    assert list(table) == ROWS


def test_a_frame_of_pandas_is_taken_as_by_from_pandas():
    frame = pd.DataFrame({"x": [1.0, float("nan")], "t": ["a", None]}, index=["p", "q"])
    taken = Table.from_arrow(frame, table_name="taken")
    assert str(list(taken)) == str(list(Table.from_pandas(frame, table_name="frame")))


def test_types_that_have_no_schema_become_plain():
    frame = pl.DataFrame(
        {
            "category": pl.Series(["p", None], dtype=pl.Categorical),
            "enum": pl.Series(["q", "p"], dtype=pl.Enum(["p", "q"])),
            "day": [datetime.date(2020, 1, 2), None],
            "amount": pl.Series([decimal.Decimal("1.50"), None], dtype=pl.Decimal(5, 2)),
            "vector": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int8, 2)),
            "struct": [{"x": 1, "y": ["a"]}, {"x": None, "y": []}],
        }
    )
    table = Table.from_arrow(frame)
    assert table[0] == {
        "category": "p",
        "enum": "q",
        "day": "2020-01-02",
        "amount": "1.50",
        "vector": [1, 2],
        "struct": {"x": 1, "y": ["a"]},
    }
    assert table[1]["category"] is None
    assert table.column("vector").type == pa.list_(pa.int8(), 2)


def test_a_schema_says_what_a_column_is():
    frame = pl.DataFrame({"label": [0, 1], "path": ["/a.png", "/b.png"]})
    schema = {
        "label": schemas.CategoricalLabelSchema(["a", "b"]),
        "path": schemas.ImageSchema(sample_type="url"),
    }
    table = Table.from_arrow(frame, schema)
    assert table.get_simple_value_map("label") == {0: "a", 1: "b"}
    assert table[1] == {"label": 1, "path": "/b.png"}


def test_many_small_batches_keep_their_order():
    relation = duckdb.sql("select i, i * 0.5 as half from range(200_000) t(i)")
    table = Table.from_arrow(relation, add_weight_column=False)
    assert table.column("i").equals(pa.array(range(200_000), pa.int64()))


def test_the_same_frame_is_reused_and_another_is_not():
    frame = pl.DataFrame(COLUMNS)
    first = Table.from_arrow(frame)
    assert Table.from_arrow(frame.clone()) == first
    assert Table.from_arrow(frame.head(1)) != first


def test_a_reader_is_not_compared_with_what_there_is():
    first = Table.from_arrow(FRAMES["reader"](), table_name="t")
    reader = FRAMES["reader"]()
    with pytest.warns(ReuseWarning, match="other data"):
        assert Table.from_arrow(reader, table_name="t") == first
    assert reader.read_all().num_rows == 3  # it was not touched


@pytest.mark.parametrize(
    ("frame", "columns"),
    [
        (pl.DataFrame({"a": []}, {"a": pl.Int8}), {"a": pa.int8()}),
        (pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int8())]), []), {"a": pa.int8()}),
        (pa.table({}), {}),
    ],
)
def test_a_frame_without_rows_keeps_its_columns(frame, columns):
    table = Table.from_arrow(frame)
    assert len(table) == 0
    names = [name for name in table.columns if name != "weight"]
    assert {name: table.column(name).type for name in names} == columns


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "i": st.none() | st.integers(-(2**63), 2**63 - 1),
                "f": st.none() | st.floats(allow_nan=False),
                "t": st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
                "l": st.none() | st.lists(st.none() | st.integers(-9, 9), max_size=3),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_rows_of_polars_are_the_rows_of_the_table(rows):
    types = {"i": pl.Int64, "f": pl.Float64, "t": pl.String, "l": pl.List(pl.Int8)}
    frame = pl.DataFrame(rows, schema=types)
    table = Table.from_arrow(frame, if_exists="overwrite")
    assert list(table) == rows
    assert pl.from_arrow(table.to_arrow()).select(list(types)).equals(frame)


@pytest.mark.parametrize(
    ("frame", "schema", "error", "words"),
    [
        ({"a": [1]}, None, ColumnError, "dict is no frame"),
        (pl.LazyFrame({"a": [1]}), None, ColumnError, "LazyFrame is no frame"),
        (pa.table([[1], [2]], ["a", "a"]), None, ColumnError, "several columns 'a'"),
        (pa.table({"a": [1]}), {"b": schemas.Int8Schema()}, ColumnError, "'b'"),
        (pa.table({"a": [1, 300]}), {"a": schemas.Int8Schema()}, CellError, "Row 1, column 'a'"),
    ],
)
def test_bad_frames_are_refused(frame, schema, error, words):
    with pytest.raises(error, match=words):
        Table.from_arrow(frame, schema)
