"""CSV, Parquet and NDJSON files, in pieces: they may be larger than memory."""

from __future__ import annotations

import hashlib
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tlc.format.declared import checked_schemas
from tlc.format.encode import is_url_column
from tlc.format.parquet.rows_schema import rows_schema_of
from tlc.format.plain import combine
from tlc.importers.columns import check_names, check_schema
from tlc.importers.csv_file import CsvFile
from tlc.importers.csv_parser import CsvForm
from tlc.importers.ndjson_file import NdjsonFile
from tlc.importers.source import Batch, Source
from tlc.importers.text_file import refused
from tlc.importers.text_pieces import PIECE
from tlc.url import Url
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    import pyarrow.parquet as pq

    from tlc.schemas import Schema

_ROWS = 65_536


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
    form = CsvForm(delimiter or ",", decimal_point, is_guessed=delimiter is None)
    reader = CsvFile(url.to_absolute(), form, encoding, checked_schemas(schema), on_error)
    options = {"delimiter": delimiter, "decimal_point": decimal_point, "encoding": encoding}
    return _source("csv", reader, on_error, options)


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
    reader = NdjsonFile(url.to_absolute(), encoding, checked_schemas(schema), on_error)
    return _source("ndjson", reader, on_error, {"encoding": encoding})


def from_parquet(url: Url, schema: Mapping[str, Schema] | None) -> Source:
    """Read a Parquet file; one that a table was exported to has its schemas.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It cannot be read.
        ColumnError: A schema names a column that is not there, or two columns have one name.
    """
    file = url.to_absolute()
    length, digest = _measured(file)
    with _parquet(file) as opened:
        columns = opened.schema_arrow
    place = str(file)
    known = {**rows_schema_of(columns), **(schema or {})}
    schemas = check_schema(known, check_names(columns.names, place), place)
    fingerprint = {"url": file.to_relative().to_str(), "length": length, "digest": digest}
    return Source("parquet", lambda: _parquet_batches(file, columns), schemas, fingerprint)


def _source(
    kind: str, reader: CsvFile | NdjsonFile, on_error: str, options: Mapping[str, str | None]
) -> Source:
    """Return the source of a file of text, if nothing is wrong with it or that is no matter."""
    reader.survey()
    if on_error == "raise" and reader.is_doubtful:
        for _ in reader.batches():  # before anything is written
            pass
    text = reader.text
    schema = check_schema(reader.schema, reader.names, str(text.file))
    usual = {"decimal_point": "."}
    given = {name: value for name, value in options.items() if value != usual.get(name)}
    fingerprint = {
        "url": text.file.to_relative().to_str(),
        "length": text.length,
        "digest": text.digest,
        **given,
        **({"on_error": on_error} if on_error != "raise" else {}),
    }

    def batches() -> Iterator[Batch]:
        return (_absolute_urls(batch, schema, text.file) for batch in reader.batches())

    return Source(kind, batches, schema, fingerprint, reader.report)


def _absolute_urls(columns: Batch, schema: Mapping[str, Schema], file: Url) -> dict[str, Any]:
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


def _measured(file: Url) -> tuple[int, str]:
    """Return length and digest of a file."""
    digest, length = hashlib.sha256(), 0
    with closing(UrlAdapterRegistry.open_binary(file)) as opened:
        while part := opened.read(PIECE):
            digest.update(part)
            length += len(part)
    return length, f"sha256:{digest.hexdigest()}"


@contextmanager
def _parquet(file: Url) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with closing(UrlAdapterRegistry.open_binary(file)) as opened:
        try:
            found = pq.ParquetFile(opened, pre_buffer=False, buffer_size=1 << 20)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise _no_parquet(file, error) from error
        yield found


def _parquet_batches(file: Url, columns: pa.Schema) -> Iterator[Batch]:
    import pyarrow as pa

    count = 0
    with _parquet(file) as opened:
        parts = opened.iter_batches(_ROWS)
        while True:
            try:
                part = next(parts, None)
                if part is not None:
                    part.validate(full=True)  # Arrow itself trusts what it reads
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise _no_parquet(file, error) from error
            if part is None:
                break
            count += part.num_rows
            yield dict(zip(part.schema.names, part.columns, strict=True))
    if not count and columns.names:
        empty = columns.empty_table()
        yield dict(zip(columns.names, map(combine, empty.columns), strict=True))


def _no_parquet(file: Url, error: Exception) -> Exception:
    message = f"it cannot be read as Parquet: {error}"
    return refused("PARQUET", file, "", message, hint="is it whole?")
