import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import SchemaError
from tlc.schemas import CategoricalLabelSchema, MapElement, Schema, make_value_map
from tlc.schemas.value_maps import value_map_from_json, value_map_to_json

CAT, DOG = MapElement("cat"), MapElement("dog")


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("cat", {0: CAT}),
        (["cat", "dog"], {0: CAT, 1: DOG}),
        (("cat", DOG), {0: CAT, 1: DOG}),
        ([{"internal_name": "cat"}], {0: CAT}),
        ({3: "cat", -1: "dog"}, {3: CAT, -1: DOG}),
        ({0.0: "cat", 1.5: "dog"}, {0: CAT, 1.5: DOG}),
        ({np.int64(2): CAT, np.float32(3): DOG}, {2: CAT, 3: DOG}),
        ({0: {"display_name": "Cat"}}, {0: MapElement(display_name="Cat")}),
        (dict(enumerate(["cat", "cat"])).values(), {0: CAT, 1: CAT}),
        ([], {}),
    ],
)
def test_the_ways_to_write_classes(classes, expected):
    value_map = make_value_map(classes)
    assert list(value_map.items()) == list(expected.items())
    assert [type(key) for key in value_map] == [type(key) for key in expected]
    assert make_value_map(value_map) == value_map


@pytest.mark.parametrize(
    "classes",
    [[1], [None], {"a": "cat"}, {float("nan"): "cat"}, {0: 1}, [{"name": "cat"}], 3, {None: "a"}],
)
def test_what_are_no_classes(classes):
    with pytest.raises(SchemaError):
        make_value_map(classes)


def test_an_element_is_made_of_strings():
    with pytest.raises(SchemaError, match=r"internal_name.*5.*'int'.*Hint"):
        MapElement(5)
    with pytest.raises(SchemaError, match="display_color"):
        MapElement("a", display_color=(1, 2, 3))


def test_fields_of_an_element():
    element = MapElement("cat", "Cat", "An animal", "#ff0000ff", "https://cats")
    assert element["internal_name"] == element.internal_name == element.name == "cat"
    assert element["display_color"] == "#ff0000ff"
    assert MapElement(display_name="Cat").name == "Cat"
    assert CAT == MapElement("cat") != DOG
    with pytest.raises(KeyError):
        element["name"]


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
elements = st.builds(MapElement, *[st.text(max_size=5)] * 5)


@given(st.dictionaries(numbers, elements))
def test_value_maps_survive_json(classes):
    value_map = make_value_map(classes)
    read = value_map_from_json(value_map_to_json(value_map))
    assert list(read.items()) == list(value_map.items())
    assert list(map(type, read)) == list(map(type, value_map))


def test_unknown_fields_of_elements_are_ignored():
    assert value_map_from_json({"0": {"internal_name": "cat", "new": 1}}) == {0: CAT}
    for damaged in ({"x": {}}, {"0": "cat"}):
        with pytest.raises(SchemaError):
            value_map_from_json(damaged)


def test_maps_of_a_schema():
    label = CategoricalLabelSchema({0: "cat", -1: MapElement("dog", display_color="#00ff00")})
    schema = Schema(values={"a": Schema(values={"b": label}), "c": Schema()})
    assert schema.get_simple_value_map("a.b") == {0: "cat", -1: "dog"}
    assert schema.get_value_map("a.b") is label.value.map
    assert schema.get_value_map("a") is None
    assert schema.get_simple_value_map("c") is None


def test_elements_can_be_added():
    schema = CategoricalLabelSchema(["cat"])
    schema.value.map[1] = DOG
    assert schema.get_simple_value_map() == {0: "cat", 1: "dog"}
    known = schema.value.map = {}
    known[5] = CAT
    assert schema.get_value_map() == {5: CAT}
    schema.value.map = ["dog"]
    assert schema.get_value_map() == {0: DOG}
    schema.value.map = None
    assert schema.get_value_map() is None


def test_schemas_do_not_share_the_callers_classes():
    classes = {0: CAT}
    schema = CategoricalLabelSchema(classes)
    schema.value.map[1] = DOG
    assert classes == {0: CAT}
