"""Where the cells of a column are stored: what lies in one place of one file is the same value.

Revisions share the files that they did not change. So most cells need not be read to know that they
are equal, but for those that edits have written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tlc.format.manifest import Concat, Data, FileEntry, Stack, Take
from tlc.format.nodes import Place
from tlc.format.parquet import data_file, read_column
from tlc.format.patching import taken
from tlc.format.stack import StackReader, file_identity
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from tlc.table.reading import Reading

    Rows = npt.NDArray[np.int64]

_ROW_BITS = 40
_MANY = 1 << 24  # so many rows that there had better be as many


class Storage:
    """Tells where the cells of a table lie.

    Args:
        table: The table.
        files: Numbers of the files; shared by the tables whose cells are to be compared.
    """

    def __init__(self, table: Reading, files: dict[Hashable, int]) -> None:
        self._stack = table._manifest.stack
        self._folder = table.url
        self._place = Place(table.url, {}, {})
        self._files = files
        self._selections: dict[tuple[str, int], Rows] = {}

    def codes(self, name: str) -> Rows:
        """Return a number for each cell of a column.

        Cells that have one number in two tables are one stored cell.

        Raises:
            CorruptObjectError: A file that says which rows were changed or kept is damaged.
        """
        codes = self._codes(self._stack, name)
        if codes is None or len(codes) != self._stack.row_count:
            raise self._place.damaged(f"they do not make {self._stack.row_count} cells of {name!r}")
        return codes

    def _codes(self, stack: Stack, name: str) -> Rows | None:
        codes: Rows | None = None
        for layer in stack.layers:
            if isinstance(layer, Concat):
                parts = [self._codes(part, name) for part in layer.inputs]
                known = [part for part in parts if part is not None]
                empty = np.empty(0, np.int64)
                codes = np.concatenate([empty, *known]) if len(known) == len(parts) else None
            elif isinstance(layer, Data):
                if name in layer.columns:
                    parts = [self._numbers(entry) for entry in layer.files]
                    codes = np.concatenate([np.empty(0, np.int64), *parts])
            elif isinstance(layer, Take):
                codes = None if codes is None else codes[self._rows(layer.file, len(codes))]
            elif layer.column == name and codes is not None:
                rows = self._rows(layer.file, len(codes))
                codes[rows] = self._numbers(layer.file)
        return codes

    def _numbers(self, entry: FileEntry) -> Rows:
        """Return the codes of the cells of a column in a file, which differ from file to file."""
        identity: Hashable = object()  # of a file that is not finished no digest is known
        if entry.digest:
            identity = file_identity(entry, self._folder)
        if entry.rows > _MANY:
            data_file(self._folder, entry).group_rows()  # refuses a file that has not as many
        number = self._files.setdefault(identity, len(self._files))
        return np.arange(entry.rows, dtype=np.int64) + (number << _ROW_BITS)

    def _rows(self, entry: FileEntry, count: int) -> Rows:
        """Return the row numbers in a file, which are those of `count` rows."""
        key = entry.path, count
        if key not in self._selections:
            parts = read_column(self._folder, entry, "row").chunks
            self._selections[key] = self._place.row_numbers(parts, entry, count)
        return self._selections[key]


class Cells:
    """Reads some cells of a column, no more of it than it must.

    Args:
        table: The table.
        name: The column.
        in_order: Whether ascending rows will be asked for, a part at a time: then none is kept.
    """

    def __init__(self, table: Reading, name: str, *, in_order: bool) -> None:
        self._table, self._name = table, name
        self._in_order = in_order
        schema = table._schema.values[name]
        self._type = arrow_type(schema)
        types, schemas = {name: self._type}, {name: schema}
        self._reader = StackReader(table._manifest.stack, table.url, types, schemas)

    def take(self, rows: Rows) -> pa.Array:
        """Return the cells of some rows, in their order.

        Raises:
            CorruptObjectError: A data file is damaged.
            ColumnError: They, or the column if they are not in order, are more than an Arrow array
                can hold.
        """
        if not self._in_order:
            return taken(self._table.column(self._name), rows)
        bounds = np.asarray(self._reader.bounds())
        parts = [pa.array([], self._type)]
        places = np.searchsorted(rows, bounds)
        for start, stop, low, high in zip(
            bounds.tolist(), bounds[1:].tolist(), places.tolist(), places[1:].tolist(), strict=False
        ):
            if low < high:
                cells = self._reader.read([self._name], start, stop)[self._name]
                whole = high - low == stop - start
                parts.append(cells if whole else taken(cells, rows[low:high] - start))
        return parts[1] if len(parts) == 2 else pa.concat_arrays(parts)
