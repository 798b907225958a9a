"""The schema of rows in the metadata of a Parquet file that is exchanged with other programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tlc.errors import SchemaError
from tlc.schemas import Schema

if TYPE_CHECKING:
    import pyarrow as pa

KEY = b"tlc.rows_schema"


def with_rows_schema(schema: Schema) -> pa.Schema:
    """Return the Arrow schema of rows, with their schema as JSON in its metadata."""
    import pyarrow as pa

    fields = [(name, part.arrow_type) for name, part in schema.values.items()]
    return pa.schema(fields, {KEY: json.dumps(schema.to_dict()).encode()})


def rows_schema_of(schema: pa.Schema) -> dict[str, Schema]:
    """Return the schemas of columns that the metadata of a file has and that fit them.

    They come from anywhere, so they do not say where files of the columns go.
    """
    text = (schema.metadata or {}).get(KEY)
    if text is None:
        return {}
    try:
        told = Schema.from_dict(json.loads(text)).values
    except (SchemaError, ValueError, RecursionError):
        return {}
    for part in told.values():
        _forget_places(part)
    return {
        field.name: told[field.name]
        for field in schema
        if field.name in told and told[field.name].arrow_type == field.type
    }


def _forget_places(schema: Schema) -> None:
    schema.bulk_data_location = ""
    for part in schema.values.values():
        _forget_places(part)
