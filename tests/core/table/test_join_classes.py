from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.data_types import BoundingBoxes2D, Keypoints2D
from tlc.errors import ColumnError, OptionError, SchemaError
from tlc.format.manifest import Data
from tlc.schemas import Schema
from tlc.table import Table

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def labelled(labels, classes, value=None, **more):
    schema = schemas.CategoricalLabelSchema(classes=classes)
    if value is not None:
        schema.value = value(value_map=classes, number_role="label")
    return Table.from_dict({"label": labels, **more}, {"label": schema}, if_exists="rename")


def names(table):
    """Return the name of each row's class, its number where it has none."""
    classes = table.get_simple_value_map("label") or {}
    return [classes.get(label, label) for label in table.column("label").to_pylist()]


CLASSES = st.dictionaries(st.integers(0, 5), st.sampled_from("abcdef"), max_size=5)


@FEW
@given(
    st.lists(st.tuples(CLASSES, st.lists(st.integers(0, 4), max_size=4)), min_size=1, max_size=4)
)
def test_every_row_keeps_the_name_of_its_class(parts):
    assume(all(len(set(classes.values())) == len(classes) for classes, _ in parts))
    tables = [
        labelled([list(classes)[pick % len(classes)] for pick in picks if classes], classes)
        for classes, picks in parts
    ]
    joined = Table.join_tables(tables)
    assert names(joined) == [name for table in tables for name in names(table)]
    classes = joined.get_simple_value_map("label") or {}
    assert len(set(classes.values())) == len(classes)
    first = tables[0].get_simple_value_map("label") or {}
    assert {number: classes[number] for number in first} == first


def test_numbers_change_where_one_stands_for_two_classes():
    cats = labelled([0, 1], {0: "cat", 1: "dog"})
    frogs = labelled([0, 1, None, 7], {0: "frog", 1: "cat", 7: "eel"})
    joined = Table.join_tables([cats, frogs])
    assert joined.get_simple_value_map("label") == {0: "cat", 1: "dog", 8: "frog", 7: "eel"}
    assert joined.column("label").to_pylist() == [0, 1, 8, 0, None, 7]
    assert frogs.column("label").to_pylist() == [0, 1, None, 7]
    assert joined._manifest.operation["edits"] == [
        {
            "type": "join",
            "tables": 2,
            "renumbered": [{"table": 1, "column": "label", "numbers": {"0": 8, "1": 0}}],
        }
    ]


def test_only_a_column_whose_numbers_change_is_written():
    cats = labelled([0], {0: "cat"}, n=[1])
    dogs = labelled([0], {0: "dog"}, n=[2])
    first, second = Table.join_tables([cats, dogs])._manifest.stack.layers[0].inputs
    assert len(first.layers) == 1
    assert [layer.columns for layer in second.layers if isinstance(layer, Data)] == [
        ("label", "n"),
        ("label",),
    ]


def test_a_joined_table_with_new_numbers_is_squashed_edited_and_joined_again():
    cats, dogs = labelled([0], {0: "cat"}), labelled([0, 0], {0: "dog"})
    joined = Table.join_tables([cats, dogs.delete_rows([0])]).set_values("label", [0], [1])
    squashed = joined.squash()
    assert names(squashed) == ["dog", "dog"]
    assert names(Table.join_tables([dogs, squashed])) == ["dog"] * 4


def boxes(classes, *labels):
    schema = BoundingBoxes2D.schema(classes=classes)
    made = []
    for row in labels:
        cell = BoundingBoxes2D.create_empty(image_width=10, image_height=10)
        for label in row:
            cell.add_instance(bounding_box=[1, 2, 3, 4], label=label)
        made.append(cell.to_row())
    return Table.from_dict({"bbs": made}, {"bbs": schema}, if_exists="rename")


def test_classes_of_annotations_are_merged_by_name():
    path = "bbs.instances_additional_data.label"
    joined = Table.join_tables(
        [boxes(["cat", "dog"], [0, 1], []), boxes(["dog", "cat", "cow"], [0, 1, 2], [2])]
    )
    assert joined.get_simple_value_map(path) == {0: "cat", 1: "dog", 2: "cow"}
    found = [row["bbs"]["instances_additional_data"]["label"] for row in joined.table_rows]
    assert found == [[0, 1], None, [1, 0, 2], [2]]
    assert joined[2]["bbs"].labels.tolist() == [1, 0, 2]
    assert joined.rows_schema.values["bbs"].sample_type == "bounding_boxes_2d"


def test_skeletons_that_differ_are_refused():
    def people(flip):
        schema = Keypoints2D.schema(num_keypoints=2, flip_indices=flip)
        return Table.from_dict({"pose": []}, {"pose": schema}, if_exists="rename")

    with pytest.raises(SchemaError, match=r"'pose' has other metadata .* 'flip_indices'"):
        Table.join_tables([people([0, 1]), people([1, 0])])
    assert len(Table.join_tables([people([1, 0]), people([1, 0])])) == 0


