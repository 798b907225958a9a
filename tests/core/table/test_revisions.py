from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image

from tlc import schemas
from tlc.errors import (
    CellError,
    ColumnError,
    ColumnLengthError,
    ColumnNotFoundError,
    NameNotAllowedError,
    ObjectKindError,
    RowIndexError,
    RowIndexTypeError,
    SchemaError,
)
from tlc.run import init
from tlc.schemas import MapElement, Schema
from tlc.table import (
    AddColumn,
    DeleteRows,
    DropColumn,
    SetSchema,
    SetValueMap,
    SetValues,
    Table,
)
from tlc.url import Url


def column(table, name="n"):
    return [row[name] for row in table.table_rows]


@pytest.fixture(autouse=True)
def parent_stays_as_it_is(table):
    """Whatever a test does, the table it starts from is unchanged on disk and in memory."""
    before = (list(table.table_rows), table.rows_schema.to_dict())
    yield
    for each in (table, Table.from_url(table.url)):
        assert (list(each.table_rows), each.rows_schema.to_dict()) == before


# Values


@pytest.mark.parametrize("make", [list, np.array, torch.tensor, pa.array, pd.Series, tuple])
def test_rows_and_values_may_be_any_sequence(table, make):
    child = table.set_values("n", make([2, 0]), make([30, 10]))
    assert column(child) == [10, 2, 30]


def test_one_value_may_be_for_all_rows(table):
    assert column(table.set_values("weight", range(3), 0.25), "weight") == [0.25] * 3
    assert column(table.set_values("n", [0, 2], None)) == [None, 2, None]


def test_negative_rows_count_from_the_end_and_the_last_of_equal_rows_counts(table):
    assert column(table.set_values("n", [-1, 2, 0, 0], [1, 2, 3, 4])) == [4, 2, 2]


def test_no_rows_is_a_revision_too(table):
    child = table.set_values("n", [], [])
    assert column(child) == [1, 2, 3]
    assert table.latest() == child


def test_cells_of_any_form_can_be_set(table):
    child = table.set_values("boxes", [0, 1], [[], (9.0,)])
    assert column(child, "boxes") == [[], [9.0], [2.0, 3.0]]


def test_images_can_be_set_in_sample_and_in_row_form(pictures, tmp_path):
    table = Table.from_dict({"image": pictures}, table_name="t")
    path = tmp_path / "new.png"
    Image.new("RGB", (1, 1), (9, 0, 0)).save(path)
    child = table.set_values("image", [0, 1], [pictures[2], path])
    assert [sample["image"].getpixel((0, 0))[0] for sample in child] == [2, 9, 2]
    assert child.table_rows[1]["image"] == str(path)


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (SetValues("x", [0], [1]), ColumnNotFoundError),
        (SetValues("n", [3], [1]), RowIndexError),
        (SetValues("n", [-4], [1]), RowIndexError),
        (SetValues("n", [True, False, True], [1, 2, 3]), RowIndexTypeError),
        (SetValues("n", [0.0], [1]), RowIndexTypeError),
        (SetValues("n", ["0"], [1]), RowIndexTypeError),
        (SetValues("n", [[0]], [1]), RowIndexTypeError),
        (SetValues("n", [0, 1], [1]), ColumnLengthError),
        (SetValues("n", [0, 1, 2], "abc"), ColumnError),
        (SetValues("n", [0], ["x"]), CellError),
        (SetValues("n", [0], [0.5]), CellError),
        (AddColumn("n", [1, 2, 3]), ColumnError),
        (AddColumn("m", [1, 2]), ColumnLengthError),
        (AddColumn("m", "abc"), ColumnError),
        (AddColumn("m", [1, 2, "x"]), SchemaError),
        (AddColumn("m", [1, 2, "x"], schemas.Int32Schema()), CellError),
        (AddColumn("", [1, 2, 3]), NameNotAllowedError),
        (DropColumn("x"), ColumnNotFoundError),
        (DeleteRows([3]), RowIndexError),
        (DeleteRows([True, False, False]), RowIndexTypeError),
        (SetValueMap("x", ["a"]), ColumnNotFoundError),
        (SetSchema("x", schemas.Int32Schema()), ColumnNotFoundError),
        (SetSchema("boxes", schemas.Int32Schema()), SchemaError),
    ],
    ids=repr,
)
def test_an_edit_that_does_not_fit_makes_no_revision(table, edit, error):
    with pytest.raises(error):
        table.revise(SetValues("n", [0], [5]), edit)
    assert table.latest() == table
    assert len(table.revisions()) == 1


