"""Writes the data files of a table, row by row or batch by batch, with flat memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnError
from tlc.format import parquet
from tlc.format.bulk import BulkFolder
from tlc.format.declared import checked_columns, checked_schemas
from tlc.format.encode import ColumnEncoder, common_length
from tlc.format.infer import infer_column, inferred_column
from tlc.format.manifest import Data, FileEntry, Stack
from tlc.format.names import check_column_name
from tlc.format.plain import as_column, as_numpy, combine
from tlc.format.row_columns import Constant, RowColumns
from tlc.format.segments import Segments
from tlc.format.single_rows import SingleRows
from tlc.format.waiting import Waiting, capacity_within
from tlc.format.writer_name import new_writer
from tlc.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.url import Url

ROWS_PER_FILE = parquet.ROWS_PER_GROUP
BYTES_PER_FILE = 32 << 20
_SINGLE_ROWS = 4096


class RowBuilder:
    """Collects rows and writes them to Parquet files below a table's folder.

    A row or batch is taken whole or not at all: if one of its values does not fit, nothing of it is
    kept and the builder goes on. Rows that were taken are never dropped: while there is no space on
    the disk they wait in memory and a warning says so; when too many wait, no more are taken.

    `flush` may be called by any thread, everything else by one at a time.

    Args:
        folder: The table's folder.
        schema: Schemas of columns; columns without one get theirs from the first values.
        path: Maps a writer and the number of a file to its path below the folder.
        embed_schema: Put the schema into each file, for files that are read before there is a
            manifest.
        constants: Further columns with one value for all rows.
        bytes_per_file: Write what has come in when it takes about this much memory.
        watch: Gets each table of rows that is about to be written.
    """

    def __init__(
        self,
        folder: Url,
        schema: Mapping[str, Schema],
        *,
        path: Callable[[str, int], str] = lambda writer, number: (
            f"data/{writer}-{number:05d}.parquet"
        ),
        embed_schema: bool = False,
        constants: Mapping[str, Any] | None = None,
        bytes_per_file: int = BYTES_PER_FILE,
        watch: Callable[[pa.Table], object] = lambda rows: None,
    ) -> None:
        self.folder = folder
        self.row_count = 0
        self._declared = checked_schemas(schema)
        self._constants = dict(constants or {})
        self._columns: RowColumns | None = None
        self._waiting: Waiting | None = None
        self._rows: SingleRows | None = None
        self._writer = new_writer()
        self._segments = Segments(folder, lambda number: path(self._writer, number))
        self._embed_schema = embed_schema
        self._bytes_per_file = bytes_per_file
        self._watch = watch
        self._empty_at = time.monotonic()
        self._lock = threading.RLock()
        self._busy = False

    @property
    def files(self) -> list[FileEntry]:
        """The files written so far."""
        return self._segments.files

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises:
            ColumnError: A column is missing or unknown.
            CellError: A value does not fit its schema.
            StorageFullError: So many rows wait for a full disk that no more are taken.
        """
        with self._lock:
            rows = self._rows
            if rows is not None and rows.take(row, self.row_count):
                self.row_count += 1
                return
            self._busy = True
            try:
                self._segments.check_room()
                self._add_row(checked_columns(row))
                self.row_count += 1
            finally:
                self._busy = False
        self._write_if_due()

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length.

        Raises:
            ColumnError: A column is missing, unknown, or not a sequence.
            ColumnLengthError: The columns differ in length.
            CellError: A value does not fit its schema.
            StorageFullError: So many rows wait for a full disk that no more are taken.
        """
        with self._lock:
            self._busy = True
            try:
                self._segments.check_room()
                self._drain()
                count = self._waiting.add_arrays(batch) if self._waiting is not None else 0
                self.row_count += count or self._add_batch(checked_columns(batch))
            finally:
                self._busy = False
        self._write_if_due()

    def flush(self) -> None:
        """Write all rows that have come in to a file of their own.

        Raises:
            StorageFullError: There is no space left; the rows are kept.
        """
        self._seal()
        self._segments.write()

    def flush_if_older(self, seconds: float) -> None:
        """Write the rows that have come in if one of them may have waited for `seconds`.

        Rows may have waited since the last call that found none; so nothing is noted as they come.

        After a failure it warns once, keeps the rows, and tries again at the next call.
        """
        now = time.monotonic()
        if not (self._waiting or (self._rows and self._rows.count)):
            self._empty_at = now
        elif now - self._empty_at >= seconds:
            self._seal()
        self._segments.write_if_due()

    def finish(self, origin: str) -> Stack:
        """Write the rest and return the layers; `origin` is the id of the table."""
        self.flush()
        columns = tuple(self.rows_schema().values)
        return Stack(self.row_count, (Data(columns, tuple(self.files), origin),))

    def rows_schema(self) -> Schema:
        """Return the schema of a row, as far as it is known."""
        return self._columns.schema if self._columns else Schema(values=self._declared)

    def _add_row(self, row: Mapping[str, Any]) -> None:
        """Add a row that is the first, or has other values than the usual Python ones."""
        if self._rows is not None and self._rows.is_full:
            self._drain()
            if self._rows.take(row, self.row_count):
                return
        columns = self._columns or self._start({name: [value] for name, value in row.items()})[0]
        row = columns.completed(row)
        admitted: dict[str, Any] = {}
        wider: dict[str, ColumnEncoder] = {}
        for name, encoder in columns.encoders.items():
            try:
                admitted[name] = encoder.admit(row[name], self.row_count)
            except ValueError as error:
                wider[name] = self._wider(encoder, [row[name]], error)
                admitted[name] = wider[name].admit(row[name], self.row_count)
        if wider:
            columns = columns.with_encoders(wider)
            self._waiting, self._rows = self._widened(columns), None
        if self._rows is None:
            capacity = min(_SINGLE_ROWS, self._capacity(columns))
            self._rows = SingleRows(columns.encoders, capacity)
        self._columns = columns
        self._rows.add(admitted)

    def _add_batch(self, batch: Mapping[str, Any]) -> int:
        """Add any batch and return how many rows it has."""
        count = common_length(batch)
        values = {name: as_column(each) for name, each in batch.items()}
        columns = self._columns
        if columns is None:
            columns, values = self._start(values)
        given = columns.completed(values, count)
        waiting = self._ready(columns, count)
        start, first = waiting.count, self.row_count
        fits = start + count <= waiting.capacity
        cells: dict[str, pa.Array] = {}
        wider: dict[str, ColumnEncoder] = {}
        for name, encoder in columns.encoders.items():
            try:
                if fits and name in waiting.numbers:
                    waiting.numbers[name].put(given[name], start, start + count, first)
                else:
                    cells[name] = encoder.encode(given[name], first)
            except ValueError as error:
                wider[name] = self._wider(encoder, given[name], error)
                cells[name] = wider[name].encode(given[name], first)
        if wider:
            columns = columns.with_encoders(wider)
            for name, column in waiting.numbers.items():
                if name not in cells:
                    cells[name] = column.cells(start, start + count)
            waiting = self._widened(columns) or self._ready(columns, count)
            self._rows = None
        self._columns = columns
        if fits:
            waiting.add_cells(cells, count)
            self._waiting = waiting
        else:
            self._hand_over()
            self._put(cells.__getitem__, count, None)
        return count

    def _start(self, values: Mapping[str, Any]) -> tuple[RowColumns, dict[str, Any]]:
        """Return the columns, those declared and those of the first rows, and their values.

        Values whose cells show in passing come back as cells.
        """
        names = list(self._declared)
        own = [*values, *self._constants]
        if not set(own) <= self._declared.keys():
            # The data name columns that nobody declared: keep the order of the data.
            names = [*own, *(name for name in names if name not in own)]
        if not names:
            raise ColumnError("A row without columns cannot be stored.")
        found = dict(values)
        encoders: dict[str, ColumnEncoder] = {}
        constants: dict[str, Constant] = {}
        for name in names:
            schema = self._declared.get(name)
            if name in self._constants:
                constants[name] = self._constant(name, schema)
                continue
            if schema is None:
                # Before the first row, only columns that nobody declared have to be there.
                schema, found[name] = inferred_column(check_column_name(name), values[name])
            encoders[name] = self._encoder(name, schema)
        return RowColumns(encoders, constants, tuple(names)), found

    def _constant(self, name: str, schema: Schema | None) -> Constant:
        value = [self._constants[name]]
        encoder = self._encoder(name, schema or infer_column(check_column_name(name), value))
        return Constant(encoder, encoder.encode(value))

    def _encoder(self, name: str, schema: Schema) -> ColumnEncoder:
        files = BulkFolder(self.folder, name, self._writer, schema.bulk_data_location)
        return ColumnEncoder(name, schema, files)

    def _capacity(self, columns: RowColumns) -> int:
        return capacity_within(columns.encoders, ROWS_PER_FILE, self._bytes_per_file)

    def _ready(self, columns: RowColumns, count: int) -> Waiting:
        """Return where the next `count` rows go; there is room for them if there ever is."""
        waiting = self._waiting
        if waiting is not None and waiting.count + count > waiting.capacity:
            self._hand_over()
            waiting = None
        if waiting is None:
            waiting = self._segments.take_spare(columns.encoders)
        if waiting is None:
            waiting = Waiting(columns.encoders, self._capacity(columns), self._bytes_per_file)
        return waiting

    def _wider(self, encoder: ColumnEncoder, values: Any, error: ValueError) -> ColumnEncoder:
        """Return an encoder of an inferred column that takes `values` too, as well as all so far.

        Raises:
            ValueError: `error`, if there is none, or some rows are on disk already.
        """
        name = encoder.name
        if name in self._declared or not self._segments.is_empty:
            raise error
        self._drain()
        known = combine(self._waiting.cells(name)) if self._waiting is not None else None
        try:
            samples = encoder.samples(known) if known is not None else []
            wider = self._encoder(name, infer_column(name, [*samples, *_items(values)]))
            if known is not None:
                wider.encode(known)
        except ValueError:
            raise error from None
        return wider

    def _widened(self, columns: RowColumns) -> Waiting | None:
        """Return the rows that wait as wider columns hold them; None if there are none."""
        old = self._waiting
        if old is None:
            return None
        waiting = Waiting(columns.encoders, old.capacity, self._bytes_per_file)
        cells = {name: combine(old.cells(name)) for name in columns.encoders}
        for name, encoder in columns.encoders.items():
            if encoder is not old.encoders[name]:
                cells[name] = encoder.encode(cells[name])
        waiting.add_cells(cells, old.count)
        return waiting

    def _drain(self) -> None:
        """Make columns of the rows that came one by one."""
        rows, columns = self._rows, self._columns
        if rows is None or columns is None or not rows.count:
            return
        count, values, valid = rows.take_out()
        waiting = self._waiting = self._ready(columns, count)
        start, stop, first = waiting.count, waiting.count + count, self.row_count - count
        cells: dict[str, pa.Array] = {}
        for name, encoder in columns.encoders.items():
            if name in valid:
                waiting.numbers[name].put_numbers(values[name], valid[name], start, stop)
            elif name in waiting.numbers:
                waiting.numbers[name].put(values[name], start, stop, first)
            else:
                cells[name] = encoder.encode(values[name], first)
        waiting.add_cells(cells, count)

    def _seal(self) -> None:
        """Hand all rows over to be written; not if a signal came in the middle of such work."""
        with self._lock:
            if self._busy:
                return
            self._busy = True
            try:
                self._drain()
                self._hand_over()
            finally:
                self._busy = False

    def _hand_over(self) -> None:
        self._empty_at = time.monotonic()
        waiting, self._waiting = self._waiting, None
        if waiting is not None and waiting.count:
            self._put(waiting.cells, waiting.count, waiting)

    def _put(self, cells: Callable[[str], Any], count: int, waiting: Waiting | None) -> None:
        assert self._columns is not None
        table = self._columns.table(cells, count, self.folder)
        self._watch(table)
        if self._embed_schema:
            table = table.replace_schema_metadata(self._columns.metadata)
        self._segments.put(table, waiting)

    def _write_if_due(self) -> None:
        waiting = self._waiting
        if waiting is not None and waiting.is_full:
            self._seal()
        self._segments.write_if_due()


def _items(values: Any) -> Any:
    """Return values one by one, of arrays with the type that they have there."""
    if hasattr(values, "to_pylist"):
        return values.to_pylist()
    return as_numpy(values) if getattr(values, "ndim", 1) == 1 else values
