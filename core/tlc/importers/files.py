"""CSV, Parquet and NDJSON files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.declared import checked_schemas
from tlc.format.encode import is_url_column
from tlc.format.manifest import digest
from tlc.format.parquet.rows_schema import rows_schema_of
from tlc.importers.columns import from_columns
from tlc.importers.csv_file import CsvColumns
from tlc.importers.csv_parser import CsvParser
from tlc.importers.ndjson_file import read_ndjson
from tlc.importers.report import Problems
from tlc.importers.text_file import refused, utf8_text
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.importers.source import Source
    from tlc.schemas import Schema


def from_csv(
    url: Url,
    schema: Mapping[str, Schema] | None,
    *,
    delimiter: str | None = None,
    decimal_point: str = ".",
    encoding: str | None = None,
    on_error: str = "raise",
) -> Source:
    """Read a CSV file with a header line.

    Columns without a schema get the type that all their values have.

    Args:
        url: The file.
        schema: Schemas of columns.
        delimiter: What separates cells; None for commas, if nothing speaks against them.
        decimal_point: What separates the whole part of a number from the rest.
        encoding: Its encoding; None for UTF-8.
        on_error: ``"raise"``, or ``"skip"`` to leave out rows that are wrong.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It cannot be read, or rows are wrong.
        OptionError: An option cannot be that.
    """
    problems, schemas = Problems(on_error), checked_schemas(schema)
    file, data = _content(url)
    options = {"delimiter": delimiter, "decimal_point": decimal_point, "encoding": encoding}
    parser = CsvParser(
        utf8_text(data, encoding, file),
        file,
        problems,
        delimiter=delimiter,
        decimal_point=decimal_point,
    )
    columns = CsvColumns(parser, schemas)
    found = columns.read()
    fingerprint = _fingerprint(file, data, on_error=on_error, **options)
    return _source("csv", file, found, columns.schema, fingerprint, problems)


def from_ndjson(
    url: Url,
    schema: Mapping[str, Schema] | None,
    *,
    encoding: str | None = None,
    on_error: str = "raise",
) -> Source:
    """Read a file with one JSON object per line; nested objects become nested columns.

    Args:
        url: The file.
        schema: Schemas of columns.
        encoding: Its encoding; None for UTF-8.
        on_error: ``"raise"``, or ``"skip"`` to leave out lines that are wrong.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It cannot be read, or lines are wrong.
        OptionError: An option cannot be that.
    """
    problems, schemas = Problems(on_error), checked_schemas(schema)
    file, data = _content(url)
    found = read_ndjson(utf8_text(data, encoding, file), file, schemas, problems)
    fingerprint = _fingerprint(file, data, on_error=on_error, encoding=encoding)
    return _source("ndjson", file, found, schemas, fingerprint, problems)


def from_parquet(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a Parquet file; one that a table was exported to has its schemas.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It cannot be read.
        ColumnError: A schema names a column that is not there, or two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, data = _content(url)
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
    except (pa.ArrowException, OSError) as error:
        raise refused(
            "PARQUET", file, "", f"it cannot be read as Parquet: {error}", hint="is it whole?"
        ) from error
    columns = list(zip(table.column_names, table.columns, strict=True))
    schemas = {**rows_schema_of(table.schema), **(schema or {})}
    return from_columns("parquet", columns, schemas, _fingerprint(file, data))


def _content(url: Url) -> tuple[Url, bytes]:
    file = url.to_absolute()
    return file, file.read_bytes()


def _fingerprint(file: Url, data: bytes, **options: str | None) -> dict[str, Any]:
    """Return what tells an import from others: the file, and options that are not the usual."""
    usual = {"on_error": "raise", "decimal_point": "."}
    given = {name: value for name, value in options.items() if value != usual.get(name)}
    return {
        "url": file.to_relative().to_str(),
        "length": len(data),
        "digest": digest(data),
        **given,
    }


def _source(
    kind: str,
    file: Url,
    columns: Mapping[str, Any],
    schema: Mapping[str, Schema],
    fingerprint: Mapping[str, Any],
    problems: Problems,
) -> Source:
    rows = len(next(iter(columns.values()), ()))
    absolute = _absolute_urls(columns, schema, file)
    return from_columns(
        kind, list(absolute.items()), schema, fingerprint, lambda: problems.report(rows)
    )


def _absolute_urls(
    columns: Mapping[str, Any], schema: Mapping[str, Schema], file: Url
) -> dict[str, Any]:
    """Take relative urls in columns with a url schema as relative to the file that names them."""
    found = dict(columns)
    for name, part in schema.items():
        if name in found and is_url_column(part):
            cells = found[name]
            values = cells.to_pylist() if hasattr(cells, "to_pylist") else cells
            found[name] = [_absolute(value, file) for value in values]
    return found


def _absolute(value: Any, file: Url) -> Any:
    usable = isinstance(value, str) and value
    return Url(value).to_absolute(file.parent).to_str() if usable else value
