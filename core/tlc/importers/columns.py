"""Columns that are in memory already: dicts of lists, data frames, Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.format.declared import checked_columns, checked_schemas
from tlc.format.plain import as_column
from tlc.importers.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from tlc.importers.report import ImportReport
    from tlc.schemas import Schema


def from_dict(data: Mapping[str, Any], schema: Mapping[str, Schema] | None) -> Source:
    """Take columns as they are.

    Args:
        data: Column name to a sequence of values; all of one length.
        schema: Schemas of some or all columns.

    Raises:
        ColumnError: A schema names a column that is not there.
    """
    schemas = check_schema(schema, list(checked_columns(data)))
    return Source("dict", lambda: iter([data] if data else []), schemas)


def from_pandas(frame: pd.DataFrame, schema: Mapping[str, Schema] | None) -> Source:
    """Take the columns of a data frame; its index is left out.

    NaN in a column of floats stays NaN; elsewhere what pandas calls missing becomes None.

    Raises:
        ColumnError: A schema names a column that is not there, or two columns have one name.
    """
    columns = [(str(name), as_column(column)) for name, column in frame.items()]
    return from_columns("pandas", columns, schema, {})


def from_columns(
    kind: str,
    columns: Sequence[tuple[str, Any]],
    schema: Mapping[str, Schema] | None,
    fingerprint: Mapping[str, Any],
    report: Callable[[], ImportReport | None] = lambda: None,
) -> Source:
    """Take columns with their names.

    Raises:
        ColumnError: A schema names a column that is not there, or two columns have one name.
    """
    schemas = check_schema(schema, check_names([name for name, _ in columns]))
    batches = [dict(columns)] if columns else []
    return Source(kind, lambda: iter(batches), schemas, fingerprint, report)


def check_names(names: list[str], place: str = "") -> list[str]:
    """Return the names of the columns of some data, if each is there once.

    Args:
        names: The names.
        place: The file that has the data, if there is one.

    Raises:
        ColumnError: Two columns have one name.
    """
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ColumnError(
            f"{_data(place)} have several columns {', '.join(map(repr, repeated))}.",
            hint="a table has one column of a name.",
        )
    return names


def check_schema(
    schema: Mapping[str, Schema] | None, columns: list[str], place: str = ""
) -> dict[str, Schema]:
    """Return schemas by column name.

    Args:
        schema: What a caller gave.
        columns: The columns that there are.
        place: The file that has the data, if there is one.

    Raises:
        ColumnError: There is a schema for a column that does not exist.
        SchemaError: They are no dict of schemas.
    """
    schemas = checked_schemas(schema)
    unknown = [name for name in schemas if name not in columns]
    if unknown and columns:
        raise ColumnError(
            f"{_data(place)} have no columns {', '.join(map(repr, unknown))}, "
            "which the schema names.",
            hint=f"they have {', '.join(map(repr, columns))}; extra_columns= adds empty columns.",
        )
    return schemas


def _data(place: str) -> str:
    return f"The data in {place}" if place else "The data"
