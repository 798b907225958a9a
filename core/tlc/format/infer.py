"""The schema of a column that nobody declared."""

from __future__ import annotations

from typing import Any

from tlc.format.plain import as_column
from tlc.schemas import Schema, infer_schema
from tlc.schemas.shapes import VARIABLE

_SIMPLE = frozenset({"int64", "double", "bool", "string"})


def infer_column(name: str, values: Any) -> Schema:
    """Return the schema that fits the values of a column.

    Args:
        name: The column, for messages.
        values: Sequence of values, or a column of a data frame. Of an array the type says it all.

    Raises:
        SchemaError: The values have no type in common, or none that can be stored.
    """
    values = as_column(values)
    schema = _at_once(values) or infer_schema(values, name)
    # Parquet has no lists of the fixed length 0.
    schema.shape = tuple(length or VARIABLE for length in schema.shape)
    return schema


def _at_once(values: Any) -> Schema | None:
    """Return the schema of a list of plain numbers or texts, as Arrow finds it, much faster."""
    import pyarrow as pa

    from tlc.schemas.arrow import schema_from_arrow_type

    if not isinstance(values, list | tuple):
        return None
    try:
        found = pa.array(values).type
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return schema_from_arrow_type(found) if str(found) in _SIMPLE else None
