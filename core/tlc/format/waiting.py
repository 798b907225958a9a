"""Cells that wait to be written: numbers in arrays made once, everything else in pieces.

A batch costs one copy of its numbers then, whatever its size, and no objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.format.plain import as_numpy, numbers_of, validity_of
from tlc.schemas.values import BoolValue, NumericValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tlc.format.encode import ColumnEncoder

    Array = np.ndarray[Any, Any]


class Numbers:
    """The waiting cells of a column of plain numbers or booleans.

    Args:
        encoder: Of the column.
        capacity: How many cells it can hold.
    """

    def __init__(self, encoder: ColumnEncoder, capacity: int) -> None:
        self.dtype = np.dtype(encoder.type.to_pandas_dtype())
        self.values: Array = np.empty(capacity, self.dtype)
        self._encoder = encoder
        self._valid: Array | None = None

    @property
    def has_nulls(self) -> bool:
        """Whether some cell may be no number."""
        return self._valid is not None

    def put(self, values: Any, start: int, stop: int, first_row: int) -> None:
        """Put the cells of `values` at `start`; they count only once the batch is taken.

        Raises:
            CellError: A value does not fit.
        """
        values = as_numpy(values)
        if not self._encoder.is_limited and self._put_numbers(values, start, stop):
            self.put_validity(None, start, stop)
        else:
            self.put_cells(self._encoder.encode(values, first_row), start, stop)

    def put_cells(self, cells: pa.Array, start: int, stop: int) -> None:
        """Put cells of the column's own type at `start`."""
        self.put_numbers(numbers_of(cells), validity_of(cells), start, stop)

    def put_numbers(self, values: Array, valid: Array | None, start: int, stop: int) -> None:
        """Put numbers of the column's own type at `start`, those that `valid` says."""
        self.values[start:stop] = values
        self.put_validity(valid, start, stop)

    def put_validity(self, valid: Array | None, start: int, stop: int) -> None:
        """Note which of the cells from `start` are no numbers: those where `valid` is false."""
        if valid is not None and self._valid is None:
            self._valid = np.ones(len(self.values), bool)
        if self._valid is not None:
            self._valid[start:stop] = True if valid is None else valid

    def _put_numbers(self, values: Any, start: int, stop: int) -> bool:
        if type(values) is not np.ndarray or values.ndim != 1:
            return False
        if values.dtype is self.dtype or _holds(self.dtype, values.dtype):
            self.values[start:stop] = values
        elif values.dtype.kind == "i" and self.dtype.kind == "i":
            self.values[start:stop] = values
            if not (self.values[start:stop] == values).all():
                return False
        else:
            return False
        return True

    def cells(self, start: int, stop: int) -> pa.Array:
        """Return cells that share this array's memory, but for booleans."""
        import pyarrow as pa

        values = self.values[start:stop]
        valid = None if self._valid is None else self._valid[start:stop]
        if valid is not None and valid.all():
            valid = None
        if values.dtype.kind == "b":
            values = np.packbits(values, bitorder="little")
        bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
        # Not `pa.array`, whose first call imports pandas.
        return pa.Array.from_buffers(self._encoder.type, stop - start, [bits, pa.py_buffer(values)])

    def clear(self) -> None:
        """Forget which cells were no numbers."""
        self._valid = None


def holds_numbers(encoder: ColumnEncoder) -> bool:
    """Whether the cells of a column are plain numbers or booleans."""
    kinds = NumericValue | BoolValue
    return encoder.is_plain and not encoder.schema.shape and isinstance(encoder.schema.value, kinds)


def capacity_within(encoders: Mapping[str, ColumnEncoder], rows: int, size: int) -> int:
    """Return how many rows may wait: `rows`, or fewer if their numbers took more than `size` bytes.

    At least one.
    """
    plain = [each for each in encoders.values() if holds_numbers(each)]
    bytes_per_row = 1 + sum(-(-each.type.bit_width // 8) for each in plain)
    return min(rows, max(1, size // bytes_per_row))


def _holds(wanted: np.dtype[Any], found: np.dtype[Any]) -> bool:
    """Whether every value of `found` is one of `wanted`, and means the same there."""
    kinds = {"i": "iu", "u": "u", "f": "iuf", "b": "b"}[wanted.kind]
    return found.kind in kinds and np.can_cast(found, wanted)


class Waiting:
    """Rows that wait to be written.

    Args:
        encoders: Of the columns, by name, in order.
        capacity: How many rows it can hold.
        size: How many bytes of other columns than numbers make it full, too.
    """

    def __init__(self, encoders: Mapping[str, ColumnEncoder], capacity: int, size: int) -> None:
        self.encoders = encoders
        self.capacity = capacity
        self.count = 0
        plain = {name: each for name, each in encoders.items() if holds_numbers(each)}
        self.numbers = {name: Numbers(each, capacity) for name, each in plain.items()}
        self.others = {name: each for name, each in encoders.items() if name not in plain}
        self._direct = [(n, column.values, column.dtype) for n, column in self.numbers.items()]
        self._takes_arrays = not self.others and not any(e.is_limited for e in plain.values())
        self._pieces: list[tuple[int, dict[str, pa.Array]]] = []
        self._piece_bytes, self._size = 0, size

    @property
    def is_full(self) -> bool:
        """Whether it is time to write the rows."""
        return self.count >= self.capacity or self._piece_bytes >= self._size

    def add_arrays(self, batch: Mapping[str, Any]) -> int:
        """Add a batch of arrays of the columns' own types, and return how many rows it has.

        Returns 0, and adds nothing, where that is not what the batch is, or where there is no room.
        """
        if not self._takes_arrays or len(batch) != len(self._direct):
            return 0
        start = stop = self.count
        place = slice(start, stop)
        for name, target, kind in self._direct:
            values = batch.get(name)
            if type(values) is not np.ndarray or values.dtype is not kind or values.ndim != 1:
                return 0
            if stop == start:
                stop += len(values)
                if not start < stop <= self.capacity:
                    return 0
                place = slice(start, stop)
            elif len(values) != stop - start:
                return 0
            target[place] = values
        for column in self.numbers.values():
            if column.has_nulls:
                column.put_validity(None, start, stop)
        self.count = stop
        return stop - start

    def add_cells(self, cells: Mapping[str, pa.Array], count: int) -> None:
        """Add rows as cells of the columns' own types; numbers may be there already, by `put`."""
        start, stop = self.count, self.count + count
        for name, column in self.numbers.items():
            if name in cells:
                column.put_cells(cells[name], start, stop)
        if self.others:
            piece = {name: cells[name] for name in self.others}
            # What an interrupted call has left does not count.
            while self._pieces and self._pieces[-1][0] >= start:
                self._pieces.pop()
            self._pieces.append((start, piece))
            self._piece_bytes += sum(each.nbytes for each in piece.values())
        self.count = stop

    def cells(self, name: str) -> pa.ChunkedArray:
        """Return the cells of one column; those of numbers share its memory."""
        import pyarrow as pa

        if name in self.numbers:
            return pa.chunked_array([self.numbers[name].cells(0, self.count)])
        found = [piece[name] for start, piece in self._pieces if start < self.count]
        return pa.chunked_array(found, self.others[name].type)

    def clear(self) -> None:
        """Forget all rows; nobody may use their cells any more."""
        self.count = 0
        self._pieces, self._piece_bytes = [], 0
        for column in self.numbers.values():
            column.clear()
