"""Writes the data files of a table, row by row or batch by batch, with flat memory."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tlc.errors import ColumnError
from tlc.format import parquet
from tlc.format.bulk import BulkFolder
from tlc.format.declared import checked_columns, checked_schemas
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.infer import infer_column
from tlc.format.manifest import Data, FileEntry, Stack
from tlc.format.names import check_column_name
from tlc.format.plain import as_column, as_numpy, combine
from tlc.format.relative import holds_urls, relativize
from tlc.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.url import Url

ROWS_PER_FILE = parquet.ROWS_PER_GROUP
_ROWS_PER_CHUNK = 4096


class RowBuilder:
    """Collects rows and writes them to Parquet files below a table's folder.

    A row or batch is taken whole or not at all: if one of its values does not fit, nothing of it is
    kept and the builder goes on.

    Args:
        folder: The table's folder.
        schema: Schemas of columns; columns without one get theirs from the first values.
        path: Maps the number of a file to its path below the folder.
        flush_seconds: Write what has come in at least this often while rows come in.
        embed_schema: Put the schema into each file, for files that are read before there is a
            manifest.
    """

    def __init__(
        self,
        folder: Url,
        schema: Mapping[str, Schema],
        *,
        path: Callable[[str, int], str] = lambda writer, number: (
            f"data/{writer}-{number:05d}.parquet"
        ),
        flush_seconds: float = float("inf"),
        embed_schema: bool = False,
    ) -> None:
        self.folder = folder
        self.files: list[FileEntry] = []
        self.row_count = 0
        self._declared = checked_schemas(schema)
        self._encoders: dict[str, ColumnEncoder] = {}
        self._rows: dict[str, list[Any]] = {}
        self._buffered = 0
        self._chunks: list[dict[str, pa.Array]] = []
        self._chunked = 0
        self._writer = uuid.uuid4().hex[:8]
        self._path = path
        self._flush_seconds = flush_seconds
        self._embed_schema = embed_schema
        self._last_flush = time.monotonic()

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises:
            ColumnError: A column is missing or unknown.
            CellError: A value does not fit its schema.
        """
        row = checked_columns(row)
        encoders = self._encoders or self._start({name: [value] for name, value in row.items()})
        if row.keys() != encoders.keys():
            row = _completed(row, encoders)
        admitted: dict[str, Any] = {}
        wider: dict[str, _Wider] = {}
        for name, encoder in encoders.items():
            try:
                admitted[name] = encoder.admit(row[name], self.row_count)
            except ValueError as error:
                wider[name] = self._wider(encoder, [row[name]], error)
                admitted[name] = wider[name].encoder.admit(row[name], self.row_count)
        self._use(encoders, wider)
        for name, value in admitted.items():
            self._rows.setdefault(name, []).append(value)
        self.row_count += 1
        self._buffered += 1
        if self._buffered >= _ROWS_PER_CHUNK:
            self._close_chunk()
        self._flush_if_due()

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length.

        Raises:
            ColumnError: A column is missing, unknown, or not a sequence.
            ColumnLengthError: The columns differ in length.
            CellError: A value does not fit its schema.
        """
        count = common_length(checked_columns(batch))
        columns = {name: as_column(values) for name, values in batch.items()}
        encoders = self._encoders or self._start(columns)
        if columns.keys() != encoders.keys():
            columns = _completed(columns, encoders, count)
        chunk: dict[str, pa.Array] = {}
        wider: dict[str, _Wider] = {}
        for name, encoder in encoders.items():
            try:
                chunk[name] = encoder.encode(columns[name], self.row_count)
            except ValueError as error:
                wider[name] = self._wider(encoder, columns[name], error)
                chunk[name] = wider[name].encoder.encode(columns[name], self.row_count)
        self._use(encoders, wider)
        self._close_chunk()
        self._chunks.append(chunk)
        self._chunked += count
        self.row_count += count
        self._flush_if_due()

    def flush(self) -> None:
        """Write all rows that have come in to a file of their own."""
        self._close_chunk()
        self._last_flush = time.monotonic()
        if not self._chunked:
            return
        table = self._table()
        path = self._path(self._writer, len(self.files))
        self.files.append(parquet.write(self.folder, path, table))
        self._chunks, self._chunked = [], 0

    def finish(self, origin: str) -> Stack:
        """Write the rest and return the layers; `origin` is the id of the table."""
        self.flush()
        columns = tuple(self.rows_schema().values)
        return Stack(self.row_count, (Data(columns, tuple(self.files), origin),))

    def rows_schema(self) -> Schema:
        """Return the schema of a row, as far as it is known."""
        used = {name: encoder.schema for name, encoder in self._encoders.items()}
        return Schema(values=used or self._declared)

    def _start(self, columns: Mapping[str, Any]) -> dict[str, ColumnEncoder]:
        """Return encoders of the columns: those declared, and those of the first rows."""
        names = list(self._declared)
        if not columns.keys() <= self._declared.keys():
            # The data name columns that nobody declared: keep the order of the data.
            names = [*columns, *(name for name in names if name not in columns)]
        if not names:
            raise ColumnError("A row without columns cannot be stored.")
        # Before the first row, only columns that nobody declared have to be there.
        schemas = {
            name: self._declared.get(name) or infer_column(check_column_name(name), columns[name])
            for name in names
        }
        return {name: self._encoder(name, schema) for name, schema in schemas.items()}

    def _encoder(self, name: str, schema: Schema) -> ColumnEncoder:
        files = BulkFolder(self.folder, name, self._writer, schema.bulk_data_location)
        return ColumnEncoder(name, schema, files)

    def _wider(self, encoder: ColumnEncoder, values: Any, error: ValueError) -> _Wider:
        """Return an encoder of an inferred column that takes `values` too, as well as all so far.

        Raises:
            ValueError: `error`, if there is none, or some rows are on disk already.
        """
        name = encoder.name
        if name in self._declared or self.files:
            raise error
        self._close_chunk()
        known = [value for chunk in self._chunks for value in encoder.samples(chunk[name])]
        try:
            wider = self._encoder(name, infer_column(name, [*known, *_items(values)]))
            return _Wider(wider, [wider.encode(chunk[name]) for chunk in self._chunks])
        except ValueError:
            raise error from None

    def _use(self, encoders: dict[str, ColumnEncoder], wider: Mapping[str, _Wider]) -> None:
        """Go on with `encoders`, or the wider ones in their place."""
        for name, column in wider.items():
            encoders = {**encoders, name: column.encoder}
            for chunk, cells in zip(self._chunks, column.chunks, strict=True):
                chunk[name] = cells
        self._encoders = encoders

    def _close_chunk(self) -> None:
        """Turn the rows that came one by one into cells."""
        if self._buffered:
            first = self.row_count - self._buffered
            self._chunks.append(
                {name: e.encode(self._rows[name], first) for name, e in self._encoders.items()}
            )
            self._chunked += self._buffered
            self._rows = {}
            self._buffered = 0

    def _flush_if_due(self) -> None:
        if self._chunked >= ROWS_PER_FILE or (
            self._flush_seconds < float("inf")
            and time.monotonic() - self._last_flush >= self._flush_seconds
        ):
            self.flush()

    def _table(self) -> pa.Table:
        import pyarrow as pa

        columns = []
        for name, encoder in self._encoders.items():
            column = pa.chunked_array([chunk[name] for chunk in self._chunks], encoder.type)
            if holds_urls(encoder.schema):
                column = relativize(combine(column), self.folder, encoder.schema)
            columns.append(column)
        table = pa.table(columns, names=list(self._encoders))
        if not self._embed_schema:
            return table
        schema = msgspec.json.encode(self.rows_schema().to_dict())
        return table.replace_schema_metadata({parquet.EMBEDDED_SCHEMA: schema})


class _Wider(NamedTuple):
    """An encoder for more values than the one before, and the rows so far as it encodes them."""

    encoder: ColumnEncoder
    chunks: list[pa.Array]


def _items(values: Any) -> Any:
    """Return values one by one, of arrays with the type that they have there."""
    if hasattr(values, "to_pylist"):
        return values.to_pylist()
    return as_numpy(values) if getattr(values, "ndim", 1) == 1 else values


def _completed(
    row: Mapping[str, Any], encoders: Mapping[str, ColumnEncoder], count: int | None = None
) -> dict[str, Any]:
    """Return `row`, or a batch of `count` rows, with the default values of columns it lacks."""
    unknown = [name for name in row if name not in encoders]
    defaults = {n: e.schema.default_value for n, e in encoders.items() if n not in row}
    missing = [name for name, value in defaults.items() if value is None]
    if unknown or missing:
        raise _wrong_columns(missing, unknown, list(encoders))
    if count is not None:
        defaults = {name: [value] * count for name, value in defaults.items()}
    return {**row, **defaults}


def _wrong_columns(missing: list[str], unknown: list[str], known: list[str]) -> ColumnError:
    parts = [f"missing: {', '.join(map(repr, missing))}"] if missing else []
    parts += [f"unknown: {', '.join(map(repr, unknown))}"] if unknown else []
    return ColumnError(
        f"The row does not have the table's columns ({'; '.join(parts)}).",
        hint=f"the columns are {', '.join(map(repr, known))}; None stands for a missing value.",
    )
