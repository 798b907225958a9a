"""Columns that are in memory already: dicts of lists, data frames, Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.importers.source import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import pyarrow as pa

    from tlc.schemas import Schema


def from_dict(data: Mapping[str, Any], schema: Mapping[str, Schema] | None) -> Source:
    """Take columns as they are.

    Args:
        data: Column name to a sequence of values; all of one length.
        schema: Schemas of some or all columns.

    Raises:
        ColumnError: A schema names a column that is not there.
    """
    check_schema(schema, list(data))
    return Source("dict", lambda: iter([data] if data else []), dict(schema or {}))


def from_pandas(frame: pd.DataFrame, schema: Mapping[str, Schema] | None) -> Source:
    """Take the columns of a data frame; its index is left out.

    Raises:
        ColumnError: A schema names a column that is not there.
    """
    import pyarrow as pa

    return from_arrow("pandas", pa.Table.from_pandas(frame, preserve_index=False), schema, {})


def from_arrow(
    kind: str,
    table: pa.Table,
    schema: Mapping[str, Schema] | None,
    fingerprint: Mapping[str, Any],
) -> Source:
    """Take the columns of an Arrow table, with schemas after their Arrow types."""
    from tlc.schemas.arrow import schema_from_arrow_type

    check_schema(schema, table.column_names)
    schemas = {
        name: schema_from_arrow_type(table.schema.field(name).type) for name in table.column_names
    }
    schemas.update(schema or {})
    columns = {name: table.column(name) for name in table.column_names}
    return Source(kind, lambda: iter([columns]), schemas, fingerprint)


def check_schema(schema: Mapping[str, Schema] | None, columns: list[str]) -> None:
    """Refuse schemas for columns that do not exist.

    Raises:
        ColumnError: There is one.
    """
    unknown = [name for name in schema or {} if name not in columns]
    if unknown and columns:
        raise ColumnError(
            f"The data have no columns {', '.join(map(repr, unknown))}, which the schema names.",
            hint=f"they have {', '.join(map(repr, columns))}; extra_columns= adds empty columns.",
        )