def test_a_number_without_a_name_gets_none_in_passing():
    cats = labelled([0, 5], {0: "cat"})
    assert names(Table.join_tables([cats, labelled([1], {1: "dog"})])) == ["cat", 5, "dog"]
    with pytest.raises(SchemaError, match=r"the number 5, which has no name there, but is 'dog'"):
        Table.join_tables([cats, labelled([5], {5: "dog"})])
    # A new number is none that cells have.
    joined = Table.join_tables([cats, labelled([0], {0: "dog"})])
    assert joined.get_simple_value_map("label") == {0: "cat", 6: "dog"}


def test_a_table_without_names_takes_those_on_which_the_others_agree():
    plain, cats, dogs = labelled([0], None), labelled([0], ["cat"]), labelled([0], ["dog"])
    assert names(Table.join_tables([plain, cats])) == ["cat", "cat"]
    with pytest.raises(SchemaError, match="is 'cat' or 'dog' in another table"):
        Table.join_tables([cats, plain, dogs])


def test_one_name_for_several_numbers_cannot_be_merged():
    two = labelled([0, 1], {0: "cat", 1: "cat"})
    assert names(Table.join_tables([two, two])) == ["cat"] * 4
    assert names(Table.join_tables([two, labelled([1], {1: "cat"})])) == ["cat"] * 3
    for tables in ([two, labelled([2], {2: "cat"})], [labelled([2], {2: "cat"}), two]):
        with pytest.raises(SchemaError, match=r"'cat' is the name of several numbers, \[0, 1?"):
            Table.join_tables(tables)


def test_a_column_without_room_for_the_classes_is_refused():
    small = schemas.values.Int8Value
    with pytest.raises(SchemaError, match="int8 has no room for 2 classes"):
        Table.join_tables(
            [labelled([127], {127: "cat"}, small), labelled([127], {127: "dog"}, small)]
        )


def test_pixels_of_label_images_are_not_changed():
    def masks(classes):
        schema = schemas.SemanticSegmentationSchema(classes=classes)
        return Table.from_dict({"mask": ["/a.png"]}, {"mask": schema}, if_exists="rename")

    joined = Table.join_tables([masks(["sky"]), masks(["sky", "sea"])])
    assert joined.get_simple_value_map("mask") == {0: "sky", 1: "sea"}
    with pytest.raises(SchemaError, match="pixels"):
        Table.join_tables([masks(["sky"]), masks(["sea"])])


# Columns that differ


def test_columns_that_a_table_lacks_are_filled_if_that_is_asked_for():
    first = Table.from_dict({"n": [1], "x": [[0.5]]}, table_name="first")
    second = Table.from_dict({"m": ["a"], "n": [2], "b": [{"k": 1}]}, table_name="second")
    with pytest.raises(ColumnError, match="'b', 'm', 'x' in one of them only"):
        Table.join_tables([first, second])
    joined = Table.join_tables([first, second], missing="null")
    assert joined.columns == ["n", "x", "m", "b"]
    assert list(joined.table_rows) == [
        {"n": 1, "x": [0.5], "m": None, "b": None},
        {"n": 2, "x": None, "m": "a", "b": {"k": 1}},
    ]
    assert list(joined.squash().table_rows) == list(joined.table_rows)
    with pytest.raises(OptionError, match="missing='zero'"):
        Table.join_tables([first, second], missing="zero")


def test_classes_of_a_column_that_a_table_lacks_are_merged_between_the_others():
    plain = Table.from_dict({"n": [1]}, table_name="plain")
    joined = Table.join_tables(
        [plain, labelled([0], ["cat"], n=[2]), labelled([0], ["dog"], n=[3])], missing="null"
    )
    assert names(joined) == [None, "cat", "dog"]


def test_parts_and_units_that_differ_are_refused_and_named():
    def box(unit="", **parts):
        values = {name: Schema(value=schemas.values.Int64Value(unit=unit)) for name in parts}
        return Table.from_dict({"b": [parts]}, {"b": Schema(values=values)}, if_exists="rename")

    with pytest.raises(SchemaError, match=r"'b' does not have the same parts .* 'y' in one"):
        Table.join_tables([box(x=1), box(x=1, y=2)])
    with pytest.raises(SchemaError, match=r"'b\.x' holds 'm' in the first table and 'cm'"):
        Table.join_tables([box("m", x=1), box("cm", x=1)])
    assert len(Table.join_tables([box("m", x=1), box(x=1)])) == 2


def test_urls_are_not_joined_with_texts():
    texts = Table.from_dict({"a": ["x"]}, table_name="texts")
    urls = Table.from_dict({"a": ["/x"]}, {"a": schemas.UrlSchema()}, table_name="urls")
    with pytest.raises(SchemaError, match="'a' holds plain texts in the first table and urls"):
        Table.join_tables([texts, urls])
