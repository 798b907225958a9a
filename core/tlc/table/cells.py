"""Cells of Arrow arrays as plain Python values, at the speed of NumPy.

A column is looked at once. That gives a reader of the right kind, which then reads one cell,
several or a range of them. What readers return is new on each call, so callers may change it.

Everything here runs once per cell of an epoch, so it is a little less plain than the rest.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tlc.format.plain import numbers_of, validity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa


class CellReader:
    """Reads the cells of one array.

    Attributes:
        one: Returns the value of a row; None where it is null.
        is_number: Whether values are numbers or booleans.
    """

    one: Callable[[int], Any]
    is_number = False

    def span(self, start: int, stop: int) -> list[Any]:
        """Return the values of the rows from `start` to `stop`, without that."""
        return list(map(self.one, range(start, stop)))

    def many(self, rows: np.ndarray) -> list[Any]:
        """Return the values of some rows."""
        return list(map(self.one, rows.tolist()))

    def array(self, row: int) -> np.ndarray | None:
        """Return the numbers of a row as an array that may be changed; None if they are none."""
        return None

    def decoded(self, row: int) -> Any:
        """Return the value of a row with lists of numbers in it as arrays, which may be changed."""
        found = self.array(row)
        return self.one(row) if found is None else found

    def decoder(self) -> Callable[[int], Any]:
        """Return what `decoded` does, as fast as it can be done."""
        return self.decoded

    def part(self, path: Sequence[str]) -> CellReader | None:
        """Return the reader of a part of structs; None if there is none in every row."""
        return None if path else self

    def of_valid(self) -> CellReader:
        """Return a reader for rows that are known not to be null."""
        return self

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the numbers of some rows as one array; None if they do not form one.

        A missing float is NaN; for other missing numbers there is nothing, and so no array.
        """
        return None


def cell_reader(array: pa.Array) -> CellReader:
    """Return a reader of the cells of `array`."""
    reader = _reader(array)
    valid = validity_of(array)
    return reader if valid is None else _Nullable(reader, valid)


def numeric_view(array: pa.Array) -> np.ndarray | None:
    """Return an array of numbers, or of lists of them of one length, as NumPy, without copying.

    Booleans are unpacked. Null cells have an undefined value. Returns None for other types.
    """
    import pyarrow as pa

    type_ = array.type
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_) or pa.types.is_floating(type_):
        return numbers_of(array)
    if pa.types.is_fixed_size_list(type_) and type_.list_size > 0:
        length = type_.list_size
        values = array.values.slice(array.offset * length, len(array) * length)
        view = None if values.null_count else numeric_view(values)
        return None if view is None else view.reshape(len(array), length, *view.shape[1:])
    return None


def starts_of_texts(array: pa.Array) -> np.ndarray:
    """Return the first byte of each text of an array that is neither null nor empty.

    Of codes it returns those of the entries.
    """
    import numpy as np
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary
    text = array.buffers()[2]
    if not text:
        return np.empty(0, np.uint8)
    ends = _offsets(array)
    present, valid = ends[1:] > ends[:-1], validity_of(array)
    starts = ends[:-1][present if valid is None else present & valid]
    return np.frombuffer(text, np.uint8).take(starts)


def _reader(array: pa.Array) -> CellReader:
    import pyarrow as pa

    type_ = array.type
    view = numeric_view(array)
    if view is not None:
        return _Numbers(view) if view.ndim == 1 else _Arrays(view)
    if pa.types.is_dictionary(type_):
        return _Codes(array)
    if pa.types.is_string(type_):
        return _Texts(array)
    if pa.types.is_fixed_size_list(type_):
        return _FixedLists(array)
    if pa.types.is_list(type_):
        return _Lists(array)
    if pa.types.is_struct(type_):
        return _Structs(array)
    return _Others(array)


