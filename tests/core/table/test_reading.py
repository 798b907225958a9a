from __future__ import annotations

import copy
import math
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import ColumnNotFoundError, RowIndexError, RowIndexTypeError
from tlc.schemas import MapElement, Schema
from tlc.table import Table, TableView
from tlc.table.cells import cell_reader
from tlc.url import Url

ROWS = [
    {"n": 1, "label": 0, "boxes": [1.0], "weight": 1.0},
    {"n": 2, "label": 1, "boxes": [], "weight": 0.5},
    {"n": 3, "label": 0, "boxes": [2.0, 3.0], "weight": 0.0},
]
SAMPLES = [{name: value for name, value in row.items() if name != "weight"} for row in ROWS]


def test_a_sample_has_the_visible_columns_and_a_row_all():
    table = Table.from_dict(
        {"a": [1], "h": ["x"]}, {"h": schemas.StringSchema(sample_type="hidden")}
    )
    assert table[0] == {"a": 1}
    assert table.table_rows[0] == {"a": 1, "h": "x"}
    assert table.columns == ["a", "h"]


@pytest.mark.parametrize("make", [int, np.int64, np.uint8, torch.tensor, np.array])
def test_any_integer_is_an_index(table, make):
    assert [table[make(index)] for index in range(3)] == SAMPLES
    assert table.table_rows[make(2)] == ROWS[2]


def test_negative_indices_count_from_the_end(table):
    assert [table[index] for index in (-1, -2, -3)] == SAMPLES[::-1]
    assert [table.table_rows[index] for index in (-1, -2, -3)] == ROWS[::-1]


@pytest.mark.parametrize("index", [3, -4, 10**30])
def test_an_index_outside_is_an_index_error(table, index):
    for rows in (table, table.table_rows):
        with pytest.raises(RowIndexError, match="it has 3 rows") as caught:
            rows[index]
        assert isinstance(caught.value, IndexError)


@pytest.mark.parametrize(
    ("index", "hint"),
    [
        (slice(0, 2), r"for i in range"),
        ("n", r"get_column_as_pyarrow_array\('n'\)"),
        (1.0, "one row number"),
        (None, "one row number"),
        ([0, 1], "one row number"),
        ((0, 1), "one row number"),
    ],
    ids=str,
)
def test_anything_else_is_a_type_error_with_a_hint(table, index, hint):
    for rows in (table, table.table_rows):
        with pytest.raises(RowIndexTypeError, match=f"Hint: .*{hint}") as caught:
            rows[index]
        assert isinstance(caught.value, TypeError)


def test_iteration_gives_samples_in_order_again_and_again(table):
    assert list(table) == SAMPLES
    assert [sample["n"] for _ in range(2) for sample in table] == [1, 2, 3, 1, 2, 3]
    assert list(table.table_rows) == ROWS
    assert list(reversed(table.table_rows)) == ROWS[::-1]
    assert ROWS[1] in table.table_rows
    assert (len(table), len(table.table_rows), table.row_count) == (3, 3, 3)


def test_several_samples_at_once(table):
    assert table.__getitems__([2, -3, 2]) == [SAMPLES[2], SAMPLES[0], SAMPLES[2]]
    with pytest.raises(RowIndexError):
        table.__getitems__([0, 3])


def test_what_a_caller_does_to_a_row_stays_with_the_caller():
    cells = {"list": [[1, 2]], "deep": [{"in": {"list": [[1], [2]]}, "n": None}], "texts": [["a"]]}
    table = Table.from_dict(cells)
    expected = copy.deepcopy({name: values[0] for name, values in cells.items()})
    for read in (lambda: table[0], lambda: table.table_rows[0], lambda: next(iter(table))):
        row = read()
        row["list"].append(3)
        row["deep"]["in"]["list"][0].append(9)
        row["deep"]["new"] = 1
        row["texts"].clear()
        row["more"] = 1
        assert read() == expected
    assert {**table.table_rows[0], "x": 1}.keys() == {"list", "deep", "texts", "x"}


