"""The schema of a column that nobody declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.plain import as_column
from tlc.schemas import Schema, infer_schema
from tlc.schemas.shapes import VARIABLE

if TYPE_CHECKING:
    import pyarrow as pa

_SIMPLE = frozenset({"int64", "double", "bool", "string"})


def infer_column(name: str, values: Any) -> Schema:
    """Return the schema that fits the values of a column.

    Args:
        name: The column, for messages.
        values: Sequence of values, or a column of a data frame. Of an array the type says it all.

    Raises:
        SchemaError: The values have no type in common, or none that can be stored.
    """
    return inferred_column(name, values)[0]


def inferred_column(name: str, values: Any) -> tuple[Schema, Any]:
    """Return the schema that fits the values of a column, and the values, as cells if they are.

    Args:
        name: As for `infer_column`.
        values: As for `infer_column`.

    Raises:
        SchemaError: The values have no type in common, or none that can be stored.
    """
    from tlc.schemas.arrow import schema_from_arrow_type

    values = as_column(values)
    cells = _simple_cells(values)
    if cells is not None:
        return schema_from_arrow_type(cells.type), cells
    schema = infer_schema(values, name)
    # Parquet has no lists of the fixed length 0.
    schema.shape = tuple(length or VARIABLE for length in schema.shape)
    return schema, values


def _simple_cells(values: Any) -> pa.Array | None:
    """Return a list of plain numbers or texts as Arrow makes it, much faster than one by one."""
    import pyarrow as pa

    if not isinstance(values, list | tuple):
        return None
    try:
        found = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return found if str(found.type) in _SIMPLE else None
