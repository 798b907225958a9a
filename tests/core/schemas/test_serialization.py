import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.errors import SchemaError
from tlc.schemas import Int32Schema, MapElement, Schema
from tlc.schemas.values import VALUE_TYPES, DimensionNumericValue, NumericValue, StringValue

texts = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
numbers = st.integers(-(2**70), 2**70) | st.floats()
elements = st.builds(MapElement, *[texts] * 5)
keys = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
sizes = st.builds(DimensionNumericValue, st.integers(0, 9), st.none() | st.integers(0, 99)) | (
    st.integers(0, 9).map(DimensionNumericValue.fixed_size)
)


@st.composite
def scalar_values(draw):
    kind = draw(st.sampled_from([t for t in VALUE_TYPES.values() if t.type != "dimension"]))
    arguments = {"default_value": draw(json_values)}
    if draw(st.booleans()):
        arguments["value_map"] = draw(st.dictionaries(keys, elements, max_size=4))
    if issubclass(kind, NumericValue):
        arguments |= {name: draw(st.none() | numbers) for name in ("value_min", "value_max")}
        arguments |= {name: draw(st.booleans()) for name in ("enforce_min", "enforce_max")}
        arguments |= {name: draw(texts) for name in ("number_role", "unit")}
    elif issubclass(kind, StringValue):
        arguments["string_role"] = draw(texts)
    return kind(**arguments)


@st.composite
def schemas(draw, parts=None):
    arguments = {name: draw(texts) for name in ("display_name", "description", "sample_type")}
    arguments |= {
        name: draw(st.booleans()) for name in ("writable", "computable", "default_visible")
    }
    arguments |= {f"size{i}": draw(sizes) for i in range(draw(st.integers(0, 6)))}
    arguments["display_importance"] = draw(st.floats(allow_nan=False))
    arguments["metadata"] = draw(st.dictionaries(texts, json_values, max_size=3))
    arguments["bulk_data_location"] = draw(texts)
    if parts is None:
        return Schema(value=draw(scalar_values()), **arguments)
    return Schema(values=draw(st.dictionaries(texts, parts, max_size=3)), **arguments)


trees = st.recursive(schemas(), lambda inner: schemas(parts=inner), max_leaves=5)


@given(trees)
def test_schemas_survive_json(schema):
    read = Schema.from_dict(json.loads(json.dumps(schema.to_dict(), allow_nan=False)))
    assert read == schema
    assert read.to_dict() == schema.to_dict()
    assert list(read.values) == list(schema.values)
    assert read.shape == schema.shape


def test_what_is_as_usual_is_left_out():
    assert Int32Schema().to_dict() == {"value": {"type": "int32"}}
    assert Schema().to_dict() == {"values": {}}


def test_metadata_survive():
    schema = Schema(metadata={"camera": {"focal": math.inf, "raw": b"\x00", 3: (1, 2)}})
    read = Schema.from_dict(schema.to_dict())
    assert read.metadata == {"camera": {"focal": math.inf, "raw": b"\x00", "3": [1, 2]}}


def test_what_newer_versions_add_is_ignored():
    data = {"values": {"a": {"value": {"type": "int8", "new": 1}, "newer": {}}}, "newest": 2}
    assert Schema.from_dict(data)["a"].value.type == "int8"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"values": {"a": {"value": {"type": 128}}}}, r"'a'.*128.*Hint"),
        ({"values": {"a": {"values": {"b": 3}}}}, r"'a\.b'.*3"),
        ({"values": []}, "not an object"),
        ([], "not an object"),
        ({"size0": 3, "value": {"type": "int8"}}, "size0"),
        ({"writable": "yes"}, "'writable' cannot be 'yes'"),
        ({"metadata": [1]}, "'metadata'"),
        ({"display_importance": "high"}, "'display_importance'"),
        ({"sample_type": 3}, "'sample_type'"),
        ({"value": {"type": "int8"}, "values": {}}, "not both"),
        ({"value": {"type": "int8", "value_map": {"a": {}}}}, "'a'"),
    ],
)
def test_damaged_schemas_are_named(data, message):
    with pytest.raises(SchemaError, match=message):
        Schema.from_dict(data)
