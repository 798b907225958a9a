"""table.diff: what it says, prints and refuses, and what it need not read."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tlc.copying import copy_table
from tlc.data_types import BoundingBoxes2D, SegmentationMasks
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    OptionError,
)
from tlc.schemas import CategoricalLabelSchema, Float64Schema, Int32Schema, MapElement
from tlc.table import (
    DeleteRows,
    DropColumn,
    KeepRows,
    SetSchema,
    SetValueMap,
    SetValues,
    Table,
)


def cells(diff):
    """Return the changed cells of each column as (old row, new row, old, new)."""
    found = {name: change.to_arrow().to_pydict().values() for name, change in diff.cells.items()}
    return {name: list(zip(*columns, strict=True)) for name, columns in found.items()}


# What it says


def test_all_that_a_revision_can_do(table):
    new = table.revise(
        SetValues("label", [1], [0]),
        SetValueMap("label", ["kitten", "dog", "cow"]),
        DeleteRows([0]),
        DropColumn("weight"),
        SetSchema("n", Float64Schema()),
    ).add_column("seen", [True, False])
    diff = table.diff(new)
    assert diff
    assert (diff.old, diff.new) == (table, new)
    assert (diff.added.tolist(), diff.removed.tolist()) == ([], [0])
    assert len(diff.moved_from) == len(diff.moved_to) == 0
    assert (diff.added_columns, diff.dropped_columns) == (("seen",), ("weight",))
    assert list(diff.schemas) == ["n"]
    assert (diff.schemas["n"].old, diff.schemas["n"].new) == (
        table.rows_schema["n"],
        new.rows_schema["n"],
    )
    assert cells(diff) == {"label": [(1, 0, 1, 0)]}
    names = [(c.path, c.value, c.old_name, c.new_name) for c in diff.value_maps]
    assert names == [("label", 0, "cat", "kitten"), ("label", 2, None, "cow")]
    assert str(diff).splitlines() == [
        f"{table.url} -> {new.url}",
        "  rows: 2 in both, 1 removed",
        "  added columns: seen",
        "  dropped columns: weight",
        "  n: schema was int64, is float64",
        "  label: 0 was 'cat', is 'kitten'",
        "  label: 2 is new, 'cow'",
        "  label: 1 cell",
    ]
    assert repr(diff) == str(diff)
    assert diff.summary()["cells"] == {"label": 1}
    assert diff.summary()["rows"] == {"in_both": 2, "added": 0, "removed": 1, "moved": 0}


def test_the_other_way_round(table):
    new = table.revise(SetValues("n", [2], [9]), DeleteRows([0]), SetValueMap("label", ["cat"]))
    diff = new.diff(table)
    assert (diff.added.tolist(), diff.removed.tolist()) == ([0], [])
    assert cells(diff) == {"n": [(1, 2, 9, 3)]}
    assert [str(change) for change in diff.value_maps] == ["label: 1 is new, 'dog'"]
    back = table.diff(new).value_maps
    assert [str(change) for change in back] == ["label: 1 was 'dog', has no name"]


@pytest.mark.parametrize("form", ["table", "url", "text", "view"])
def test_nothing(table, form):
    other = table.set_values("n", [0], [1])
    given = {
        "table": other,
        "url": other.url,
        "text": str(other.url),
        "view": other.with_transform(len).with_transform(len),
    }[form]
    diff = table.diff(given)
    assert not diff
    assert str(diff) == f"{table.url} -> {other.url}\n  no differences in 3 rows"
    assert not table.diff(table)


def test_branches(table):
    left, right = table.set_values("n", [0, 1], [7, 8]), table.set_values("n", [1, 2], [8, 9])
    assert cells(left.diff(right)) == {"n": [(0, 0, 7, 1), (2, 2, 3, 9)]}


def test_splits_and_joins(table):
    odd, even = table.keep([0, 2], table_name="odd"), table.keep([1], table_name="even")
    assert odd.diff(even).removed.tolist() == [0, 1]
    assert odd.diff(even).added.tolist() == [0]
    edited = odd.set_values("n", [1], [30])
    joined = Table.join_tables([even, edited], "joined")
    diff = table.diff(joined)
    assert cells(diff) == {"n": [(2, 2, 3, 30)]}
    assert (diff.moved_from.tolist(), diff.moved_to.tolist()) in (([1], [0]), ([0], [1]))


def test_rows_of_one_key_are_matched_in_their_order(table):
    boxes = table.unroll("boxes")
    assert boxes.column("boxes").to_pylist() == [1.0, 2.0, 3.0]
    diff = boxes.diff(boxes.set_values("boxes", [2], [30.0]))
    assert cells(diff) == {"boxes": [(2, 2, 3.0, 30.0)]}
    twice = Table.join_tables([table, table], "twice")
    assert table.diff(twice).added.tolist() == [3, 4, 5]


def test_rows_that_were_moved_are_as_few_as_can_be(table):
    diff = table.diff(table.revise(KeepRows([2, 0, 1])))
    assert (diff.moved_from.tolist(), diff.moved_to.tolist()) == ([2], [0])
    assert not diff.cells
    assert "1 moved" in str(diff)


def test_other_looks_of_a_class_and_a_column(table):
    classes = {0: MapElement("cat", display_color="#ff0000"), 1: "dog"}
    shown = table.set_value_map("label", classes)
    (change,) = table.diff(shown).value_maps
    assert str(change) == "label: 0, 'cat', is shown in another way"
    schema = table.rows_schema["n"]
    schema.description, schema.writable = "a number", False
    (found,) = table.diff(table.set_schema("n", schema)).schemas.values()
    assert str(found) == "schema: other description, writable"


def test_value_maps_inside_annotations():
    boxes = [BoundingBoxes2D([[1, 1, 5, 5]], [0], image_width=9, image_height=9)] * 2
    schema = {"boxes": BoundingBoxes2D.schema(classes=["cat"])}
    table = Table.from_dict({"boxes": boxes}, schema, table_name="t")
    path = "boxes.instances_additional_data.label"
    diff = table.diff(table.set_value_map(path, ["kitten"]))
    assert [(c.path, c.old_name) for c in diff.value_maps] == [(path, "cat")]
    assert not diff.schemas
    assert not diff.cells


@pytest.mark.parametrize("kind", ["boxes", "masks"])
def test_annotations(kind):
    size = {"image_width": 6, "image_height": 6}

    def make(corner):
        if kind == "boxes":
            return BoundingBoxes2D([[1, 1, corner, 5]], [0], **size)
        mask = np.zeros((6, 6, 1), np.uint8)
        mask[1:corner] = 1
        return SegmentationMasks(masks=mask, labels=[0], **size)

    maker = BoundingBoxes2D if kind == "boxes" else SegmentationMasks
    schema = {"a": maker.schema(classes=["cat"])}
    table = Table.from_dict({"a": [make(3), make(4), make(5)]}, schema, table_name="t")
    new = table.set_values("a", range(3), [make(3), make(5), make(5)])
    assert [row[:2] for row in cells(table.diff(new))["a"]] == [(1, 1)]


def test_images_are_compared_by_their_urls(pictures, tmp_path):
    table = Table.from_dict({"image": pictures}, table_name="t")
    path = tmp_path / "new.png"
    Image.new("RGB", (1, 1)).save(path)
    new = table.set_values("image", [1], [path])
    old_url = table.table_rows[1]["image"]
    assert cells(table.diff(new)) == {"image": [(1, 1, old_url, str(path))]}


def test_a_copy_is_no_different(pictures, tmp_path):
    table = Table.from_dict({"image": pictures, "n": [1, 2, 3]}, table_name="t", project_name="p")
    copy = Table.from_url(copy_table(table.url, tmp_path / "there").table)
    assert copy.url != table.url
    assert copy.table_rows[0] != table.table_rows[0]
    assert not table.diff(copy)
    assert cells(table.diff(copy.set_values("image", [1], [pictures[0]]))).keys() == {"image"}


def test_columns(table):
    new = table.revise(SetValues("n", [0], [9]), SetValues("label", [0], [1]), DropColumn("boxes"))
    diff = table.diff(new, columns=["label", "weight"])
    assert list(diff.cells) == ["label"]
    assert diff.dropped_columns == ()
    assert table.diff(new, columns=["boxes"]).dropped_columns == ("boxes",)
    assert not table.diff(new, columns=["weight"])


def test_the_first_cells(table):
    change = table.diff(table.set_values("n", range(3), 0)).cells["n"]
    assert repr(change) == "CellChanges: 3 cells of 'n'"
    first = change.first(2)
    assert (len(change), len(first)) == (3, 2)
    assert (first.old.to_pylist(), first.new.to_pylist()) == ([1, 2], [0, 0])
    assert first.old_rows.dtype == first.new_rows.dtype == np.int64


# by


@pytest.fixture
def stranger():
    """A table that has nothing to do with the other one, but for its columns."""
    return Table.from_dict(
        {"n": [3, 1, 4, 1], "label": [0, 1, 1, 0]},
        {"label": CategoricalLabelSchema(["cat", "dog"]), "n": Int32Schema()},
        table_name="stranger",
    )


def test_without_a_common_origin_it_is_said_what_helps(table, stranger):
    with pytest.raises(OptionError, match=r'no origin in common.*by="position"') as caught:
        table.diff(stranger)
    assert str(table.url) in str(caught.value)
    assert str(stranger.url) in str(caught.value)


def test_tables_without_rows_have_no_origin(table, stranger):
    empty = stranger.delete_rows(range(4))
    assert table.diff(empty).removed.tolist() == [0, 1, 2]
    assert empty.diff(table).added.tolist() == [0, 1, 2]
    assert table.delete_rows([0, 1, 2]).diff(empty).rows.old.tolist() == []


def test_by_position(table, stranger):
    diff = table.diff(stranger, by="position")
    assert diff.added.tolist() == [3]
    assert cells(diff) == {
        "n": [(0, 0, 1, 3), (1, 1, 2, 1), (2, 2, 3, 4)],
        "label": [(2, 2, 0, 1)],
    }
    assert stranger.diff(table, by="position").removed.tolist() == [3]


@pytest.mark.parametrize("by", ["n", ["n"]])
def test_by_a_column(table, stranger, by):
    table = table.set_schema("n", Int32Schema())
    diff = table.diff(stranger, by)
    assert (diff.rows.old.tolist(), diff.rows.new.tolist()) == ([0, 2], [1, 0])
    assert (diff.removed.tolist(), diff.added.tolist()) == ([1], [2, 3])
    assert cells(diff) == {"label": [(0, 1, 0, 1)]}


def test_by_several_columns(table, stranger):
    table = table.set_schema("n", Int32Schema())
    diff = table.diff(stranger, by=["n", "label"])
    assert (diff.rows.old.tolist(), diff.rows.new.tolist()) == ([0, 2], [3, 0])


@pytest.mark.parametrize(
    ("by", "error", "message"),
    [
        ("n", ColumnError, r"'n'.*holds int64 in .*first.*int32 in .*stranger"),
        ("boxes", ColumnNotFoundError, "no column 'boxes'"),
        ([], OptionError, "names no column"),
    ],
)
def test_by_what_cannot_be(table, stranger, by, error, message):
    with pytest.raises(error, match=message):
        table.diff(stranger, by)


def test_by_lists(table):
    with pytest.raises(ColumnError, match="Rows cannot be told by 'boxes'"):
        table.diff(table.set_values("n", [0], [9]), by="boxes")


def test_an_unknown_column(table):
    with pytest.raises(ColumnNotFoundError, match=r"(?s)Neither .* has a column 'x'.*'boxes'"):
        table.diff(table, columns=["n", "x"])
