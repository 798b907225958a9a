"""Vectors in the cells of a column: out of Arrow, and back in the same lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from tlc.errors import ColumnError
from tlc.format.patching import numbers_as_cells
from tlc.format.plain import is_numeric, numbers_of, validity_of
from tlc.reduction.reducer import Pieces, finite
from tlc.schemas.arrow import arrow_type
from tlc.table.arrow_arrays import as_booleans
from tlc.table.paths import is_list, lengths_of, rebuilt_list, split_path
from tlc.table.unroll import part_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.reduction.reducer import Vectors
    from tlc.schemas import Schema
    from tlc.table import Table


class _Found(NamedTuple):
    """Vectors, and the lists around them, the outermost first."""

    vectors: Vectors
    lists: list[pa.Array]


class ColumnPieces(Pieces):
    """The vectors of a column that are finite, read from the files a part at a time.

    Args:
        table: The table.
        path: Dotted path of the column.

    Raises:
        ColumnError: The column holds no vectors, or they differ in length.
    """

    def __init__(self, table: Table, path: str) -> None:
        self._table = table
        self._path = path
        self.length = length_of(table, path)

    def __iter__(self) -> Iterator[Vectors]:
        """Yield the vectors of a part of the rows."""
        start = 0
        for cells in parts_at(self._table, self._path):
            where = _Where(self._table, self._path, start)
            found = _vectors(cells, where, self.length, only_valid=True).vectors
            is_finite = finite(found)
            yield found if is_finite.all() else found[is_finite]
            start += len(cells)


class _Where(NamedTuple):
    """What messages say of cells."""

    table: Table
    path: str
    start: int = 0

    def __str__(self) -> str:
        return f"{self.path!r} of {self.table.url}"


def holds_vectors(schema: Schema) -> bool:
    """Whether a part of a schema is numbers in lists."""
    kind = arrow_type(schema)
    if not is_list(kind):
        return False
    while is_list(kind):
        kind = kind.value_type
    return is_numeric(kind)


def parts_at(table: Table, path: str) -> Iterator[pa.Array]:
    """Yield the cells at a dotted path, a part of the rows at a time."""
    column, *names = split_path(table.rows_schema, path)
    for part in table.column_parts([column]):
        yield part_of(part[column], names)


def length_of(table: Table, path: str) -> int:
    """Return how long the vectors of a column are.

    Raises:
        ColumnError: The schema does not tell, and there are none.
    """
    kind = arrow_type(table.rows_schema.find(path))
    while is_list(kind.value_type):
        kind = kind.value_type
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    for cells in parts_at(table, path):
        lengths = lengths_of(_peeled(cells, only_valid=True)[0])
        if len(lengths := lengths[lengths > 0]):
            return int(lengths[0])
    raise ColumnError(
        f"There are no vectors in {path!r} of {table.url}: {len(table):,} rows, none with numbers.",
        hint="name a column of vectors with source_embedding_column=.",
    )


def reduced_cells(
    cells: pa.Array,
    table: Table,
    path: str,
    start: int,
    length: int,
    reduce: Callable[[Vectors], Vectors],
) -> pa.Array:
    """Return what becomes of vectors, in the same lists, as fixed-size lists of float32.

    Args:
        cells: Cells of a column, or a part of them.
        table: The table, for messages.
        path: Dotted path of the column, for messages.
        start: Row of the first cell, for messages.
        length: How long the vectors must be.
        reduce: Gets vectors of shape (n, length), with NaN for those that are missing, and
            returns (n, k).

    Raises:
        ColumnError: A vector has another length.
    """
    where = _Where(table, path, start)
    found = _vectors(cells, where, length, only_valid=False)
    reduced = reduce(found.vectors)
    numbers = np.ascontiguousarray(reduced, np.float32)
    made: pa.Array = pa.FixedSizeListArray.from_arrays(
        numbers_as_cells(numbers.reshape(-1), pa.float32()), numbers.shape[1]
    )
    for outer in reversed(found.lists):
        mask = outer.is_null() if outer.null_count else None
        made = rebuilt_list(outer, made, mask)
    return made


def _vectors(cells: pa.Array, where: _Where, length: int, *, only_valid: bool) -> _Found:
    inner, lists = _peeled(cells, only_valid=only_valid)
    valid = validity_of(inner)
    if pa.types.is_fixed_size_list(inner.type):
        _check_lengths(inner.type.list_size != length, inner.type.list_size, length, where, 0)
    else:
        lengths = lengths_of(inner)
        is_wrong = lengths != length if valid is None else (lengths != length) & valid
        at = int(is_wrong.argmax()) if len(is_wrong) else 0
        _check_lengths(
            bool(is_wrong.any()),
            int(lengths[at]) if len(lengths) else 0,
            length,
            where,
            _row_of(at, lists),
        )
    present = inner if valid is None else inner.filter(as_booleans(valid))
    numbers = present.flatten()
    vectors = _as_float32(numbers).reshape(len(present), length)
    if valid is None or only_valid:
        return _Found(vectors, lists)
    all_of_them = np.full((len(inner), length), np.nan, np.float32)
    all_of_them[valid] = vectors
    return _Found(all_of_them, lists)


def _peeled(cells: pa.Array, *, only_valid: bool) -> tuple[pa.Array, list[pa.Array]]:
    """Return lists of numbers, and the lists that they lie in."""
    lists: list[pa.Array] = []
    while is_list(cells.type) and is_list(cells.type.value_type):
        if cells.offset:
            cells = pa.concat_arrays([cells])  # the from_arrays of lists know no offsets
        lists.append(cells)
        cells = cells.flatten() if only_valid else cells.values
    return cells, lists


def _row_of(place: int, lists: list[pa.Array]) -> int:
    """Return the outermost list that the inner list at a place lies in."""
    for outer in reversed(lists):
        ends = np.cumsum(lengths_of(outer))
        place = int(np.searchsorted(ends, place, side="right"))
    return place


def _as_float32(numbers: pa.Array) -> np.ndarray:
    """Return numbers as float32, NaN where they are missing or too large."""
    valid = validity_of(numbers)
    with np.errstate(over="ignore"):
        found = numbers_of(numbers).astype(np.float32, copy=False)
    if valid is not None:
        found = np.where(valid, found, np.float32(np.nan))
    return found


def _check_lengths(wrong: bool, found: int, length: int, where: _Where, row: int) -> None:
    if wrong:
        raise ColumnError(
            f"Row {where.start + row} of {where}: a vector of {found} numbers, where others have "
            f"{length}.",
            hint="a reducer takes vectors of one length.",
        )
