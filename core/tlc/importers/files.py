"""CSV, Parquet and NDJSON files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.format.encode import is_url_column
from tlc.format.manifest import digest
from tlc.importers.columns import from_arrow
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.importers.source import Source
    from tlc.schemas import Schema


def from_csv(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a CSV file with a header line; types are inferred from all values of a column."""
    return _read("csv", url, schema, _parse_csv)


def from_ndjson(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a file with one JSON object per line; nested objects become nested columns."""
    return _read("ndjson", url, schema, _parse_ndjson)


def from_parquet(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a Parquet file."""
    return _read("parquet", url, schema, _parse_parquet)


def _read(
    kind: str, url: Url, schema: Mapping[str, Schema] | None, parse: Callable[[bytes], pa.Table]
) -> Source:
    import pyarrow as pa

    file = url.to_absolute()
    data = file.read_bytes()
    try:
        table = parse(data)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ColumnError(f"{file} cannot be read as {kind}: {error}.") from error
    fingerprint = {"url": file.to_relative().to_str(), "length": len(data), "digest": digest(data)}
    return from_arrow(kind, _absolute_urls(table, schema or {}, file), schema, fingerprint)


def _parse_csv(data: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    return csv.read_csv(
        pa.BufferReader(data.removeprefix(b"\xef\xbb\xbf")),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(strings_can_be_null=False),
    )


def _parse_ndjson(data: bytes) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json

    return json.read_json(
        pa.BufferReader(data.removeprefix(b"\xef\xbb\xbf")),
        parse_options=json.ParseOptions(newlines_in_values=False),
    )


def _parse_parquet(data: bytes) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.ParquetFile(pa.BufferReader(data)).read()


def _absolute_urls(table: pa.Table, schema: Mapping[str, Schema], file: Url) -> pa.Table:
    """Take relative urls in columns with a url schema as relative to the file that names them."""
    import pyarrow as pa

    for name in table.column_names:
        if name in schema and is_url_column(schema[name]):
            urls: list[Any] = [_absolute(v, file) for v in table.column(name).to_pylist()]
            position = table.column_names.index(name)
            table = table.set_column(position, name, pa.array(urls, pa.string()))
    return table


def _absolute(value: Any, file: Url) -> Any:
    return Url(value).to_absolute(file.parent).to_str() if value else value