class _Numbers(CellReader):
    is_number = True

    def __init__(self, view: np.ndarray) -> None:
        self._view = view
        self.one = view.item

    def span(self, start: int, stop: int) -> list[Any]:
        return self._view[start:stop].tolist()

    def many(self, rows: np.ndarray) -> list[Any]:
        return self._view.take(rows).tolist()

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        return self._view.take(rows)


class _Arrays(CellReader):
    """Fixed-size lists of numbers, also several deep."""

    def __init__(self, view: np.ndarray) -> None:
        self._view = view
        self.one = lambda row: view[row].tolist()

    def span(self, start: int, stop: int) -> list[Any]:
        return self._view[start:stop].tolist()

    def many(self, rows: np.ndarray) -> list[Any]:
        return self._view.take(rows, axis=0).tolist()

    def array(self, row: int) -> np.ndarray | None:
        return self._view[row].copy()

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        return self._view.take(rows, axis=0)


class _Texts(CellReader):
    def __init__(self, array: pa.Array) -> None:
        self._array = array
        # Of all ways to take a part of the text this is the fastest.
        text, at = memoryview(array.buffers()[2] or b""), _offsets(array).data
        self.one = lambda row: text[at[row] : at[row + 1]].tobytes().decode()

    def span(self, start: int, stop: int) -> list[Any]:
        return self._array.slice(start, stop - start).to_pylist()

    def many(self, rows: np.ndarray) -> list[Any]:
        return _taken(self._array, rows).to_pylist()


class _Codes(CellReader):
    """Texts that are codes of a few entries."""

    def __init__(self, array: pa.DictionaryArray) -> None:
        self._codes = codes = numbers_of(array.indices)
        self._entries = entries = array.dictionary.to_pylist()
        code = codes.item
        self.one = lambda row: entries[code(row)]

    def span(self, start: int, stop: int) -> list[Any]:
        return list(map(self._entries.__getitem__, self._codes[start:stop].tolist()))

    def many(self, rows: np.ndarray) -> list[Any]:
        return list(map(self._entries.__getitem__, self._codes.take(rows).tolist()))


class _Lists(CellReader):
    def __init__(self, array: pa.Array) -> None:
        self._ends = ends = _offsets(array)
        self._items = items = cell_reader(array.values)
        self._view = view = None if array.values.null_count else numeric_view(array.values)
        at, span = ends.data, items.span
        if view is None:
            self.one = lambda row: span(at[row], at[row + 1])
        else:
            self.one = lambda row: view[at[row] : at[row + 1]].tolist()

    def span(self, start: int, stop: int) -> list[Any]:
        ends = self._ends[start : stop + 1].tolist()
        first = ends[0]
        items = self._items.span(first, ends[-1])
        return [items[a - first : b - first] for a, b in pairwise(ends)]

    def many(self, rows: np.ndarray) -> list[Any]:
        """Read the items of all lists at once, and cut them apart."""
        import numpy as np

        starts = self._ends.take(rows)
        lengths = self._ends.take(rows + 1) - starts
        stops = lengths.cumsum(dtype=np.int64)
        before = stops - lengths
        numbers = np.repeat(starts - before, lengths)
        items = self._items.many(numbers + np.arange(len(numbers)))
        return [items[a:b] for a, b in zip(before.tolist(), stops.tolist(), strict=True)]

    def array(self, row: int) -> np.ndarray | None:
        if self._view is None:
            return None
        return self._view[self._ends[row] : self._ends[row + 1]].copy()

    def decoder(self) -> Callable[[int], Any]:
        view, at = self._view, self._ends.data  # faster to index than the array
        if view is None:
            return self.decoded
        return lambda row: view[at[row] : at[row + 1]].copy()

    def decoded(self, row: int) -> Any:
        found = self.array(row)
        if found is not None:
            return found
        at, item = self._ends.data, self._items.decoded
        return [item(number) for number in range(at[row], at[row + 1])]


