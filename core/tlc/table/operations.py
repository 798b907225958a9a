"""The part of `Table` that makes other tables of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, Unpack

from tlc.table.placement import NamedPlacement, Placement, check_placement, placed
from tlc.table.reading import Reading
from tlc.url.references import follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from tlc.table.selecting import Condition
    from tlc.url import Url


REDUCE_EMBEDDINGS = "reduce_embeddings"
"""Type of the operation that makes reduced columns, and names the ``model`` that made them."""


class Operations(Reading):
    """Splits, selections and groups of rows.

    Each is a table of its own that names this one among its `input_tables`; it is no revision, so
    `latest` does not lead there. Where rows stay what they are nothing is copied, and they keep
    their stable keys, so that metrics of one table are found from the other.
    """

    @property
    def model_url(self) -> Url | None:
        """Where the reducer of embeddings is stored that made columns of this table, else None.

        `tlc.reduction.load_reducer` reads it.

        Raises:
            CorruptObjectError: It is said to be at a web server that the table did not come from.
        """
        edits = self._manifest.operation.get("edits", ())
        found = [edit["model"] for edit in edits if edit.get("type") == REDUCE_EMBEDDINGS]
        return follow(found[0], self.url) if found else None

    @placed(Placement)
    def split(
        self,
        splits: Mapping[str, float | None],
        *,
        strategy: str = "random",
        by: str | Sequence[str] | None = None,
        seed: int = 0,
        **placement: Unpack[Placement],
    ) -> dict[str, Self]:
        """Split the rows into several tables, each row into one of them.

        The numbers of rows are exact: fractions are rounded by the method of the largest remainder.
        Equal arguments give equal splits, on every machine. Rows keep their order.

        Args:
            splits: Name of each new table to its share: a fraction, a whole number of rows, or None
                for the rest.
            strategy: ``"random"``; ``"stratified"``: each split has its share of each class, to the
                next whole number, or nearly so if a row has several labels; ``"group"``: rows of
                one group stay together, so that the numbers of rows are only about right;
                ``"ordered"``: the first rows go to the first split, and so on.
            by: For ``"stratified"`` the column of the classes, or several, whose combinations
                count; a path to the labels of annotations such as
                ``"bbs.instances_additional_data.label"``. For ``"group"`` the column that is equal
                in a group; rows without a value are one group.
            seed: Another one gives other splits.
            placement: See below.

        Raises:
            OptionError: The shares do not make up all rows, or a split would get none; or the
                strategy is unknown, or lacks `by`.
            ColumnNotFoundError: There is no such column.
            ColumnError: Rows cannot be grouped by what is in it.
        """
        from tlc.table.split import split

        check_placement(placement, "split")
        return split(self, splits, strategy, by, seed, placement)

    @placed()
    def coreset(
        self,
        size: float,
        by: str | Sequence[str] | None = None,
        *,
        strategy: str = "balanced",
        seed: int = 0,
        **placement: Unpack[NamedPlacement],
    ) -> Self:
        """Make a table of fewer rows that stands for this one.

        Args:
            size: How many rows, or a fraction of them.
            by: The column of the classes, several, or a path to the labels of annotations.
            strategy: ``"balanced"``: equally many rows of each class, and all of those that have
                fewer; with labels of annotations about equally many rows with each label.
                ``"stratified"``: classes as frequent as they are here. ``"random"``: without `by`.
            seed: Another one gives other rows.
            placement: See below.

        Raises:
            OptionError: There are fewer rows, or the strategy is unknown, or lacks `by`.
            ColumnNotFoundError: There is no such column.
            ColumnError: Rows cannot be grouped by what is in it.
        """
        from tlc.table.coreset import coreset

        check_placement(placement, "coreset")
        return coreset(self, size, by, strategy, seed, placement)

    @placed()
    def keep(
        self, indices: Sequence[int] | np.ndarray, **placement: Unpack[NamedPlacement]
    ) -> Self:
        """Make a table of some rows, in the order given.

        Args:
            indices: Row numbers, none of them twice; negative ones count from the end.
            placement: See below.

        Raises:
            RowIndexError: There is no such row, or one is named twice.
            RowIndexTypeError: These are no row numbers.
        """
        from tlc.table.selecting import keep

        check_placement(placement, "keep")
        return keep(self, indices, placement)

    @placed()
    def filter(self, condition: Condition, **placement: Unpack[NamedPlacement]) -> Self:
        """Make a table of the rows that meet a condition.

        A condition is a text, which is read by a parser of its own and never executed::

            label == 'cat' and width >= 100
            label in ['cat', 'dog'] or not url contains 'draft'
            len(bbs.instances) > 3 and any(bbs.instances_additional_data.label == 'cat')

        It knows ``== != < <= > >=``, ``in [...]``, ``is null``, ``contains``, ``startswith``,
        ``endswith``, ``and or not`` (``& | ~`` mean the same), brackets, and ``any all len min max
        sum`` for lists. Classes have their names. A missing value meets no comparison, nor its
        opposite. For anything else give a function.

        Args:
            condition: A text; or a function that gets the cells, by dotted path, as NumPy arrays
                and returns one boolean per row.
            placement: See below.

        Raises:
            ExpressionError: The condition cannot be read, or does not fit the columns.
            ColumnNotFoundError: It names a column that is not there.
        """
        from tlc.table.selecting import filter_rows

        check_placement(placement, "filter")
        return filter_rows(self, condition, placement)

    @placed()
    def sort(
        self,
        by: str | Sequence[str],
        *,
        descending: bool | Sequence[bool] = False,
        **placement: Unpack[NamedPlacement],
    ) -> Self:
        """Make a table of the same rows in another order.

        Args:
            by: Dotted path of a column, or of several, the most important first. Equal rows stay in
                their order; NaN and missing values come last.
            descending: Whether the largest come first; one flag, or one for each column.
            placement: See below.

        Raises:
            ColumnNotFoundError: There is no such column.
            ColumnError: It holds lists or structs.
            OptionError: There is no column, or not one flag for each.
        """
        from tlc.table.selecting import sort

        check_placement(placement, "sort")
        return sort(self, by, descending, placement)

    @placed()
    def reduce(
        self,
        by: str | Sequence[str],
        *,
        how: str | Mapping[str, str] = "mean",
        columns: Sequence[str] | None = None,
        count: str | None = None,
        **placement: Unpack[NamedPlacement],
    ) -> Self:
        """Make a table with one row for each group of rows that are equal in some columns.

        Groups come in the order of their first rows, and are new rows, with keys of their own.

        Args:
            by: The columns that are equal in a group; a missing value is equal to another one.
            how: ``"mean"``, ``"min"``, ``"max"``, ``"sum"`` or ``"first"``, for all columns or by
                name, and ``"mean"`` for the others. The mean of booleans is the fraction that is
                true; that of classes and texts the most frequent one, of several the first; that of
                arrays of one shape is an array; of other lists and structs it is the first. Missing
                values do not count.
            columns: The other columns to take along; None for all.
            count: Name of a column with the number of rows of each group; None for none.
            placement: See below.

        Raises:
            ColumnNotFoundError: There is no such column.
            ColumnError: A column cannot be reduced like that.
            OptionError: There is no such `how`.
        """
        from tlc.table.reduce import reduce

        check_placement(placement, "reduce")
        return reduce(self, by, how, columns, count, placement)

    @placed()
    def unroll(
        self,
        path: str,
        *,
        number: str = "instance",
        keep_empty: bool = False,
        **placement: Unpack[NamedPlacement],
    ) -> Self:
        """Make a table with one row for each element of the lists in a column.

        The column gets the element in place of the list; the others repeat, which takes no space.
        Of annotations, such as ``"bbs"``, all lists become rows together: the boxes, their labels
        and what else they have. Rows keep the key of the row that they come from. `roll_up` makes
        lists again.

        Args:
            path: Dotted path of a list, or of annotations with lists in them.
            number: Name of a new column: the place in the list, from 0.
            keep_empty: Whether a row without elements stays, with missing values in place of one.
            placement: See below.

        Raises:
            ColumnNotFoundError: There is no such column.
            ColumnError: There is no list, or not as many elements in one as in the others; or there
                is a column of the name `number`.
        """
        from tlc.table.unroll import unroll

        check_placement(placement, "unroll")
        return unroll(self, path, number, keep_empty, placement)

    @placed()
    def roll_up(
        self,
        by: str | Sequence[str] | None = None,
        columns: str | Sequence[str] | None = None,
        **placement: Unpack[NamedPlacement],
    ) -> Self:
        """Make a table with one row for each group of rows, and lists of what they hold.

        Lists are in the order of the rows, groups in that of their first rows; columns that do not
        become lists have the value of the first row. After `unroll` with ``keep_empty=True``,
        ``roll_up()`` gives the rows as they were, but that missing lists are empty ones.

        Args:
            by: The columns that are equal in a group, whose rows are new then; None for rows that
                were unrolled from one row.
            columns: Paths of what becomes lists; None for all that was unrolled.
            placement: See below.

        Raises:
            ColumnNotFoundError: There is no such column.
            ColumnError: Nothing was unrolled and nothing is named, or rows are there twice.
        """
        from tlc.table.roll_up import roll_up

        check_placement(placement, "roll_up")
        return roll_up(self, by, columns, placement)
