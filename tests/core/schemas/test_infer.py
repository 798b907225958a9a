import datetime
import enum
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tlc.errors import SchemaError
from tlc.schemas import (
    DatetimeStringSchema,
    ImageSchema,
    Schema,
    StringSchema,
    UrlSchema,
    infer_schema,
)
from tlc.schemas.values import DictValue
from tlc.url import Url


def arrow(values):
    return infer_schema(values).arrow_type


class Color(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, None], pa.bool_()),
        ([1, -(2**63)], pa.int64()),
        ([1, 2**63], pa.uint64()),
        ([2**63], pa.uint64()),
        (np.array([b"a"]), pa.binary()),
        ([Color.RED], pa.int64()),
        ([1, 2.5], pa.float64()),
        ([None, 2.5, 1, math.nan], pa.float64()),
        (["a", np.str_("b")], pa.string()),
        ([b"a"], pa.binary()),
        ([None], pa.string()),
        ([], pa.string()),
        ([[1, 2], [], None], pa.list_(pa.int64())),
        ([[], [[]], [[1.0], None]], pa.list_(pa.list_(pa.float64()))),
        ([(1, 2), [3.5]], pa.list_(pa.float64())),
        ([np.float32(1), np.float32(2)], pa.float32()),
        ([np.float32(1), 2], pa.float64()),
        ([np.float32(1), np.int16(2)], pa.float32()),
        ([np.uint8(1), np.int8(2)], pa.int16()),
        ([np.uint32(1), np.int64(2)], pa.int64()),
        ([np.uint64(1), np.int8(2)], pa.uint64()),
        ([np.uint8(1), np.uint16(2)], pa.uint16()),
        ([np.float16(1)], pa.float32()),
        ([np.float64(1)], pa.float64()),
        ([np.bool_(True), True], pa.bool_()),
        (
            [{"a": 1}, {"a": 2.0, "b": ["x"]}],
            pa.struct([("a", pa.float64()), ("b", pa.list_(pa.string()))]),
        ),
        ([{}, {"a": 1}], pa.struct([("a", pa.int64())])),
        ([[{"a": 1}], [{"b": 2}]], pa.list_(pa.struct([("a", pa.int64()), ("b", pa.int64())]))),
        (np.zeros(3, np.float32), pa.float32()),
        (np.zeros((3, 2), np.uint8), pa.list_(pa.uint8(), 2)),
        (torch.zeros(3), pa.float32()),
        (np.array(["a", "b"]), pa.string()),
        (np.array([1, "b"], object)[:1], pa.int64()),
        (pa.array([1], pa.int8()), pa.int8()),
        (pa.chunked_array([["a"]], pa.large_string()), pa.string()),
        (iter([1]), pa.int64()),
    ],
)
def test_types_of_columns(values, expected):
    assert arrow(values) == expected


def test_arrays_keep_type_and_shape():
    schema = Schema.from_sample(np.zeros((3, 4), np.uint8))
    assert (schema.shape, schema.sample_type, schema.value.type) == ((3, 4), "numpy_array", "uint8")
    schema = Schema.from_sample(torch.zeros(2, dtype=torch.bfloat16))
    assert (schema.shape, schema.sample_type, schema.value.type) == (
        (2,),
        "torch_tensor",
        "float32",
    )
    schema = infer_schema([torch.tensor(3), torch.tensor(4)])
    assert (schema.shape, schema.sample_type, schema.value.type) == ((), "", "int64")


def test_lengths_that_differ_are_variable():
    schema = infer_schema([np.zeros((2, 3)), np.zeros((5, 3)), None])
    assert (schema.shape, schema.sample_type) == ((-1, 3), "numpy_array")


def test_arrays_in_lists_become_lists():
    schema = Schema.from_sample([np.zeros(2), np.zeros(3)])
    assert (schema.shape, schema.sample_type) == ((-1, -1), "")


