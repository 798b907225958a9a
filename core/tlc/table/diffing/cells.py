"""The cells of a column that differ between two tables."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tlc.format.patching import numbers_as_cells
from tlc.format.relative import relativize
from tlc.table.diffing.equality import differing
from tlc.table.diffing.storage import Cells, Storage
from tlc.table.display import counted

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    import numpy.typing as npt

    from tlc.table.diffing.rows import RowMatch
    from tlc.table.reading import Reading

    Rows = npt.NDArray[np.int64]

_CELLS_AT_ONCE = 1 << 17


@dataclass(frozen=True, eq=False)
class CellChanges:
    """The cells of one column that are not what they were. Its length is their number.

    Attributes:
        column: Name of the column.
        old_rows: Row numbers in the old table, int64, ascending.
        new_rows: The same rows as the new table numbers them.
    """

    column: str
    old_rows: Rows
    new_rows: Rows
    _tables: tuple[Reading, Reading]

    def __len__(self) -> int:
        return len(self.old_rows)

    def __repr__(self) -> str:
        return f"CellChanges: {counted(len(self), 'cell')} of {self.column!r}"

    @cached_property
    def old(self) -> pa.Array:
        """What the cells were, in row form; read when it is first asked for.

        Raises:
            CorruptObjectError: A data file is damaged.
        """
        return self._values(0, self.old_rows)

    @cached_property
    def new(self) -> pa.Array:
        """What the cells are now; see `old`."""
        return self._values(1, self.new_rows)

    def first(self, count: int) -> CellChanges:
        """Return the first `count` of them."""
        return CellChanges(self.column, self.old_rows[:count], self.new_rows[:count], self._tables)

    def to_arrow(self) -> pa.Table:
        """Return the columns ``old_row``, ``new_row``, ``old`` and ``new`` as an Arrow table."""
        rows = [numbers_as_cells(each, pa.int64()) for each in (self.old_rows, self.new_rows)]
        return pa.table([*rows, self.old, self.new], names=["old_row", "new_row", "old", "new"])

    def _values(self, side: int, rows: Rows) -> pa.Array:
        cells = Cells(self._tables[side], self.column, in_order=_ascending(rows))
        return cells.take(rows)


def changed_cells(
    old: Reading, new: Reading, match: RowMatch, names: Sequence[str]
) -> dict[str, CellChanges]:
    """Return the cells that differ in the rows that two tables have in common.

    Args:
        old: The old table.
        new: The new table.
        match: Which rows are the same.
        names: Columns that both have.

    Returns:
        Column to its changes, for those columns that have some.

    Raises:
        CorruptObjectError: A data file is damaged.
    """
    files: dict[Hashable, int] = {}
    stores = Storage(old, files), Storage(new, files)
    found = {}
    for name in names:
        first, second = (store.codes(name) for store in stores)
        at = np.flatnonzero(first[match.old] != second[match.new])  # else it is one stored cell
        parts = list(_differing(old, new, name, match.old[at], match.new[at]))
        places = at[np.concatenate([np.empty(0, np.int64), *parts])]
        if len(places):
            found[name] = CellChanges(name, match.old[places], match.new[places], (old, new))
    return found


def _differing(
    old: Reading, new: Reading, name: str, old_rows: Rows, new_rows: Rows
) -> Iterator[Rows]:
    """Yield which of some cells differ, a part at a time."""
    first = Cells(old, name, in_order=True)
    second = Cells(new, name, in_order=_ascending(new_rows))
    for start in range(0, len(old_rows), _CELLS_AT_ONCE):
        part = slice(start, start + _CELLS_AT_ONCE)
        was, now = first.take(old_rows[part]), second.take(new_rows[part])
        differ = differing(was, now)
        if differ.any():
            differ &= differing(*_as_stored(old, new, name, was, now))
        yield np.flatnonzero(differ) + start


def _as_stored(
    old: Reading, new: Reading, name: str, was: pa.Array, now: pa.Array
) -> tuple[pa.Array, pa.Array]:
    """Return cells with urls of bulk data relative to their table, as files hold them.

    So a table is equal to its copy in another place, which has copies of its files. Their names
    are such that no two tables write the same one.
    """
    if old.url.parent == new.url.parent:
        return was, now
    schemas = old._schema.values[name], new._schema.values[name]
    return relativize(was, old.url, schemas[0]), relativize(now, new.url, schemas[1])


def _ascending(rows: Rows) -> bool:
    return bool((rows[1:] > rows[:-1]).all())
