import datetime
import decimal

import pyarrow as pa
import pytest

from tlc.errors import SchemaError
from tlc.schemas import (
    BoolSchema,
    Float32Schema,
    ImageSchema,
    Int32Schema,
    Schema,
    StringSchema,
    Uint8Schema,
    arrow_type,
    schema_from_arrow_type,
)
from tlc.schemas.values import BytesStringValue, DictValue


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (BoolSchema(), pa.bool_()),
        (Uint8Schema(), pa.uint8()),
        (ImageSchema(), pa.string()),
        (Schema(value=BytesStringValue()), pa.binary()),
        (Schema(value=DictValue()), pa.string()),
        (Float32Schema(shape=3), pa.list_(pa.float32(), 3)),
        (Float32Schema(shape=(-1, 3)), pa.list_(pa.list_(pa.float32(), 3))),
        (Float32Schema(shape=(2, -1)), pa.list_(pa.list_(pa.float32()), 2)),
        (
            Schema(values={"a": Int32Schema(), "b": StringSchema(shape=-1)}),
            pa.struct([("a", pa.int32()), ("b", pa.list_(pa.string()))]),
        ),
    ],
)
def test_types_of_cells(schema, expected):
    assert schema.arrow_type == arrow_type(schema) == expected
    assert schema_from_arrow_type(expected).arrow_type == expected


def test_lists_of_dictionaries():
    schema = Schema(values={"a": Int32Schema()})
    schema.shape = (-1, 2)
    kind = schema.arrow_type
    assert kind == pa.list_(pa.list_(pa.struct([("a", pa.int32())]), 2))
    assert schema_from_arrow_type(kind).shape == (-1, 2)
    assert pa.array([None, [[{"a": 1}, None]]], kind).to_pylist() == [None, [[{"a": 1}, None]]]


DAY = datetime.datetime(2024, 2, 29, 12, 30, 1, 250)


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([1, 255], pa.uint8(), [1, 255]),
        ([0.5], pa.float16(), [0.5]),
        (["a", None], pa.large_string(), ["a", None]),
        (["a", "a"], pa.dictionary(pa.int32(), pa.string()), ["a", "a"]),
        ([7], pa.dictionary(pa.int32(), pa.int64()), [7]),
        ([b"\xff\x00"], pa.binary(2), [b"\xff\x00"]),
        ([b"a"], pa.large_binary(), [b"a"]),
        ([None], pa.null(), [None]),
        ([[1], []], pa.large_list(pa.int8()), [[1], []]),
        ([[1, 2]], pa.list_(pa.int8(), 2), [[1, 2]]),
        ([DAY], pa.timestamp("us"), ["2024-02-29 12:30:01.000250"]),
        ([DAY.date()], pa.date32(), ["2024-02-29"]),
        ([DAY.time()], pa.time64("us"), ["12:30:01.000250"]),
        ([decimal.Decimal("1.50")], pa.decimal128(5, 2), ["1.50"]),
        ([datetime.timedelta(seconds=3)], pa.duration("ms"), [3000]),
        (
            [{"a": 1, "b": [0.5]}],
            pa.struct([("a", pa.int8()), ("b", pa.list_(pa.float64()))]),
            None,
        ),
    ],
)
def test_columns_of_other_programs_keep_their_values(values, kind, expected):
    cells = pa.array(values, kind).cast(schema_from_arrow_type(kind).arrow_type)
    assert cells.to_pylist() == (expected or values)


def test_maps_become_lists_of_pairs():
    schema = schema_from_arrow_type(pa.map_(pa.string(), pa.int8()))
    assert schema.arrow_type == pa.list_(pa.struct([("key", pa.string()), ("value", pa.int8())]))


def test_extension_types_become_their_storage():
    kind = pa.fixed_shape_tensor(pa.float32(), [2, 3])
    assert schema_from_arrow_type(kind).arrow_type == pa.list_(pa.float32(), 6)


@pytest.mark.parametrize(
    "kind",
    [
        pa.dense_union([pa.field("a", pa.int8())]),
        pa.month_day_nano_interval(),
        pa.run_end_encoded(pa.int32(), pa.int64()),
    ],
)
def test_types_without_a_schema_are_named(kind):
    with pytest.raises(SchemaError, match=r"Arrow type .*Hint"):
        schema_from_arrow_type(kind)