def test_what_is_no_edit_is_refused(table):
    with pytest.raises(TypeError, match="not an edit"):
        table.revise({"n": [1]})


# Columns


def test_a_column_is_added_and_deleted(table):
    more = table.add_column("m", [0.5, None, 1], description="why")
    assert (more.columns, column(more, "m")) == ([*table.columns, "m"], [0.5, None, 1.0])
    assert more.description == "why"
    less = more.delete_column("n").delete_column("weight")
    assert less.columns == ["label", "boxes", "m"]
    assert less.table_rows[1] == {"label": 1, "boxes": [], "m": None}
    with pytest.raises(ColumnNotFoundError):
        less.column("n")


def test_a_column_may_come_back_with_another_type(table):
    child = table.set_values("n", [0], [7]).delete_column("n").add_column("n", ["a", "b", "c"])
    assert column(child) == ["a", "b", "c"]
    assert column(child.set_values("n", [1], ["x"])) == ["a", "x", "c"]


def test_a_column_may_have_a_schema_and_samples_of_its_own(table):
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    hidden = schemas.EmbeddingSchema(shape=(2,), sample_type="hidden")
    child = table.add_column("array", vectors).add_column("hidden", vectors, hidden)
    assert child[2]["array"].tolist() == [4.0, 5.0]
    assert "hidden" not in child[2]
    assert child.table_rows[2]["hidden"] == [4.0, 5.0]


# Rows


def test_rows_are_deleted_and_the_others_keep_their_order(table):
    child = table.delete_rows([1])
    assert list(child.table_rows) == [table.table_rows[0], table.table_rows[2]]
    assert column(child.delete_rows(np.array([-1]))) == [1]
    assert column(table.delete_rows([])) == [1, 2, 3]
    assert len(table.delete_rows([0, 0, 1, -1])) == 0


def test_row_numbers_count_in_the_table_as_the_edits_before_left_it(table):
    child = table.revise(
        DeleteRows([0]),
        SetValues("n", [0], [20]),
        AddColumn("m", ["x", "y"]),
        DropColumn("boxes"),
        SetValues("m", [1], ["z"]),
        DeleteRows([0]),
        SetValueMap("label", ["a", "b"]),
        description="several",
    )
    assert list(child.table_rows) == [{"n": 3, "label": 0, "weight": 0.0, "m": "z"}]
    assert child.get_simple_value_map("label") == {0: "a", 1: "b"}
    assert child.history() == [table, child]


def test_a_subset_at_a_url_of_its_own_is_replaced_and_not_followed(table):
    url = table.url.create_sibling("train")
    subset = table.delete_rows([0], table_url=url, description="split")
    assert (subset.url, column(subset), subset.description) == (url, [2, 3], "split")
    assert subset.input_tables == [table.url]
    assert table.latest() == table
    again = table.delete_rows([1], table_url=str(url))
    assert (again.url, column(again)) == (url, [1, 3])
    assert again.set_values("n", [0], [9]).name == "train-r1"
    assert again.latest().name == "train-r1"


def test_a_subset_does_not_overwrite_a_run(table):
    with pytest.raises(ObjectKindError, match="is a run"):
        table.delete_rows([0], table_url=init("p").url)


# Schemas


def test_a_value_map_is_replaced_and_values_stay(table):
    child = table.set_value_map("label", {0: "cats", 5: MapElement("bird", display_name="Bird")})
    assert child.get_simple_value_map("label") == {0: "cats", 5: "bird"}
    assert column(child, "label") == [0, 1, 0]
    assert table.get_simple_value_map("label") == {0: "cat", 1: "dog"}


