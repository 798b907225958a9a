"""Opening the manifest of a table, also of a metrics table whose writer has not finished."""

from __future__ import annotations

from typing import Any

import msgspec

from tlc.errors import CorruptObjectError, ObjectKindError, SchemaError
from tlc.format import parquet
from tlc.format.manifest import (
    OPENED,
    Data,
    FileEntry,
    Stack,
    TableManifest,
    read,
)
from tlc.schemas import Schema
from tlc.url import Url, UrlAdapterRegistry


def open_table(folder: Url) -> tuple[TableManifest, bool]:
    """Return the manifest of a table, and whether the table is partial.

    A metrics table whose writer was interrupted, or is still at work, has no manifest yet; what it
    has flushed is its rows.

    Raises:
        ObjectNotFoundError: There is nothing at `folder`.
        ObjectKindError: What is there is no table.
        CorruptObjectError: Its manifest is damaged.
        UnsupportedFormatError: A newer version wrote it.
    """
    try:
        return read(folder, TableManifest), False
    except ObjectKindError:
        if not (folder / OPENED).exists():
            raise
    opened = read(folder, TableManifest, file=OPENED)
    files = tuple(_segments(folder))
    schema: dict[str, Any] = opened.rows_schema
    if files:
        schema = embedded_schema(folder, files[0])
    columns = tuple(schema_of(schema, folder).values)
    stack = Stack(sum(entry.rows for entry in files), (Data(columns, files, opened.id),))
    return msgspec.structs.replace(opened, stack=stack, rows_schema=schema), True


def schema_of(data: dict[str, Any], folder: Url) -> Schema:
    """Return the schema of a row that a manifest, or a segment, holds.

    Raises:
        CorruptObjectError: It makes no sense; the message names the table in `folder`.
    """
    try:
        return Schema.from_dict(data)
    except SchemaError as error:
        raise CorruptObjectError(
            f"The manifest of {folder} cannot be read: {error.message}", hint=error.hint
        ) from error


def embedded_schema(folder: Url, segment: FileEntry) -> dict[str, Any]:
    """Return the schema of a row that a segment of a metrics table holds.

    Raises:
        CorruptObjectError: It holds none, or cannot be read.
    """
    embedded = parquet.read_metadata(folder, segment).get(parquet.EMBEDDED_SCHEMA, b"")
    try:
        return msgspec.json.decode(embedded, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CorruptObjectError(
            f"The data file {folder / segment.path} does not say what its columns mean: {error}."
        ) from error


def _segments(folder: Url) -> list[FileEntry]:
    """Return the segments of all ranks, in the order of their names."""
    entries = []
    for rank in UrlAdapterRegistry.list_dir(folder):
        if not (rank.is_dir and rank.name.startswith("rank-")):
            continue
        entries += [
            parquet.describe(folder, f"{rank.name}/{segment.name}")
            for segment in UrlAdapterRegistry.list_dir(folder / rank.name)
        ]
    return entries
