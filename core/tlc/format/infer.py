"""The schema of a column that nobody declared."""

from __future__ import annotations

from typing import Any

from tlc.errors import SchemaError
from tlc.format.encode import as_numpy
from tlc.schemas import Schema, infer_schema


def infer_column(name: str, values: Any) -> Schema:
    """Return the schema that fits the values of a column.

    Args:
        name: The column, for messages.
        values: Sequence of values. Of an array the type says it all, so one row is looked at.

    Raises:
        SchemaError: The values have no type in common, or none that can be stored.
    """
    array = as_numpy(values)
    if str(getattr(array, "dtype", "object")) != "object":
        values = array[:1]
    try:
        return infer_schema(values)
    except SchemaError as error:
        raise SchemaError(f"Column {name!r}: {error.message}", hint=error.hint) from error