def test_arrays_of_samples_may_be_changed():
    table = Table.from_dict({"v": np.zeros((2, 3)), "t": torch.zeros(2, 3)})
    sample = table[0]
    sample["v"] += 1
    sample["t"] += 1
    assert table[0]["v"].tolist() == table[0]["t"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
@pytest.mark.parametrize("sign", ["Int", "Uint"])
def test_integers_of_all_widths_keep_their_limits(sign, bits):
    low, high = (0, 2**bits - 1) if sign == "Uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    schema = getattr(schemas, f"{sign}{bits}Schema")
    table = Table.from_dict({"n": [low, None, high]}, {"n": schema()})
    assert [row["n"] for row in table] == [low, None, high]
    assert type(table[0]["n"]) is int
    assert str(table.column("n").type) == f"{sign.lower()}{bits}"


def test_floats_keep_nan_and_infinities_and_are_not_none():
    cells = [math.nan, math.inf, -math.inf, -0.0, None]
    for schema in (schemas.Float32Schema(), schemas.Float64Schema()):
        table = Table.from_dict({"f": cells}, {"f": schema}, if_exists="overwrite")
        values = [row["f"] for row in table]
        assert math.isnan(values[0])
        assert values[1:] == cells[1:]
        assert math.copysign(1, values[3]) == -1


def test_unicode_empty_and_none_are_kept_apart():
    texts = ["", None, "ä", "日本語", "🙂", "a\0b", "\n", "None", "e\u0301"]
    lists = [[], None, [None], [""], ["ä"], [], [[]][:0], ["x"] * 5, [None, "y"]]
    table = Table.from_dict({"t": texts, "l": lists})
    assert [row["t"] for row in table] == texts
    assert [row["l"] for row in table] == lists


ARRAYS = st.sampled_from(
    [
        (pa.int16(), st.integers(-9, 9)),
        (pa.float32(), st.floats(width=32, allow_nan=False)),
        (pa.bool_(), st.booleans()),
        (pa.string(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)),
        (pa.binary(), st.binary(max_size=3)),
        (pa.list_(pa.bool_()), st.lists(st.booleans() | st.none(), max_size=3)),
        (pa.list_(pa.int8(), 2), st.lists(st.integers(0, 9) | st.none(), min_size=2, max_size=2)),
        (pa.list_(pa.list_(pa.string())), st.lists(st.lists(st.sampled_from("ab")), max_size=3)),
        (
            pa.struct([("a", pa.int8())]),
            st.fixed_dictionaries({"a": st.integers(0, 9) | st.none()}),
        ),
    ]
)


@given(st.data())
def test_single_cells_are_what_arrow_says_also_of_slices(data):
    type_, cells = data.draw(ARRAYS)
    values = data.draw(st.lists(st.none() | cells, max_size=20))
    start = data.draw(st.integers(0, len(values)))
    array = pa.array(values, type_)[start : data.draw(st.integers(start, len(values)))]
    reader, expected = cell_reader(array), array.to_pylist()
    assert [reader.one(row) for row in range(len(array))] == expected
    low = data.draw(st.integers(0, len(array)))
    high = data.draw(st.integers(low, len(array)))
    assert reader.span(low, high) == expected[low:high]
    rows = data.draw(st.lists(st.integers(0, len(array) - 1), max_size=8)) if len(array) else []
    assert reader.many(np.array(rows, np.int64)) == [expected[row] for row in rows]


# Columns


def test_a_column_is_one_array_without_a_copy(table):
    column = table.get_column_as_pyarrow_array("n")
    assert isinstance(column, pa.Int64Array)
    assert column.to_numpy().tolist() == [1, 2, 3]
    assert column.to_numpy().ctypes.data == column.buffers()[1].address
    assert column.equals(table.column("n"))
    assert pc.unique(table.column("label")).to_pylist() == [0, 1]
    assert table.column("weight").to_pylist() == [1.0, 0.5, 0.0]


@pytest.mark.parametrize("change", ["join", "edit", "batches"])
def test_a_column_is_one_array_however_it_came_about(table, change):
    if change == "join":
        made = Table.join_tables([table, table])
    elif change == "edit":
        made = table.set_values("n", [0], [9]).delete_rows([1])
    else:
        made = table.add_column("m", pa.chunked_array([[1], [2, 3]]))
    for name in made.columns:
        assert isinstance(made.column(name), pa.Array)
        assert made.column(name).to_pylist() == [row[name] for row in made.table_rows]
    assert made.column("n").to_numpy().dtype == np.int64


@pytest.mark.parametrize(
    ("schema", "values"),
    [(None, np.ones((2, 3), np.float32)), (schemas.EmbeddingSchema(shape=(3,)), [[1, 1, 1]] * 2)],
)
def test_vectors_of_fixed_length_are_fixed_size_lists(schema, values):
    table = Table.from_dict({"v": values}, {"v": schema} if schema else None)
    column = table.get_column_as_pyarrow_array("v")
    assert isinstance(column, pa.FixedSizeListArray)
    assert column.type.list_size == 3
    assert column.flatten().to_numpy().reshape(2, 3).tolist() == [[1, 1, 1]] * 2


def test_a_column_that_is_not_there_is_a_key_error(table):
    with pytest.raises(ColumnNotFoundError, match="'n', 'label', 'boxes', 'weight'") as caught:
        table.get_column_as_pyarrow_array("nn")
    assert isinstance(caught.value, KeyError)


@pytest.mark.parametrize("names", [["a.b", "a"], ["a", "a.b"], ["0", " ", "x y/z", "ß"]])
def test_names_of_columns_do_not_get_mixed_up(names):
    data = {name: [{"b": number, "c": 9}] for number, name in enumerate(names)}
    table = Table.from_dict(data)
    assert table.columns == names
    assert [table.column(name).to_pylist() for name in names] == list(data.values())


def test_a_frame_and_an_arrow_table_hold_rows(table):
    assert table.to_arrow().to_pylist() == ROWS
    frame = table.to_pandas()
    assert frame.columns.tolist() == table.columns
    assert frame["boxes"].map(list).tolist() == [[1.0], [], [2.0, 3.0]]


# Value maps


def test_value_maps_are_found_by_name_and_by_dotted_path():
    inner = Schema(values={"label": schemas.CategoricalLabelListSchema({3: "c", 1: "a"})})
    schema = {"bbs": Schema(values={"more": inner}), "n": schemas.Int32Schema()}
    table = Table.from_dict({"bbs": [{"more": {"label": [1, 3]}}], "n": [1]}, schema)
    table = Table.from_url(table.url)
    assert table.get_simple_value_map("bbs.more.label") == {3: "c", 1: "a"}
    assert list(table.get_simple_value_map("bbs.more.label")) == [3, 1]
    assert table.get_value_map("bbs.more.label") == {3: MapElement("c"), 1: MapElement("a")}
    assert table.get_value_map("n") is None
    assert table.get_simple_value_map("bbs") is None
    for path in ("bbs.less", "x", "n.x"):
        with pytest.raises(ColumnNotFoundError):
            table.get_value_map(path)


# Identity, views, pickles


def test_a_table_opened_again_is_equal_and_has_the_same_hash(table):
    again = Table.from_url(table.url)
    assert again == table
    assert len({again, table}) == 1
    assert table != table.set_values("n", [0], [5])
    assert table != "table"


def test_a_schema_goes_back_into_a_table(table):
    made = Table.from_dict(
        table.to_pandas().to_dict("list"), copy.deepcopy(table.rows_schema.values)
    )
    assert list(made.table_rows) == ROWS
    assert made.rows_schema == table.rows_schema == table.row_schema
    assert table.schema.values["rows"] == table.rows_schema


def double(sample):
    return sample["n"] * 2


def test_a_view_is_a_dataset_of_what_its_function_returns(table):
    view = table.with_transform(double).with_transform(str)
    assert isinstance(view, TableView)
    assert (len(view), list(view), view[-1]) == (3, ["2", "4", "6"], "6")
    assert view.__getitems__([1, 0]) == ["4", "2"]
    assert (view.source, view.url) == (table, table.url)
    assert list(table) == SAMPLES
    with pytest.raises(IndexError):
        view[3]


def test_a_pickled_table_is_its_url_whatever_was_read():
    table = Table.from_dict({"x": np.random.default_rng(0).normal(size=(1000, 10))})
    assert len(list(table)) == 1000
    for dataset in (table, table.with_transform(len), TableView(table.with_transform(len), str)):
        data = pickle.dumps(dataset)
        assert len(data) < 5000
        again = pickle.loads(data)
        assert len(again) == 1000
        assert again.url == table.url
    assert pickle.loads(pickle.dumps(table))[5]["x"].tolist() == table[5]["x"].tolist()


# Opening


@pytest.mark.parametrize("make", [str, Url, Path, lambda url: url / "manifest.json", "{}/".format])
def test_a_table_is_opened_by_any_form_of_its_url(table, make):
    assert Table.from_url(make(table.url)) == table


def test_a_table_is_opened_by_its_names(table, monkeypatch):
    child = table.set_values("n", [0], [7])
    assert Table.from_names("first", "d", "p") == table
    opened = Table.from_names(table_name=child.name, dataset_name="d", project_name="p")
    assert opened == child
    with pytest.raises(FileNotFoundError, match="There is no table"):
        Table.from_names("second", "d", "p")
    monkeypatch.setenv("TLC_PROJECT_ROOT_URL", "/nowhere")
    assert Table.from_names("first", "d", "p", root_url=table.root_url) == table
