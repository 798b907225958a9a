"""The cells at a dotted path of a table, what is in their lists, and which of them are equal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tlc.errors import ColumnError
from tlc.format.plain import numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.table.reading import Reading


class Codes(NamedTuple):
    """Numbers that are equal where values are.

    Attributes:
        codes: One number per value, int64, from 0 and without gaps, in the order of appearance.
        different: How many different ones there are.
    """

    codes: np.ndarray
    different: int


class Elements(NamedTuple):
    """What is in the lists of cells, one after the other.

    Attributes:
        rows: The row of each, ascending, int64.
        values: An Arrow array.
    """

    rows: np.ndarray
    values: pa.Array


def split_path(schema: Schema, path: str) -> list[str]:
    """Return the names on the way to a part of `schema`.

    Raises:
        ColumnNotFoundError: There is no such part.
    """
    schema.find(path)
    names: list[str] = []
    while path:
        head = path if path in schema.values else path.partition(".")[0]
        names.append(head)
        schema, path = schema.values[head], path[len(head) + 1 :]
    return names


def cells_at(table: Reading, path: str) -> pa.Array:
    """Return the cells at a dotted path: one per row, or a list per row if lists lie on the way.

    Raises:
        ColumnNotFoundError: There is no such part.
    """
    column, *parts = split_path(table._schema, path)
    cells = table.column(column)
    for name in parts:
        cells = _part(cells, name)
    return cells


def elements_of(cells: pa.Array) -> Elements:
    """Return what is in the lists of cells, however deep; the cells themselves if they are none."""
    import numpy as np

    rows = np.arange(len(cells), dtype=np.int64)
    while is_list(cells.type):
        rows = np.repeat(rows, lengths_of(cells))
        cells = cells.flatten()
    return Elements(rows, cells)


def lengths_of(cells: pa.Array) -> np.ndarray:
    """Return the lengths of lists, int64; 0 for one that is missing."""
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.list_value_length(cells)
    if lengths.null_count:
        lengths = pc.fill_null(lengths, 0)
    return numbers_of(lengths).astype(np.int64)


def is_list(kind: pa.DataType) -> bool:
    """Whether cells of an Arrow type are lists, of fixed size or not."""
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind))


def codes_of(values: pa.Array) -> Codes:
    """Return which of some values are equal; missing ones are equal to each other.

    Raises:
        TypeError: They are lists or structs.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_nested(values.type):
        raise TypeError(f"{values.type} values are not compared")
    if pa.types.is_floating(values.type):
        values = pc.add(values, pa.scalar(0.0, values.type))  # makes zeros of both signs one
    encoded = values.dictionary_encode(null_encoding="encode")
    return Codes(numbers_of(encoded.indices).astype(np.int64), len(encoded.dictionary))


def groups_by(table: Reading, paths: Sequence[str]) -> Codes:
    """Return which rows are equal at all of some paths.

    Raises:
        ColumnNotFoundError: There is no such part.
        ColumnError: Its values are lists or structs.
    """
    import numpy as np

    codes, count = np.zeros(len(table), np.int64), 1
    for path in paths:
        try:
            more = codes_of(cells_at(table, path))
        except TypeError as error:
            raise ColumnError(
                f"Rows cannot be grouped by {path!r}: {error}.",
                hint="give the path of numbers or texts, one per row.",
            ) from error
        # At most as many as there are rows, each: 64 bits hold the pairs.
        codes, count = compact(codes * max(1, more.different) + more.codes)
    return Codes(codes, count)


def compact(numbers: np.ndarray) -> Codes:
    """Return numbers as codes: from 0 and without gaps, in the order of appearance."""
    import pyarrow as pa

    from tlc.format.patching import numbers_as_cells

    return codes_of(numbers_as_cells(numbers, pa.int64()))


def with_part(
    cells: pa.Array, names: Sequence[str], change: Callable[[pa.Array], pa.Array]
) -> pa.Array:
    """Return cells with the values at a path changed, as many of a type that may be another one.

    Args:
        cells: The cells of a column, or of a part of it.
        names: The way to the part from there.
        change: Gets all values of the part, those in lists one after the other.
    """
    import pyarrow as pa

    if not names and not is_list(cells.type):
        return change(cells)
    if cells.offset:
        cells = pa.concat_arrays([cells])  # the from_arrays below know no offsets
    mask = cells.is_null() if cells.null_count else None
    if is_list(cells.type):
        inner = with_part(cells.values, names, change)
        return rebuilt_list(cells, inner, mask)
    parts = [
        with_part(cells.field(i), names[1:], change) if part.name == names[0] else cells.field(i)
        for i, part in enumerate(cells.type)
    ]
    return pa.StructArray.from_arrays(parts, [part.name for part in cells.type], mask=mask)


def rebuilt_list(cells: pa.Array, inner: pa.Array, mask: pa.Array | None) -> pa.Array:
    """Return lists as long as `cells`, which have no offset, of other values."""
    import pyarrow as pa

    if pa.types.is_list(cells.type):
        return pa.ListArray.from_arrays(cells.offsets, inner, mask=mask)
    return pa.FixedSizeListArray.from_arrays(inner, cells.type.list_size, mask=mask)


def paths_of(by: str | Sequence[str] | None) -> list[str]:
    """Return one or several paths as a list."""
    if by is None:
        return []
    return [by] if isinstance(by, str) else list(by)


def _part(cells: pa.Array, name: str) -> pa.Array:
    """Return a part of structs, in lists too."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not is_list(cells.type):
        return pc.struct_field(cells, [name])
    if cells.offset:
        cells = pa.concat_arrays([cells])  # the from_arrays below know no offsets
    mask = cells.is_null() if cells.null_count else None
    return rebuilt_list(cells, _part(cells.values, name), mask)
