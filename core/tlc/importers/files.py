"""CSV, Parquet and NDJSON files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.format.encode import is_url_column
from tlc.format.manifest import digest
from tlc.importers.columns import from_arrow
from tlc.schemas.arrow import arrow_type
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.importers.source import Source
    from tlc.schemas import Schema

    Parse = Callable[[bytes, Mapping[str, Schema]], pa.Table]


# An object of a file must fit a block of the parser; few are as long as this.
_LONGEST_BLOCK = 1 << 27


def from_csv(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a CSV file with a header line.

    Columns without a schema get the type that all their values have.
    """
    return _read("csv", url, schema, _parse_csv)


def from_ndjson(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a file with one JSON object per line; nested objects become nested columns."""
    return _read("ndjson", url, schema, _parse_ndjson)


def from_parquet(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a Parquet file."""
    return _read("parquet", url, schema, _parse_parquet)


def _read(kind: str, url: Url, schema: Mapping[str, Schema] | None, parse: Parse) -> Source:
    import pyarrow as pa

    file = url.to_absolute()
    data = file.read_bytes()
    try:
        table = parse(data, schema or {})
    except pa.ArrowException as error:
        raise ColumnError(f"{file} cannot be read as {kind}: {error}.") from error
    fingerprint = {"url": file.to_relative().to_str(), "length": len(data), "digest": digest(data)}
    return from_arrow(kind, _absolute_urls(table, schema or {}, file), schema, fingerprint)


def _parse_csv(data: bytes, schema: Mapping[str, Schema]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    # What has a type is read as that: 007 is a text where the schema says so.
    types = {name: arrow_type(part) for name, part in schema.items()}
    table = csv.read_csv(
        pa.BufferReader(_without_mark(data)),
        read_options=csv.ReadOptions(block_size=_block_size(data)),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            strings_can_be_null=False,
            column_types={name: t for name, t in types.items() if not pa.types.is_nested(t)},
        ),
    )
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_binary(column.type) and types.get(name) != column.type:
            raise pa.ArrowInvalid(f"column {name!r} is not UTF-8 text")
    return table


def _parse_ndjson(data: bytes, _schema: Mapping[str, Schema]) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json

    return json.read_json(
        pa.BufferReader(_without_mark(data)),
        read_options=json.ReadOptions(block_size=_block_size(data)),
        parse_options=json.ParseOptions(newlines_in_values=False),
    )


def _parse_parquet(data: bytes, _schema: Mapping[str, Schema]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(data)).read()


def _without_mark(data: bytes) -> bytes:
    """Return text without the byte order mark that some programs put before it."""
    return data.removeprefix(b"\xef\xbb\xbf")


def _block_size(data: bytes) -> int:
    return min(len(data) + 1, _LONGEST_BLOCK)


def _absolute_urls(table: pa.Table, schema: Mapping[str, Schema], file: Url) -> pa.Table:
    """Take relative urls in columns with a url schema as relative to the file that names them."""
    import pyarrow as pa

    for position, name in enumerate(table.column_names):
        if name in schema and is_url_column(schema[name]):
            urls: list[Any] = [_absolute(v, file) for v in table.column(position).to_pylist()]
            table = table.set_column(position, name, pa.array(urls, pa.string()))
    return table


def _absolute(value: Any, file: Url) -> Any:
    return Url(value).to_absolute(file.parent).to_str() if value else value