def test_a_value_map_inside_of_a_column_is_replaced():
    part = Schema(values={"label": schemas.CategoricalLabelListSchema(["a"])})
    table = Table.from_dict(
        {"bbs": [{"more": {"label": [0]}}]}, {"bbs": Schema(values={"more": part})}
    )
    child = Table.from_url(table.set_value_map("bbs.more.label", ["x", "y"]).url)
    assert child.get_simple_value_map("bbs.more.label") == {0: "x", 1: "y"}
    with pytest.raises(SchemaError, match="'more'"):
        table.set_value_map("bbs", ["x"])


def test_a_schema_is_replaced_and_cells_are_converted_for_good():
    table = Table.from_dict({"f": [1.5, 2.0, 3.0]}, table_name="t")
    with pytest.raises(SchemaError, match="'f'"):
        table.set_schema("f", schemas.Int32Schema())
    child = table.set_values("f", [0], [1.0]).set_schema("f", schemas.Int32Schema())
    child = Table.from_url(child.url)
    assert column(child, "f") == [1, 2, 3]
    assert child.column("f").type == pa.int32()
    assert column(child.set_values("f", [1], [7]), "f") == [1, 7, 3]
    shorter = table.delete_rows([0]).set_schema("f", schemas.Int8Schema())
    assert column(shorter, "f") == [2, 3]


def test_a_schema_may_change_what_samples_are(pictures):
    table = Table.from_dict({"image": pictures}, table_name="t")
    child = table.set_schema("image", schemas.ImageSchema(sample_type="url"))
    assert child[0]["image"] == table.table_rows[0]["image"]
    assert "image" not in child.set_schema("image", schemas.ImageSchema("hidden"))[0]


def test_text_becomes_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = Table.from_dict({"path": ["a.png", "/b.png", None]}, table_name="t")
    child = table.set_schema("path", schemas.UrlSchema())
    assert column(child, "path") == [f"{tmp_path}/a.png", "/b.png", None]


def test_a_url_becomes_text(pictures):
    table = Table.from_dict({"image": pictures}, table_name="t")
    child = table.set_schema("image", schemas.StringSchema())
    assert column(child, "image") == column(table, "image")


# Names and size


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train", ["train-r1", "train-r2", "train-r3"]),
        ("v-r2", ["v-r2-r1", "v-r2-r2", "v-r2-r3"]),
        ("a b", ["a b-r1", "a b-r2", "a b-r3"]),
    ],
)
def test_revisions_are_numbered(name, expected):
    table = Table.from_dict({"n": [1]}, table_name=name)
    names = []
    for _ in expected:
        table = table.set_values("n", [0], [2])
        names.append(table.name)
    assert names == expected


def test_a_taken_name_gets_a_number_and_its_children_go_on(table):
    children = [table.set_values("n", [0], [n]) for n in range(3)]
    assert [child.name for child in children] == ["first-r1", "first-r1_0000", "first-r1_0001"]
    assert children[1].revise().name == "first-r2"
    assert table.revise(name="my own").name == "my own"


@pytest.mark.parametrize("name", ["../x", "a/b", ".x", "x."])
def test_a_name_that_is_not_allowed_is_refused(table, name):
    with pytest.raises(NameNotAllowedError):
        table.revise(name=name)


def files_of(url):
    return [path for path in Url(url).to_local_path().rglob("*") if path.is_file()]


def test_an_edit_writes_what_was_edited():
    table = Table.from_dict({"n": range(50_000), "x": np.random.default_rng(0).normal(size=50_000)})
    child = table.set_values("n", [7], [0])
    size = sum(path.stat().st_size for path in files_of(child.url))
    assert size < 10_000
    assert table.file_size < child.file_size < table.file_size + 5_000


def test_a_long_chain_stays_small_and_right():
    expected = list(range(100))
    table = Table.from_dict({"n": expected, "m": expected}, table_name="t")
    for step in range(40):
        rows = [step, (7 * step) % 100, 99]
        values = [1000 + step, 2000 + step, math.floor(step / 2)]
        table = table.set_values("n", rows, values)
        for row, value in zip(rows, values, strict=True):
            expected[row] = value
        assert column(table) == expected
    table = Table.from_url(table.url)
    assert column(table) == expected
    assert column(table, "m") == list(range(100))
    assert len(table._manifest.stack.layers) <= 18
    assert len((table.url / "manifest.json").read_bytes()) < 10_000
    assert len(table.history()) == 41