def test_a_column_given_as_an_array_holds_plain_numbers():
    assert infer_schema(torch.zeros(3)).sample_type == ""
    assert infer_schema(np.zeros((3, 2))).sample_type == "numpy_array"


def test_meanings():
    image, path = Image.new("L", (1, 1)), Path("/a.png")
    assert Schema.from_sample(path) == Schema.from_sample(Url("/a.png")) == UrlSchema()
    assert infer_schema(["/b.png", path]) == UrlSchema()
    assert Schema.from_sample(image) == infer_schema(["/b.png", None, image, path]) == ImageSchema()
    assert Schema.from_sample([image]) == ImageSchema(shape=-1)
    now = datetime.datetime(2024, 1, 2)
    assert infer_schema([now, now.date()]) == DatetimeStringSchema()
    assert infer_schema(np.array(["2024-01-02"], "M8[D]")) == DatetimeStringSchema()
    assert Schema.from_sample({}) == Schema(value=DictValue())
    assert Schema.from_sample("a") == Schema.from_sample(None) == StringSchema()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, None, "a"], r"Row 2:.*string.*int64"),
        (["a", 1], "Row 1"),
        ([True, 1], "Row 1"),
        ([1, [1]], "Row 1"),
        ([[1], [[1]]], r"Row 1:.*shape"),
        ([[], 1], "Row 1"),
        ([[1, "a"]], r"Row 0: Item 1"),
        ([np.zeros(2), [1.0, 2.0]], "Row 1"),
        ([np.zeros(2), torch.zeros(2)], "Row 1"),
        ([np.zeros(2), np.zeros((2, 2))], "Row 1"),
        ([{"a": 1}, {"a": "b"}], r"Row 1: 'a'"),
        ([{"a": [{"b": object()}]}], r"Row 0: 'a': Item 0: 'b'.*'object'.*Hint"),
        ([{1: 2}], "Row 0: The key 1"),
        ([2**64], r"Row 0:.*64 bits"),
        ([1 + 2j], "Row 0.*complex"),
        ([np.zeros(2, "m8[s]")], "Row 0.*timedelta64"),
        ([np.zeros(2, complex)], "Row 0.*complex"),
        ([{1, 2}], "Row 0.*'set'"),
    ],
)
def test_columns_without_a_common_type(values, message):
    with pytest.raises(SchemaError, match=message):
        infer_schema(values)
    with pytest.raises(SchemaError, match=f"Column 'x': {message}"):
        infer_schema(values, "x")


scalars = {
    "bool": st.booleans(),
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "text": st.text(max_size=5),
    "bytes": st.binary(max_size=5),
}


def values_of(kind):
    """Return the values of one kind: a name of `scalars`, [kind], or {name: kind}."""
    if isinstance(kind, str):
        return scalars[kind] | st.none()
    if isinstance(kind, list):
        return st.lists(values_of(kind[0]), max_size=3) | st.none()
    return st.fixed_dictionaries({name: values_of(part) for name, part in kind.items()})


kinds = st.recursive(
    st.sampled_from(sorted(scalars)),
    lambda inner: (
        inner.map(lambda kind: [kind])
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3)
    ),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(kinds.flatmap(lambda kind: st.lists(values_of(kind), max_size=5)))
def test_the_schema_of_nested_values_holds_them(values):
    schema = infer_schema(values)
    assert pa.array(values, schema.arrow_type).to_pylist() == values
    assert infer_schema(pa.array(values, schema.arrow_type)).arrow_type == schema.arrow_type
    assert schema.resolved_sample_type.is_identity


@given(st.lists(st.integers(-(2**40), 2**40) | st.floats(allow_nan=False), min_size=1))
def test_the_order_of_values_does_not_matter(values):
    assert infer_schema(values) == infer_schema(values[::-1])


def test_many_values_are_quick():
    values = [[float(i)] * 100 for i in range(20_000)]
    assert arrow(values) == pa.list_(pa.float64())
    assert arrow([None, *range(200_000)]) == pa.int64()
