"""A row for each element of the lists in a column."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from tlc.constants import NUMBER_ROLE_INDEX
from tlc.errors import ColumnError
from tlc.format.names import check_column_name
from tlc.format.patching import numbers_as_cells
from tlc.format.plain import validity_of
from tlc.schemas import Int32Schema, Schema
from tlc.schemas.shapes import VARIABLE
from tlc.table.arrow_arrays import as_numbers
from tlc.table.derived import derive, edited
from tlc.table.paths import lengths_of, split_path
from tlc.table.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.table.draft import Draft
    from tlc.table.placement import NamedPlacement

T = TypeVar("T", bound=Reading)

MARK = "unrolled"
"""Key of the metadata that tells, for whoever rolls the rows up again, what a part was before."""

Names = tuple[str, ...]


class _Lists(NamedTuple):
    """Which elements of a table's lists become rows.

    Attributes:
        rows: The old row of each new one, ascending, int64.
        places: Its place in the lists, from 0.
        counts: How many elements each old row has.
    """

    rows: np.ndarray
    places: np.ndarray
    counts: np.ndarray


def unroll(table: T, path: str, number: str, keep_empty: bool, placement: NamedPlacement) -> T:
    """Write a table with a row for each element; see `Table.unroll`."""
    name, *names = split_path(table._schema, path)
    column, wanted = table._schema.values[name], tuple(names)
    parts = list(_lists_at(column, wanted, name))
    if not parts:
        raise ColumnError(
            f"There is no list in {path!r}.", hint="name a list, or annotations with lists in them."
        )
    if check_column_name(number) in table.columns:
        raise ColumnError(
            f"There is a column {number!r} already.", hint="number= gives another name."
        )

    def edit(draft: Draft) -> None:
        cells = table.column(name)
        lists = _common(table, path, cells, parts, keep_empty=keep_empty)
        unrolled = _unrolled(cells, parts, (), lists)
        draft.select(lists.rows)
        draft.put_column(name, _schema(column, parts, ()), unrolled)
        draft.put_column(number, _number_schema(path), _numbers(lists))

    operation = {"type": "unroll", "path": path, "number": number, "keep_empty": keep_empty}
    return derive(table, placement.get("table_name"), operation, edited(table, edit), placement)


def _lists_at(schema: Schema, wanted: Names, path: str, above: Names = ()) -> Iterator[Names]:
    """Yield the ways to the lists at a path: it itself, or those that its parts are.

    Raises:
        ColumnError: There is a list on the way.
    """
    if wanted:
        if schema.shape:
            raise ColumnError(
                f"{path!r} is a list itself, with {'.'.join(wanted)!r} in it.",
                hint="unroll that list first.",
            )
        part, below = schema.values[wanted[0]], f"{path}.{wanted[0]}"
        yield from _lists_at(part, wanted[1:], below, (*above, wanted[0]))
    elif schema.shape:
        yield above
    else:
        for name, part in schema.values.items():
            if part.shape[:1] == (VARIABLE,) or not part.shape:
                yield from _lists_at(part, (), f"{path}.{name}", (*above, name))


def part_of(cells: pa.Array, names: Sequence[str]) -> pa.Array:
    """Return a part of structs."""
    import pyarrow.compute as pc

    return pc.struct_field(cells, list(names)) if names else cells


def _common(
    table: Reading, path: str, cells: pa.Array, parts: list[Names], *, keep_empty: bool
) -> _Lists:
    """Return which elements there are.

    Raises:
        ColumnError: The lists of a row are not equally long. One that is missing may be any.
    """
    import numpy as np

    counts = np.zeros(len(cells), np.int64)
    found = [part_of(cells, names) for names in parts]
    for lists in found:
        np.maximum(counts, lengths_of(lists), out=counts)
    wrong = []
    for names, lists in zip(parts, found, strict=True):
        differs, valid = lengths_of(lists) != counts, validity_of(lists)
        if valid is not None:
            differs &= valid
        if differs.any():
            wrong.append((int(differs.argmax()), ".".join(names)))
    if wrong:
        row, name = min(wrong)
        raise ColumnError(
            f"Row {row} of {table.url}: {name!r} in {path!r} has not as many elements as the other "
            f"lists, {counts[row]}.",
            hint="unroll one list by its own path.",
        )
    rows_of_each = np.maximum(counts, 1) if keep_empty else counts
    rows = np.repeat(np.arange(len(counts)), rows_of_each)
    starts = np.repeat(rows_of_each.cumsum() - rows_of_each, rows_of_each)
    return _Lists(rows, np.arange(len(rows)) - starts, counts)


def _unrolled(cells: pa.Array, parts: Sequence[Names], above: Names, lists: _Lists) -> pa.Array:
    """Return the cells of the column as the new rows have them."""
    import pyarrow as pa

    if above in parts:
        return _elements(cells, lists)
    if not any(names[: len(above)] == above for names in parts):
        return cells.take(numbers_as_cells(lists.rows, pa.int64()))
    mask = None
    if cells.null_count:
        mask = cells.is_null().take(numbers_as_cells(lists.rows, pa.int64()))
    names = [part.name for part in cells.type]
    made = [_unrolled(part_of(cells, [name]), parts, (*above, name), lists) for name in names]
    return pa.StructArray.from_arrays(made, names, mask=mask)


def _elements(cells: pa.Array, lists: _Lists) -> pa.Array:
    """Return the elements of lists, one for each new row; missing where there is none."""
    import numpy as np

    lengths, elements = lengths_of(cells), cells.flatten()
    if len(elements) == len(lists.rows) and (lengths == lists.counts).all():
        return elements
    places = (lengths.cumsum() - lengths)[lists.rows] + lists.places
    is_there = lists.places < lengths[lists.rows]
    return elements.take(as_numbers(np.where(is_there, places, 0), is_there))


def _schema(schema: Schema, parts: Sequence[Names], above: Names) -> Schema:
    """Return the schema of the column with its lists gone, and marks of what it was."""
    if not any(names[: len(above)] == above for names in parts):
        return schema
    changed = copy.copy(schema)
    before = schema.metadata.get(MARK)
    mark: dict[str, Any] = {"sample_type": schema.sample_type}
    changed.metadata[MARK] = mark
    if before is not None:
        mark["before"] = before
    changed.sample_type = ""
    if above in parts:
        mark["length"] = schema.shape[0]
        changed.shape = schema.shape[1:]
    else:
        changed.values = {
            name: _schema(part, parts, (*above, name)) for name, part in schema.values.items()
        }
    return changed


def _number_schema(path: str) -> Schema:
    return Int32Schema(
        description=f"Place in {path}, from 0.",
        number_role=NUMBER_ROLE_INDEX,
        metadata={MARK: path},
        writable=False,
    )


def _numbers(lists: _Lists) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    numbers = lists.places.astype(np.int32)
    is_there = lists.places < lists.counts[lists.rows]
    if is_there.all():
        return numbers_as_cells(numbers, pa.int32())
    return as_numbers(numbers, is_there)
