"""The schema of a column that nobody declared."""

from __future__ import annotations

from typing import Any

from tlc.format.plain import as_column
from tlc.schemas import Schema, infer_schema
from tlc.schemas.shapes import VARIABLE


def infer_column(name: str, values: Any) -> Schema:
    """Return the schema that fits the values of a column.

    Args:
        name: The column, for messages.
        values: Sequence of values, or a column of a data frame. Of an array the type says it all.

    Raises:
        SchemaError: The values have no type in common, or none that can be stored.
    """
    schema = infer_schema(as_column(values), name)
    # Parquet has no lists of the fixed length 0.
    schema.shape = tuple(length or VARIABLE for length in schema.shape)
    return schema
