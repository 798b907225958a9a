"""NDJSON files: one JSON dictionary per line, with every value as it stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.plain import combine
from tlc.importers.ndjson_lines import (
    Lines,
    has_long_numbers,
    may_be_deep,
    may_have_null_records,
)
from tlc.importers.text_file import refused
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tlc.importers.report import Problems
    from tlc.schemas import Schema
    from tlc.url import Url

# A record must fit a block of the parser; few are as long as this.
_LONGEST_BLOCK = 1 << 27


def read_ndjson(
    data: bytes, file: Url, schema: Mapping[str, Schema], problems: Problems
) -> dict[str, Any]:
    """Return the columns of a file by name.

    Args:
        data: Its content, as UTF-8.
        file: Where it is, for messages.
        schema: Schemas of columns.
        problems: Gets the lines that are wrong.

    Raises:
        AnnotationFileError: The file cannot be read, or `problems` gives up.
    """
    try:
        table = _table(data, file, schema, problems)
    except RecursionError as error:
        raise refused(
            "JSON_DEPTH", file, "", "lists and dictionaries are too deep in each other"
        ) from error
    problems.check()
    if table.num_rows and not table.column_names:
        raise refused("JSON", file, "", "no record has a key")
    return {
        name: column.to_pylist() if _holds_nothing(column.type) else combine(column)
        for name, column in zip(table.column_names, table.columns, strict=True)
    }


def _table(data: bytes, file: Url, schema: Mapping[str, Schema], problems: Problems) -> pa.Table:
    import pyarrow as pa

    exact = {name: pa.uint64() for name, part in schema.items() if arrow_type(part) == pa.uint64()}
    if may_be_deep(data):
        lines = Lines(data, file, problems)
        lines.find_deep()
        problems.check()
        data = lines.rest
    try:
        table = None if may_have_null_records(data) else _parsed(data, exact, file)
    except pa.ArrowInvalid:
        table = None
    if table is None:
        lines = Lines(data, file, problems)
        lines.find_faults(_kinds(schema))
        problems.check()
        data = lines.rest
        table = _parsed_or_refused(data, exact, file)
    times = {field.name: _as_text(field.type) for field in table.schema}
    changed = {name: kind for name, kind in times.items() if kind != table.schema.field(name).type}
    if changed:
        exact |= changed
        table = _parsed_or_refused(data, exact, file)
    if any(has_long_numbers(chunk) for column in table.columns for chunk in column.chunks):
        lines = Lines(data, file, problems)
        lines.find_inexact(table.schema)
        table = _parsed_or_refused(lines.rest, exact, file)
    return table


def _parsed_or_refused(data: bytes, types: Mapping[str, pa.DataType], file: Url) -> pa.Table:
    import pyarrow as pa

    try:
        return _parsed(data, types, file)
    except pa.ArrowInvalid as error:
        raise refused("JSON", file, "", f"it cannot be read as NDJSON: {error}") from error


def _parsed(data: bytes, types: Mapping[str, pa.DataType], file: Url) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json

    if not data.strip():
        raise refused("JSON", file, "", "it has no records that can be read")
    return json.read_json(
        pa.BufferReader(data),
        read_options=json.ReadOptions(block_size=min(len(data) + 1, _LONGEST_BLOCK)),
        parse_options=json.ParseOptions(
            newlines_in_values=False, explicit_schema=pa.schema(list(types.items()))
        ),
    )


def _as_text(kind: Any) -> pa.DataType:
    """Return an Arrow type with text where Arrow has found times, whose form it would change."""
    import pyarrow as pa

    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, _as_text(part.type)) for part in kind])
    return pa.list_(_as_text(kind.value_type)) if pa.types.is_list(kind) else kind


def _holds_nothing(kind: Any) -> bool:
    """Whether there are only empty dictionaries somewhere, which files of Arrow cannot have."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_holds_nothing(part.type) for part in kind)
    return pa.types.is_list(kind) and _holds_nothing(kind.value_type)


def _kinds(schema: Mapping[str, Schema]) -> dict[str, str]:
    """Return what values of columns with schemas must be."""
    import pyarrow as pa

    found: dict[str, str] = {}
    for name, part in schema.items():
        kind = arrow_type(part)
        if pa.types.is_boolean(kind):
            found[name] = "a boolean"
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            found[name] = "a number"
        elif pa.types.is_string(kind) and getattr(part.value, "type", "") != "dict":
            found[name] = "a text"
        elif pa.types.is_struct(kind):
            found[name] = "a dictionary"
        elif hasattr(kind, "value_type"):
            found[name] = "a list"
    return found
