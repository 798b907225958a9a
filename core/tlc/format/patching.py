"""Columns with some of their cells replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.plain import numbers_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

_FEW = 64


def patched(column: pa.Array, rows: pa.Array, values: pa.Array) -> pa.Array:
    """Return `column` with ``values[k]`` in row ``rows[k]``; the last of equal rows counts."""
    if len(rows) == 0:
        return column
    numbers = numbers_of(rows)
    values = values if values.type == column.type else values.cast(column.type)
    if _is_plain(column) and _is_plain(values):
        return _with_numbers(column, numbers, values)
    if len(numbers) <= _FEW and (numbers[1:] > numbers[:-1]).all():
        return _pieced(column, numbers.tolist(), values)
    return _taken(column, numbers, values)


def patch_fresh(column: pa.Array, rows: np.ndarray[Any, Any], values: pa.Array) -> pa.Array:
    """Return `column` as `patched` does, in the same memory if possible.

    Only for a column that was just decoded, so that nobody else can see it change.
    """
    data = column.buffers()[1] if _is_plain(column) and _is_plain(values) else None
    if data is None or not data.is_mutable or values.type != column.type:
        import pyarrow as pa

        return patched(column, numbers_as_cells(rows, pa.int64()), values)
    numbers_of(column)[rows] = numbers_of(values)
    return column


def taken(cells: pa.Array, rows: np.ndarray[Any, Any]) -> pa.Array:
    """Return some of the cells."""
    import pyarrow as pa

    if _is_plain(cells):  # `take` of Arrow's loads its compute functions, which takes long
        return numbers_as_cells(numbers_of(cells).take(rows), cells.type)
    return cells.take(numbers_as_cells(rows, pa.int64()))


def numbers_as_cells(numbers: np.ndarray[Any, Any], type_: pa.DataType) -> pa.Array:
    """Return numbers as an Arrow array that shares their memory."""
    import pyarrow as pa

    # Not `pa.array`, whose first call imports pandas.
    return pa.Array.from_buffers(type_, len(numbers), [None, pa.py_buffer(numbers)])


def _is_plain(cells: pa.Array) -> bool:
    import pyarrow as pa

    numbers = pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)
    return bool(numbers) and cells.null_count == 0


def _with_numbers(column: pa.Array, rows: np.ndarray[Any, Any], values: pa.Array) -> pa.Array:
    numbers = numbers_of(column).copy()
    # Of equal row numbers NumPy lets the last win.
    numbers[rows] = numbers_of(values)
    return numbers_as_cells(numbers, column.type)


def _pieced(column: pa.Array, rows: list[int], values: pa.Array) -> pa.Array:
    import pyarrow as pa

    pieces, start = [], 0
    for position, row in enumerate(rows):
        pieces += [column.slice(start, row - start), values.slice(position, 1)]
        start = row + 1
    return pa.concat_arrays([*pieces, column.slice(start)])


def _taken(column: pa.Array, rows: np.ndarray[Any, Any], values: pa.Array) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    index = np.arange(len(column), dtype=np.int64)
    index[rows] = np.arange(len(column), len(column) + len(rows), dtype=np.int64)
    return taken(pa.concat_arrays([column, values]), index)
