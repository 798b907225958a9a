"""The part of `Table` that says what differs between two tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.table.reading import Reading
from tlc.table.view import TableView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table.diffing.result import TableDiff
    from tlc.url import Url


class Diffing(Reading):
    """Compares tables."""

    def diff(
        self,
        other: Reading | TableView | Url | str,
        by: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> TableDiff:
        """Return what changed from this table to another one: ``old.diff(new)``.

        The tables may be revisions of each other, on branches too, splits or joins of each other,
        or have nothing to do with each other but `by`. Rows are the same if their stable keys are,
        wherever they are now; of rows with one key, as after `unroll`, the first here is the first
        there, and so on: if one of them was deleted, those after it count as changed, and `by` had
        better name columns that tell them apart. What neither revision has written is not read:
        only cells that edits have touched are compared.

        Cells are compared as they are stored, with urls in place of images and arrays that have
        files of their own. NaN equals NaN, 0.0 equals -0.0, other floats must be equal exactly, and
        null equals null only. A number equals the same number of another type.

        Args:
            other: The newer table, or its url.
            by: What tells which row is which: None for the stable keys; ``"position"`` for the
                number of the row; or the path of a column, or a list of paths, whose values do. A
                column that is called so itself is ``["position"]``.
            columns: Compare only these; None for all.

        Returns:
            Rows and columns that were added, removed or moved, other schemas and names of values,
            and changed cells, whose values are read when they are asked for. It is false if there
            are none.

        Raises:
            OptionError: The tables have no origin in common, and `by` is None.
            ColumnNotFoundError: There is no such column.
            ColumnError: Rows cannot be told by `by`: it holds lists, or other types in the two.
            ObjectNotFoundError: There is no table at that url.
            CorruptObjectError: A file of one of them is damaged.
        """
        from tlc.table.diffing.result import diff_tables  # late: few programs compare tables

        if isinstance(other, TableView):
            other = other.source
        new = other if isinstance(other, Reading) else type(self).from_url(other)
        return diff_tables(self, new, by, columns)
