"""What differs between two tables, and the work of finding it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tlc.errors import ColumnNotFoundError
from tlc.table.diffing.cells import CellChanges, changed_cells
from tlc.table.diffing.rows import RowMatch, match_rows, moved_rows
from tlc.table.diffing.schemas import (
    SchemaChange,
    ValueMapChange,
    schema_changes,
    value_map_changes,
)
from tlc.table.display import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from tlc.table.reading import Reading
    from tlc.table.table import Table

    Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TableDiff:
    """What has to be done to the old table to make the new one. It is false if that is nothing.

    Printed, it is a summary. Row numbers are int64 arrays. A row that others were deleted before
    has another number, but was not moved.

    Attributes:
        old: The old table.
        new: The new table.
        rows: Which rows both have, and which only one.
        moved_from: Numbers in the old table of the fewest rows that must be moved.
        moved_to: The same rows as the new table numbers them.
        added_columns: Columns that only the new table has.
        dropped_columns: Columns that only the old table has.
        schemas: Columns that mean something else than they did, by name.
        value_maps: Values that have other names than they had.
        cells: Columns of which cells changed, in rows that both tables have, by name.
    """

    old: Table
    new: Table
    rows: RowMatch
    moved_from: Rows
    moved_to: Rows
    added_columns: tuple[str, ...]
    dropped_columns: tuple[str, ...]
    schemas: Mapping[str, SchemaChange]
    value_maps: tuple[ValueMapChange, ...]
    cells: Mapping[str, CellChanges]

    @property
    def added(self) -> Rows:
        """Numbers in the new table of the rows that the old one does not have."""
        return self.rows.added

    @property
    def removed(self) -> Rows:
        """Numbers in the old table of the rows that the new one does not have."""
        return self.rows.removed

    def __bool__(self) -> bool:
        rows = (self.added, self.removed, self.moved_from)
        columns = (self.added_columns, self.dropped_columns, self.schemas, self.value_maps)
        return any(len(each) for each in (*rows, *columns, self.cells))

    def summary(self) -> dict[str, Any]:
        """Return numbers of rows and of changed cells, and names of columns, as JSON data."""
        return {
            "old": str(self.old.url),
            "new": str(self.new.url),
            "rows": {
                "in_both": len(self.rows.old),
                "added": len(self.added),
                "removed": len(self.removed),
                "moved": len(self.moved_from),
            },
            "added_columns": list(self.added_columns),
            "dropped_columns": list(self.dropped_columns),
            "schemas": {name: str(change) for name, change in self.schemas.items()},
            "value_maps": [
                {"path": c.path, "value": c.value, "old": c.old_name, "new": c.new_name}
                for c in self.value_maps
            ],
            "cells": {name: len(changes) for name, changes in self.cells.items()},
        }

    def __str__(self) -> str:
        return "\n".join([f"{self.old.url} -> {self.new.url}", *self._lines()])

    def __repr__(self) -> str:
        return str(self)

    def _lines(self) -> list[str]:
        if not self:
            return [f"  no differences in {counted(len(self.rows.old), 'row')}"]
        counts = [
            (len(self.rows.old), "in both"),
            (len(self.added), "added"),
            (len(self.removed), "removed"),
            (len(self.moved_from), "moved"),
        ]
        lines = ["rows: " + ", ".join(f"{count:,} {what}" for count, what in counts if count)]
        lines += [f"added columns: {', '.join(self.added_columns)}"] if self.added_columns else []
        dropped = ", ".join(self.dropped_columns)
        lines += [f"dropped columns: {dropped}"] if dropped else []
        lines += [f"{name}: {change}" for name, change in self.schemas.items()]
        lines += map(str, self.value_maps)
        lines += [
            f"{name}: {counted(len(changes), 'cell')}" for name, changes in self.cells.items()
        ]
        return [f"  {line}" for line in lines]


def diff_tables(
    old: Reading,
    new: Reading,
    by: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    match: RowMatch | None = None,
) -> TableDiff:
    """Compare two tables; see `Table.diff`. Which rows are the same may be known already."""
    _check_names(old, new, columns)
    names = [name for name in old.columns if name in new._schema.values]
    names = [name for name in names if columns is None or name in columns]
    match = match_rows(old, new, by) if match is None else match
    moved = moved_rows(match)
    return TableDiff(
        old=cast("Table", old),
        new=cast("Table", new),
        rows=match,
        moved_from=match.old[moved],
        moved_to=match.new[moved],
        added_columns=_only_in(new, old, columns),
        dropped_columns=_only_in(old, new, columns),
        schemas=schema_changes(old, new, names),
        value_maps=tuple(value_map_changes(old, new, names)),
        cells=changed_cells(old, new, match, names),
    )


def _only_in(table: Reading, other: Reading, columns: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(
        name
        for name in table.columns
        if name not in other._schema.values and (columns is None or name in columns)
    )


def _check_names(old: Reading, new: Reading, columns: Sequence[str] | None) -> None:
    there = dict.fromkeys([*old.columns, *new.columns])
    for name in columns or ():
        if name not in there:
            raise ColumnNotFoundError(
                f"Neither {old.url} nor {new.url} has a column {name!r}.",
                hint=f"there are {', '.join(map(repr, there)) or 'no columns'}.",
            )
