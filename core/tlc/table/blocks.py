"""Consecutive rows of a table, decoded, with a reader for each column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tlc.table.cells import CellReader, cell_reader
from tlc.table.decoders import Place, sample_reader

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.sample_types import SampleType
    from tlc.url import Url

Getters = list[tuple[str, Callable[[int], Any]]]
"""Names of columns, and what returns the value of a row, counted from the first of the block."""


class Block:
    """The rows from `first` to `stop`, without that; columns are added when they are needed.

    Attributes:
        first: Number of the first row.
        stop: Number of the row after the last.
        columns: The cells, by column. Change them by `put` and `drop` only.
        row_getters: What reads a row; None while that is not made, or columns have changed since.
        sample_getters: What reads a sample, likewise.
        sample_readers: Readers of columns in sample form, as far as they are made.
    """

    __slots__ = (
        "_cells",
        "columns",
        "first",
        "row_getters",
        "sample_getters",
        "sample_readers",
        "stop",
    )

    def __init__(self, first: int, stop: int) -> None:
        self.first = first
        self.stop = stop
        self.columns: dict[str, pa.Array] = {}
        self.row_getters: Getters | None = None
        self.sample_getters: Getters | None = None
        self.sample_readers: dict[str, CellReader] = {}
        self._cells: dict[str, CellReader] = {}

    def put(self, name: str, cells: pa.Array) -> None:
        """Add a column, or give it other memory."""
        self.columns[name] = cells
        self._forget(name)

    def drop(self, name: str) -> None:
        """Forget a column."""
        self.columns.pop(name, None)
        self._forget(name)

    def prepare_rows(self, names: Sequence[str]) -> Getters:
        """Make what reads rows with these columns, all of which are there."""
        self.row_getters = [(name, self.reader(name).one) for name in names]
        return self.row_getters

    def prepare_samples(self, sample_types: Mapping[str, SampleType], url: Url) -> Getters:
        """Make what reads samples with these columns, all of which are there."""
        self.add_readers(sample_types, url)
        self.sample_getters = [(name, self.sample_readers[name].one) for name in sample_types]
        return self.sample_getters

    def add_readers(self, sample_types: Mapping[str, SampleType], url: Url) -> None:
        """Make the readers of these columns in sample form."""
        for name, kind in sample_types.items():
            if name not in self.sample_readers:
                place, cells = Place(url, name, self.first), self.reader(name)
                self.sample_readers[name] = sample_reader(cells, self.columns[name], kind, place)

    def reader(self, name: str) -> CellReader:
        """Return the reader of the cells of a column, which is there."""
        if name not in self._cells:
            self._cells[name] = cell_reader(self.columns[name])
        return self._cells[name]

    def _forget(self, name: str) -> None:
        self._cells.pop(name, None)
        # A new one: a thread may be reading with what is in the old one.
        self.sample_readers = {n: r for n, r in self.sample_readers.items() if n != name}
        self.row_getters = self.sample_getters = None
