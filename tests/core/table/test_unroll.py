from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.data_types import BoundingBoxes2D
from tlc.errors import ColumnError, ColumnNotFoundError
from tlc.format.manifest import Data
from tlc.schemas import Schema
from tlc.table import Table
from tlc.table.keys import row_numbers

FEW = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def photos():
    """Three images with two, no and one box."""
    schema = BoundingBoxes2D.schema(
        classes=["cat", "dog"], per_instance_schemas={"id": schemas.Int64Schema()}
    )
    cells = []
    for labels in ([0, 1], [], [1]):
        cell = BoundingBoxes2D.create_empty(image_width=100, image_height=50)
        for label in labels:
            box = [1 + label, 2, 3, 4]
            extras = {"id": 7 * label}
            cell.add_instance(bounding_box=box, label=label, per_instance_extras=extras)
        cells.append(cell.to_row())
    return Table.from_dict(
        {"n": [0, 1, 2], "bbs": cells, "tags": [["a"], ["b", "c"], []]},
        {"bbs": schema},
        table_name="photos",
    )


def test_each_box_becomes_a_row_with_all_that_belongs_to_it(photos):
    done = photos.unroll("bbs")
    assert [row["n"] for row in done.table_rows] == [0, 0, 2]
    assert [row["instance"] for row in done.table_rows] == [0, 1, 0]
    assert [row["tags"] for row in done.table_rows] == [["a"], ["a"], []]
    second = done.table_rows[1]["bbs"]
    assert (second["x_max"], second["instances"]) == (100, [2, 2, 3, 4])
    assert second["instances_additional_data"]["label"] == 1
    assert second["instances_additional_data"]["id"] == 7
    path = "bbs.instances_additional_data.label"
    assert done.get_simple_value_map(path) == {0: "cat", 1: "dog"}
    assert done[1]["bbs"]["instances_additional_data"]["label"] == 1
    assert done.input_tables == [photos.url]
    assert photos.latest() == photos


def test_other_columns_are_not_copied_and_rows_keep_their_keys(photos):
    done = photos.unroll("bbs")
    data = [layer.columns for layer in done._manifest.stack.layers if isinstance(layer, Data)]
    assert data == [("n", "bbs", "tags"), ("bbs",), ("instance",)]
    assert row_numbers(done, photos).tolist() == [0, 0, 2]


def test_an_unrolled_table_is_edited_filtered_and_squashed_like_any_other(photos):
    done = photos.set_values("n", [0], [10]).unroll("bbs")
    edited = done.set_values("n", [1, 2], [11, 12]).delete_rows([0])
    assert [row["n"] for row in edited.table_rows] == [11, 12]
    dogs = done.filter("bbs.instances_additional_data.label == 'dog'")
    assert [row["n"] for row in dogs.table_rows] == [10, 2]
    assert list(edited.squash().table_rows) == list(edited.table_rows)
    again = dogs.unroll("tags", number="tag")
    assert [(row["n"], row["tags"], row["tag"]) for row in again.table_rows] == [(10, "a", 0)]


def test_edits_of_few_rows_are_seen_in_all_rows_that_are_made_of_them(photos):
    fewer = photos.delete_rows([1]).set_values("n", [0], [10])
    assert [row["n"] for row in fewer.unroll("bbs").table_rows] == [10, 10, 2]
    again = fewer.unroll("bbs").set_values("n", [1], [11]).unroll("tags", number="tag")
    assert [row["n"] for row in again.table_rows] == [10, 11]


def test_rows_without_elements_stay_if_that_is_asked_for(photos):
    done = photos.unroll("bbs", keep_empty=True)
    assert [row["n"] for row in done.table_rows] == [0, 0, 1, 2]
    assert done.table_rows[2]["instance"] is None
    assert done.table_rows[2]["bbs"]["x_max"] == 100
    assert done.table_rows[2]["bbs"]["instances"] is None


def test_rolling_up_is_the_inverse(photos):
    done = photos.unroll("bbs", keep_empty=True).roll_up()
    assert done.rows_schema == photos.rows_schema
    assert row_numbers(done, photos).tolist() == [0, 1, 2]
    assert [cell["bbs"].labels.tolist() for cell in done] == [[0, 1], [], [1]]
    assert done[0]["bbs"].bounding_boxes.tolist() == photos[0]["bbs"].bounding_boxes.tolist()
    fewer = photos.unroll("bbs").filter("bbs.instances_additional_data.label == 1").roll_up()
    assert [row["bbs"]["instances_additional_data"]["id"] for row in fewer.table_rows] == [[7], [7]]


CELLS = st.lists(st.one_of(st.none(), st.integers(-5, 5)), max_size=4)


