"""Writes the data files of a table, row by row or batch by batch, with flat memory."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.errors import ColumnError, SchemaError
from tlc.format import parquet
from tlc.format.bulk import BulkFolder
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.infer import infer_column
from tlc.format.manifest import Data, FileEntry, Stack
from tlc.format.names import check_column_name
from tlc.format.relative import relativize
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
        self.schema: dict[str, Schema] = {check_column_name(k): v for k, v in schema.items()}
        self.files: list[FileEntry] = []
        self.row_count = 0
        self._declared = frozenset(self.schema)
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
        if not self._encoders:
            self._start({name: [value] for name, value in row.items()})
        if row.keys() != self._encoders.keys():
            row = self._completed(row)
        number = self.row_count
        admitted = [self._admit(name, row[name], number) for name in self._encoders]
        for name, value in zip(self._encoders, admitted, strict=True):
            self._rows[name].append(value)
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
        columns = dict(batch)
        count = common_length(columns)
        if not self._encoders:
            self._start(columns)
        if columns.keys() != self._encoders.keys():
            columns = self._completed(columns, count)
        self._close_chunk()
        chunk = {name: self._encode(name, columns[name]) for name in self._encoders}
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
        if not self._encoders:
            self._start({name: [] for name in self.schema})
        self.flush()
        return Stack(self.row_count, (Data(tuple(self.schema), tuple(self.files), origin),))

    def rows_schema(self) -> Schema:
        """Return the schema of a row, as far as it is known."""
        return Schema(values=dict(self.schema))

    def _start(self, columns: Mapping[str, Any]) -> None:
        """Fix the columns: those declared, then those of the first rows."""
        schema = dict(self.schema)
        if not columns.keys() <= schema.keys():
            # The data name columns that nobody declared: keep the order of the data.
            schema = {name: self._schema_for(name, values) for name, values in columns.items()}
            schema.update({n: part for n, part in self.schema.items() if n not in columns})
        missing = [n for n in schema if n not in columns and schema[n].default_value is None]
        if missing:
            raise _wrong_columns(missing, [], list(schema))
        self.schema = schema
        self._encoders = {name: self._encoder(name, part) for name, part in schema.items()}
        self._rows = {name: [] for name in schema}

    def _schema_for(self, name: str, values: Any) -> Schema:
        return self.schema.get(name) or infer_column(check_column_name(name), values)

    def _encoder(self, name: str, schema: Schema) -> ColumnEncoder:
        location = str(getattr(schema, "bulk_data_location", "") or "")
        return ColumnEncoder(name, schema, BulkFolder(self.folder, name, self._writer, location))

    def _completed(self, row: Mapping[str, Any], count: int | None = None) -> dict[str, Any]:
        """Return `row` with the default values of columns it lacks."""
        unknown = [name for name in row if name not in self._encoders]
        absent = [name for name in self._encoders if name not in row]
        missing = [name for name in absent if self.schema[name].default_value is None]
        if unknown or missing:
            raise _wrong_columns(missing, unknown, list(self._encoders))
        defaults = {name: self.schema[name].default_value for name in absent}
        if count is None:
            return {**row, **defaults}
        return {**row, **{name: [value] * count for name, value in defaults.items()}}

    def _admit(self, name: str, value: Any, row: int) -> Any:
        encoder = self._encoders[name]
        try:
            return encoder.admit(value, row)
        except ValueError:
            if not self._widen(name, [value]):
                raise
            return self._encoders[name].admit(value, row)

    def _encode(self, name: str, values: Any) -> pa.Array:
        try:
            return self._encoders[name].encode(values, self.row_count)
        except ValueError:
            if not self._widen(name, values):
                raise
            return self._encoders[name].encode(values, self.row_count)

    def _widen(self, name: str, values: Any) -> bool:
        """Give an inferred column a schema that fits `values` too, if nothing is on disk yet."""
        if name in self._declared or self.files:
            return False
        seen = [chunk[name].to_pylist() for chunk in self._chunks]
        known = [value for part in seen for value in part] + self._rows[name]
        try:
            schema = infer_column(name, [*known, *values])
        except SchemaError:
            return False
        encoder = self._encoder(name, schema)
        for chunk in self._chunks:
            chunk[name] = encoder.encode(chunk[name])
        self.schema[name], self._encoders[name] = schema, encoder
        return True

    def _close_chunk(self) -> None:
        """Turn the rows that came one by one into cells."""
        if self._buffered:
            first = self.row_count - self._buffered
            self._chunks.append(
                {name: e.encode(self._rows[name], first) for name, e in self._encoders.items()}
            )
            self._chunked += self._buffered
            self._rows = {name: [] for name in self._encoders}
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
            if encoder.is_url:
                column = relativize(column.combine_chunks(), self.folder)
            columns.append(column)
        table = pa.table(columns, names=list(self._encoders))
        if not self._embed_schema:
            return table
        schema = msgspec.json.encode(self.rows_schema().to_dict())
        return table.replace_schema_metadata({parquet.EMBEDDED_SCHEMA: schema})


def _wrong_columns(missing: list[str], unknown: list[str], known: list[str]) -> ColumnError:
    parts = [f"missing: {', '.join(map(repr, missing))}"] if missing else []
    parts += [f"unknown: {', '.join(map(repr, unknown))}"] if unknown else []
    return ColumnError(
        f"The row does not have the table's columns ({'; '.join(parts)}).",
        hint=f"the columns are {', '.join(map(repr, known))}; None stands for a missing value.",
    )
