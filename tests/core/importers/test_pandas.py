from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tlc import schemas
from tlc.errors import CellError, ColumnError, SchemaError
from tlc.table import Table


def test_columns_keep_their_types_and_the_index_is_left_out():
    frame = pd.DataFrame(
        {
            "i": np.array([1, 2], np.int16),
            "f": np.array([0.5, 1.5], np.float32),
            "s": ["a", "b"],
            "b": [True, False],
        },
        index=[10, 20],
    )
    table = Table.from_pandas(frame)
    assert table.columns == ["i", "f", "s", "b", "weight"]
    types = [str(table.column(name).type) for name in table.columns]
    assert types == ["int16", "float", "string", "bool", "float"]
    assert list(table) == frame.to_dict("records")


def test_what_pandas_calls_missing_is_none():
    frame = pd.DataFrame(
        {
            "int": pd.Series([1, pd.NA], dtype="Int64"),
            "text": ["a", None],
            "time": [datetime.datetime(2020, 1, 1), pd.NaT],
            "category": pd.Categorical(["x", None]),
            "any": [[1], None],
        }
    )
    table = Table.from_pandas(frame)
    assert set(table[1].values()) == {None}
    assert table[0]["time"].startswith("2020-01-01")
    assert table[0]["category"] == "x"


def test_nan_in_a_column_of_floats_is_a_number():
    table = Table.from_pandas(pd.DataFrame({"float": [1.0, np.nan]}))
    assert np.isnan(table[1]["float"])
    assert np.isnan(table.column("float").to_numpy()[1])


def test_cells_may_be_objects():
    image = Image.new("L", (2, 2), 7)
    frame = pd.DataFrame({"path": [Path("/a"), Path("/b")], "image": [image, None]})
    table = Table.from_pandas(frame)
    assert [row["path"] for row in table.table_rows] == ["/a", "/b"]
    assert table[0]["image"].getpixel((0, 0)) == 7


def test_a_schema_says_what_a_column_is():
    frame = pd.DataFrame({"label": [0, 1], "keep": [1, 2]})
    table = Table.from_pandas(frame, {"label": schemas.CategoricalLabelSchema(["a", "b"])})
    assert table.get_simple_value_map("label") == {0: "a", 1: "b"}


def test_names_that_are_no_text_become_text():
    assert Table.from_pandas(pd.DataFrame([[1, 2]])).columns == ["0", "1", "weight"]


def test_an_empty_frame_is_an_empty_table():
    assert len(Table.from_pandas(pd.DataFrame({"a": []}))) == 0
    assert Table.from_pandas(pd.DataFrame(), table_name="none").columns == []


def test_rows_make_the_frame_again():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [[1.0], []]})
    back = Table.from_pandas(frame).to_pandas()
    assert back.columns.tolist() == ["a", "b", "c", "weight"]
    assert back["a"].tolist() == [1, 2]
    assert back["b"].tolist() == ["x", "y"]
    assert back["c"].map(list).tolist() == [[1.0], []]


@pytest.mark.parametrize(
    ("frame", "schema", "error", "words"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), None, ColumnError, "'a'"),
        (pd.DataFrame({"a": [1, "x"]}), None, SchemaError, "Column 'a': Row 1"),
        (pd.DataFrame({"a": [1]}), {"b": schemas.Int32Schema()}, ColumnError, "'b'"),
        (pd.DataFrame({"a": ["x"]}), {"a": schemas.Int32Schema()}, CellError, "Row 0, column 'a'"),
    ],
)
def test_bad_frames_are_refused(frame, schema, error, words):
    with pytest.raises(error, match=words):
        Table.from_pandas(frame, schema)
