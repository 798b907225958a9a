import math

import numpy as np
import pytest

from tlc.errors import SchemaError
from tlc.schemas import MapElement, values
from tlc.schemas.values import (
    VALUE_TYPES,
    BoolValue,
    BytesStringValue,
    DimensionNumericValue,
    Float32Value,
    ImageUrlStringValue,
    Int32Value,
    StringValue,
    value_from_dict,
)


@pytest.mark.parametrize("name", [name for name in values.__all__ if name.endswith("Value")])
def test_values_survive_json(name):
    cls = getattr(values, name)
    if not hasattr(cls, "type"):
        return
    assert cls() == value_from_dict(cls().to_dict())
    assert cls().type in VALUE_TYPES


def test_all_that_is_said_survives():
    value = Float32Value(-1.0, math.inf, True, False, "angle", "radians", value_map={0.5: "half"})
    value.default_value = math.nan
    read = value_from_dict(value.to_dict())
    assert read == value
    assert math.isnan(read.default_value)
    assert (read.value_min, read.value_max, read.enforce_min) == (-1.0, math.inf, True)
    assert read.map == {0.5: MapElement("half")}


@pytest.mark.parametrize("default", [0, 0.0, False, "", -1, [], [0.0, math.inf], {"a": None}])
def test_default_values_survive(default):
    read = value_from_dict(Int32Value(default_value=default).to_dict())
    assert read.default_value == default
    assert type(read.default_value) is type(default)


def test_defaults_of_numpy_become_numbers():
    value = Float32Value(value_max=np.float32(0.5), default_value=np.arange(3))
    data = value.to_dict()
    assert (data["value_max"], data["default_value"]) == (0.5, [0, 1, 2])
    assert BytesStringValue(default_value=b"\xff") == value_from_dict(
        BytesStringValue(default_value=b"\xff").to_dict()
    )


def test_equality_is_by_content():
    assert Int32Value() != Float32Value()
    assert Int32Value(0) != Int32Value()
    assert Int32Value(value_map=["a"]) == Int32Value(value_map={0: "a"})
    assert ImageUrlStringValue() == StringValue("URL/Image") != StringValue()
    assert Int32Value() != "int32"
    with pytest.raises(TypeError, match="unhashable"):
        hash(BoolValue())


def test_dimensions():
    assert DimensionNumericValue().size == DimensionNumericValue(0, 1000).size == -1
    assert DimensionNumericValue(3, 3).size == -1
    assert DimensionNumericValue.fixed_size(3).size == 3
    assert DimensionNumericValue.fixed_size(0).size == 0
    fixed = DimensionNumericValue(value_min=4, value_max=4, enforce_min=True, enforce_max=True)
    assert fixed == DimensionNumericValue.fixed_size(4)
    assert DimensionNumericValue(None) == DimensionNumericValue(0)


@pytest.mark.parametrize(
    "data",
    [
        *({}, "int32", {"type": 32}, {"type": "int32", "value_map": 3}),
        *({"type": "int32", "value_min": "low"}, {"type": "string", "string_role": {}}),
        *({"type": "int32", "enforce_min": 1}, {"type": "dimension", "value_max": -1}),
    ],
)
def test_damaged_values_are_schema_errors(data):
    with pytest.raises(SchemaError):
        value_from_dict(data)


def test_a_type_that_is_not_known_stays_as_it_is():
    data = {"type": "int128", "unit": "stars", "value_map": {"1": {"internal_name": "sun"}}}
    read = value_from_dict(data)
    assert read.to_dict() == data
    assert (read.type, read.arrow) == ("unknown", "string")


def test_unknown_keys_are_ignored():
    assert value_from_dict({"type": "int32", "colour": "blue"}) == Int32Value()


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(SchemaError, match="object"):
        Int32Value(default_value=object()).to_dict()