@FEW
@given(st.lists(CELLS, max_size=8), st.booleans())
def test_lists_are_unrolled_as_python_would(cells, keep_empty):
    schema = {"x": Schema(value=schemas.values.Int64Value(), size0=schemas.Schema().size0)}
    schema["x"].shape = (-1,)
    table = Table.from_dict({"n": range(len(cells)), "x": cells}, schema, if_exists="rename")
    done = table.unroll("x", keep_empty=keep_empty, if_exists="rename")
    expected = [
        {"n": n, "x": x, "instance": place}
        for n, cell in enumerate(cells)
        for place, x in (list(enumerate(cell)) or ([(None, None)] if keep_empty else []))
    ]
    assert list(done.table_rows) == expected
    back = done.roll_up(if_exists="rename") if len(done) or keep_empty else done
    kept = [(n, cell) for n, cell in enumerate(cells) if cell or keep_empty]
    if back is not done:
        assert [(row["n"], row["x"]) for row in back.table_rows] == kept
        assert back.rows_schema == table.rows_schema


def test_one_list_of_annotations_can_be_unrolled_alone():
    table = Table.from_dict({"b": [{"x": [1, 2], "y": [3]}, {"x": [], "y": [4]}]})
    assert [row["b"] for row in table.unroll("b.x").table_rows] == [
        {"x": 1, "y": [3]},
        {"x": 2, "y": [3]},
    ]
    with pytest.raises(ColumnError, match=r"Row 0 .* 'y' in 'b' has not as many .*, 2"):
        table.unroll("b")


def test_a_list_that_is_missing_is_as_long_as_the_others():
    schema = Schema(values={"x": schemas.Int64Schema(shape=-1), "y": schemas.Int64Schema(shape=-1)})
    cells = [{"x": [1, 2], "y": None}, {"x": [3], "y": [4]}, None]
    table = Table.from_dict({"b": cells}, {"b": schema})
    assert [row["b"] for row in table.unroll("b").table_rows] == [
        {"x": 1, "y": None},
        {"x": 2, "y": None},
        {"x": 3, "y": 4},
    ]


def test_nested_lists_and_arrays_are_unrolled_one_dimension_at_a_time():
    table = Table.from_dict({"x": [[[1, 2], [3]], [[4]]], "e": np.arange(4.0).reshape(2, 2)})
    once = table.unroll("x")
    twice = once.unroll("x", number="inner")
    assert twice.column("x").to_pylist() == [1, 2, 3, 4]
    assert list(twice.roll_up().table_rows) == list(once.table_rows)
    assert list(twice.roll_up().roll_up().table_rows) == list(table.table_rows)
    assert twice.roll_up().roll_up().rows_schema == table.rows_schema
    arrays = table.unroll("e")
    assert arrays.column("e").to_pylist() == [0, 1, 2, 3]
    assert arrays.roll_up().rows_schema == table.rows_schema
    fewer = arrays.keep([0, 2, 3]).roll_up()
    assert fewer.column("e").to_pylist() == [[0], [2, 3]]


def test_what_is_no_list_cannot_be_unrolled(photos):
    with pytest.raises(ColumnError, match="no list in 'n'"):
        photos.unroll("n")
    with pytest.raises(ColumnNotFoundError):
        photos.unroll("m")
    with pytest.raises(ColumnError, match="column 'n' already"):
        photos.unroll("tags", number="n")
    structs = Table.from_dict({"b": [[{"x": [1]}]]})
    with pytest.raises(ColumnError, match="'b' is a list itself, with 'x' in it"):
        structs.unroll("b.x")
    assert structs.unroll("b").unroll("b.x", number="x").column("b").to_pylist() == [{"x": 1}]


# Rolling up by columns


def test_rows_of_equal_values_become_lists():
    table = Table.from_dict(
        {
            "image": ["b", "a", "b", None, None],
            "box": [[1.0], [2.0], [3.0], [], [4.0]],
            "k": range(5),
        }
    )
    done = table.roll_up("image", ["box", "k"])
    assert list(done.table_rows) == [
        {"image": "b", "box": [[1.0], [3.0]], "k": [0, 2]},
        {"image": "a", "box": [[2.0]], "k": [1]},
        {"image": None, "box": [[], [4.0]], "k": [3, 4]},
    ]
    assert set(done.row_keys()[0].to_pylist()) == {done.id}
    assert list(done.squash().table_rows) == list(done.table_rows)
    assert table.roll_up("image", "k").table_rows[0]["box"] == [1.0]


def test_rows_that_are_there_twice_are_not_mixed(photos):
    done = photos.unroll("bbs")
    twice = Table.join_tables([done, done])
    with pytest.raises(ColumnError, match="some elements of one row twice"):
        twice.roll_up()
    with pytest.raises(ColumnError, match="Nothing was named"):
        photos.roll_up("n")