class _FixedLists(CellReader):
    """Fixed-size lists of anything but numbers that are all there."""

    def __init__(self, array: pa.Array) -> None:
        self._size = size = array.type.list_size
        self._first = first = array.offset
        self._items = items = cell_reader(array.values)
        span = items.span
        self.one = lambda row: span((first + row) * size, (first + row + 1) * size)

    def span(self, start: int, stop: int) -> list[Any]:
        size = self._size
        items = self._items.span((self._first + start) * size, (self._first + stop) * size)
        return [items[k * size : (k + 1) * size] for k in range(stop - start)]

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        import numpy as np

        size = self._size
        places = (rows[:, None] + self._first) * size + np.arange(size)
        items = self._items.arrays(places.ravel())
        return None if items is None else items.reshape(len(rows), size, *items.shape[1:])


class _Structs(CellReader):
    def __init__(self, array: pa.Array) -> None:
        kind = array.type
        self._names = [kind.field(number).name for number in range(kind.num_fields)]
        self._parts = [cell_reader(array.field(number)) for number in range(kind.num_fields)]
        readers = [(n, part.one) for n, part in zip(self._names, self._parts, strict=True)]
        self.one = lambda row: {name: read(row) for name, read in readers}

    def decoded(self, row: int) -> Any:
        parts = zip(self._names, self._parts, strict=True)
        return {name: part.decoded(row) for name, part in parts}

    def part(self, path: Sequence[str]) -> CellReader | None:
        if not path:
            return self
        name, *rest = path
        return self._parts[self._names.index(name)].part(rest) if name in self._names else None

    def span(self, start: int, stop: int) -> list[Any]:
        return dicts(self._names, [part.span(start, stop) for part in self._parts], stop - start)

    def many(self, rows: np.ndarray) -> list[Any]:
        return dicts(self._names, [part.many(rows) for part in self._parts], len(rows))


class _Others(CellReader):
    """Cells of types that Arrow has to turn into values, such as bytes."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array
        self.one = lambda row: array[row].as_py()

    def span(self, start: int, stop: int) -> list[Any]:
        return self._array.slice(start, stop - start).to_pylist()


class _Nullable(CellReader):
    def __init__(self, cells: CellReader, valid: np.ndarray) -> None:
        self._cells = cells
        self._valid = valid
        self.is_number = cells.is_number
        is_valid, one = valid.data, cells.one
        self.one = lambda row: one(row) if is_valid[row] else None

    def decoded(self, row: int) -> Any:
        return self._cells.decoded(row) if self._valid[row] else None

    def of_valid(self) -> CellReader:
        return self._cells

    def span(self, start: int, stop: int) -> list[Any]:
        return _masked(self._cells.span(start, stop), self._valid[start:stop])

    def many(self, rows: np.ndarray) -> list[Any]:
        return _masked(self._cells.many(rows), self._valid.take(rows))

    def arrays(self, rows: np.ndarray) -> np.ndarray | None:
        valid, found = self._valid.take(rows), self._cells.arrays(rows)
        if found is None or valid.all():
            return found
        if found.dtype.kind != "f":
            return None
        found[~valid] = float("nan")
        return found


def dicts(names: list[str], columns: list[list[Any]], count: int) -> list[dict[str, Any]]:
    """Return `count` dictionaries, made of the values of columns."""
    if not columns:
        return [{} for _ in range(count)]
    # To say strict=True takes a fifth of the time.
    return [dict(zip(names, row)) for row in zip(*columns)]  # noqa: B905


def _taken(array: pa.Array, rows: np.ndarray) -> pa.Array:
    """Return some cells; the rows, which exist, are not checked again."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(rows)])
    return pc.call_function("array_take", [array, numbers], pc.TakeOptions(boundscheck=False))


def _masked(values: list[Any], valid: np.ndarray) -> list[Any]:
    return [v if ok else None for v, ok in zip(values, valid.tolist(), strict=True)]


def _offsets(array: pa.Array) -> np.ndarray:
    import numpy as np

    offsets = array.buffers()[1]
    if not offsets:
        return np.zeros(len(array) + 1, np.int32)
    return np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
