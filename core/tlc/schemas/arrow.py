"""Arrow types of schemas, and schemas of Arrow types. Every type can hold nulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import SchemaError
from tlc.schemas.schema import Schema
from tlc.schemas.shapes import VARIABLE
from tlc.schemas.values import (
    VALUE_TYPES,
    BytesStringValue,
    DatetimeStringValue,
    DimensionNumericValue,
    Int64Value,
    ScalarValue,
    StringValue,
)

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_type(schema: Schema) -> pa.DataType:
    """Return the Arrow type of the cells of a schema.

    Numbers have their own type; strings, urls and dictionaries as JSON are strings; a composite
    schema is a struct. A dimension of fixed length makes a fixed-size list of that, any other one a
    list.

    Raises:
        SchemaError: A size is given outside of one that is missing.
    """
    import pyarrow as pa

    if schema.value is not None:
        kind = pa.type_for_alias(schema.value.arrow)
    else:
        kind = pa.struct([(name, arrow_type(part)) for name, part in schema.values.items()])
    for length in reversed(schema.shape):
        kind = pa.list_(kind) if length == VARIABLE else pa.list_(kind, length)
    return kind


def schema_from_arrow_type(kind: pa.DataType) -> Schema:
    """Return the schema of cells of an Arrow type, as it comes from other programs.

    Casting an array of that type to `arrow_type` of the result loses nothing. Numbers, strings,
    bytes, lists and structs are kept; half floats become float32; dates and times become ISO 8601
    text, decimals decimal text, durations whole numbers of their unit; a dictionary-encoded column
    becomes what its entries are; a map becomes a list of ``{"key", "value"}``; an extension type
    becomes its storage.

    Raises:
        SchemaError: Cells of this type cannot be held, such as unions.
    """
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        return schema_from_arrow_type(kind.storage_type)
    if pa.types.is_nested(kind):
        return _nested(kind)
    if pa.types.is_dictionary(kind):
        return schema_from_arrow_type(kind.value_type)
    return Schema(value=_scalar(kind))


def _scalar(kind: Any) -> ScalarValue:
    name = str(kind).partition("[")[0].partition("(")[0]
    if name in _NUMBERS:
        return VALUE_TYPES[_NUMBERS[name]]()
    if name == "duration":
        return Int64Value(unit=kind.unit)
    for names, value in _TEXTS.items():
        if name in names:
            return value()
    raise _no_schema(kind)


def _nested(kind: Any) -> Schema:
    import pyarrow as pa

    types = pa.types
    if types.is_struct(kind):
        return Schema(values={part.name: schema_from_arrow_type(part.type) for part in kind})
    if types.is_map(kind):
        parts = {"key": kind.key_type, "value": kind.item_type}
        values = {name: schema_from_arrow_type(part) for name, part in parts.items()}
        return Schema(values=values, size0=DimensionNumericValue())
    if types.is_union(kind) or types.is_run_end_encoded(kind):
        raise _no_schema(kind)
    schema = schema_from_arrow_type(kind.value_type)
    fixed = types.is_fixed_size_list(kind)
    schema.shape = (kind.list_size if fixed else VARIABLE, *schema.shape)
    return schema


def _no_schema(kind: object) -> SchemaError:
    return SchemaError(
        f"There is no schema for cells of the Arrow type {kind}.",
        hint="Cast the column to numbers, strings, lists or structs.",
    )


# By what Arrow calls its types, before any parameters.
_NUMBERS = {
    **{f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
    "bool": "bool",
    "halffloat": "float32",
    "float": "float32",
    "double": "float64",
}
_TEXTS: dict[tuple[str, ...], type[ScalarValue]] = {
    ("string", "large_string", "string_view", "null"): StringValue,
    ("decimal32", "decimal64", "decimal128", "decimal256"): StringValue,
    ("binary", "large_binary", "binary_view", "fixed_size_binary"): BytesStringValue,
    ("timestamp", "date32", "date64", "time32", "time64"): DatetimeStringValue,
}
