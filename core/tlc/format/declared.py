"""What callers say of columns, checked before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tlc.errors import ColumnError, SchemaError
from tlc.format.names import check_column_name
from tlc.schemas import Schema


def checked_schemas(schemas: Any, what: str = "schema") -> dict[str, Schema]:
    """Return schemas by column name, as a dict of their own.

    Args:
        schemas: What a caller gave; None for none.
        what: Name of the argument, for messages.

    Raises:
        SchemaError: It is no dict of schemas.
        NameNotAllowedError: A column cannot have that name.
    """
    if schemas is None:
        return {}
    if isinstance(schemas, Schema) or not isinstance(schemas, Mapping):
        raise SchemaError(
            f"{what} is {schemas!r}, not a dict from column name to schema.",
            hint='write {"label": tlc.schemas.Int32Schema()}.',
        )
    for name, schema in schemas.items():
        if not isinstance(schema, Schema):
            shown = f"{schema.__name__}()" if isinstance(schema, type) else "Int32Schema()"
            raise SchemaError(
                f"The schema of column {name!r} is {schema!r}.",
                hint=f"write tlc.schemas.{shown}, or leave the column out to have it inferred.",
            )
    return {check_column_name(name): schema for name, schema in schemas.items()}


def checked_columns(data: Any) -> Mapping[str, Any]:
    """Return `data` if it maps column names to values.

    Raises:
        ColumnError: It does not.
    """
    if type(data) is not dict and not isinstance(data, Mapping):
        raise ColumnError(
            f"Rows are given as a dict from column name to values, not as {type(data).__name__}.",
            hint='write {"image": ..., "label": ...}.',
        )
    return data
