"""Find the schema of values that have none."""

from __future__ import annotations

from typing import Any

from tlc._optional import loaded
from tlc.errors import SchemaError
from tlc.schemas.arrow import schema_from_arrow_type
from tlc.schemas.kinds import Kind, common_kind, kind_of_rows
from tlc.schemas.media import ImageSchema
from tlc.schemas.schema import Schema
from tlc.schemas.strings import DatetimeStringSchema, StringSchema, UrlSchema
from tlc.schemas.values import VALUE_TYPES

_SCHEMAS: dict[str, type[Schema]] = {
    "": StringSchema,
    "datetime": DatetimeStringSchema,
    "url": UrlSchema,
    "image": ImageSchema,
}


def infer_schema(values: Any, name: str = "") -> Schema:
    """Return the schema that fits all values of a column. None is skipped.

    - `bool`, `str`, `bytes` and dates keep their type. An `int` becomes int64 and a `float`
      float64, so that nothing is lost; together they become float64. NumPy scalars keep their own
      type.
    - A `Path` or `Url` becomes a url, also among strings; a PIL image becomes an image, also among
      urls.
    - A list or tuple becomes a list of any length, of what its items have in common.
    - A NumPy array or torch tensor stays one, of its type and shape; lengths that differ from row
      to row become -1. Inside of a list, it becomes a list. float16 and bfloat16 become float32.
    - An object of `tlc.data_types` becomes a column of such; all have to be of one class.
    - A dictionary becomes a composite of all keys that occur; if it never has any, a `DictValue`.
    - If there are only None and empty lists, the missing type is taken to be strings.

    Args:
        values: Any iterable of values, one for each row. Of a NumPy array, torch tensor or Arrow
            array only the type is looked at.
        name: Name of the column, for errors.

    Raises:
        SchemaError: There is no schema for values of some type, or the values have no type in
            common. The message names the first row where this shows.
    """
    try:
        if _is_arrow(values):
            return schema_from_arrow_type(values.type)
        return to_schema(kind_of_rows(values) or common_kind(list(values), "Row"))
    except SchemaError as error:
        if not name:
            raise
        raise SchemaError(f"Column {name!r}: {error.message}", hint=error.hint) from error


def _is_arrow(values: Any) -> bool:
    arrow = loaded("pyarrow")
    return arrow is not None and isinstance(values, (arrow.Array, arrow.ChunkedArray))


def to_schema(kind: Kind) -> Schema:
    """Return the schema of values of a kind."""
    if kind.annotation is not None:
        parts = {name: to_schema(part) for name, part in kind.parts}
        schema = kind.annotation.inferred_schema(parts)
    elif kind.name == "struct":
        schema = Schema(values={name: to_schema(part) for name, part in kind.parts})
    elif kind.name in VALUE_TYPES and kind.name != "string":
        schema = Schema(value=VALUE_TYPES[kind.name](), sample_type=kind.sample_type)
    else:
        schema = _SCHEMAS.get(kind.name, StringSchema)()
    schema.shape = kind.shape
    return schema
