"""What the datasets over tables have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.errors import ColumnNotFoundError, OptionError
from tlc.helpers import AnnotationHelper
from tlc.integration.super_gradients.images import as_is, check_column
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.helpers import AnnotationColumn, AnnotationType

__all__ = ["TableDataset", "annotation_column", "check_table"]


class TableDataset(TableView):
    """A dataset whose sample i is row i of a table.

    It is a view of the table, so that its metrics are known to be about it.

    Args:
        table: The table.
        image_column_name: Its column of images.
        label_column_name: Its column of labels.

    Raises:
        ColumnNotFoundError: There is no such column of images.
    """

    def __init__(self, table: Table, image_column_name: str, label_column_name: str) -> None:
        check_column(table, image_column_name)
        super().__init__(table, as_is)
        self.image_column_name = image_column_name
        self.label_column_name = label_column_name

    def read(self, index: int, *columns: str) -> list[Any]:
        """Return the samples of columns of a row.

        Args:
            index: Number of the row.
            *columns: Names of the columns.
        """
        batch = self.source.get_batch([index], columns)
        return [batch[name][0] for name in columns]

    def __getitems__(self, indices: Sequence[int], finish: Any = None) -> list[Any]:
        """Return several samples; what a ``DataLoader`` calls for a batch."""
        if finish is None:
            return [self[index] for index in indices]
        return [finish(self[index], index) for index in indices]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url})"


def check_table(table: Any) -> None:
    """Check that a dataset gets a table.

    Raises:
        OptionError: It is something else, such as a view of one.
    """
    if not isinstance(table, Table):
        raise OptionError(
            f"A dataset needs a tlc.Table, and got {type(table).__name__!r}.",
            hint="give the table itself, and transforms to the dataset.",
        )


def annotation_column(table: Table, name: str | None, *kinds: AnnotationType) -> AnnotationColumn:
    """Return a column of annotations.

    Args:
        table: The table.
        name: Its name, or a path within it such as that of the labels; None for the first one.
        *kinds: What it may hold.

    Raises:
        ColumnNotFoundError: There is no such column.
        SchemaError: The column that is named holds no annotations.
        OptionError: It holds others.
    """
    wanted = " or ".join(kind.value for kind in kinds)
    if name is None:
        found = [each for kind in kinds for each in AnnotationHelper.find(table, kind)]
        if found:
            return found[0]
        raise ColumnNotFoundError(
            f"{table.url} has no column of {wanted}.", hint="give label_column_name."
        )
    column = AnnotationHelper.get(table, name.partition(".")[0])
    if column.type not in kinds:
        raise OptionError(
            f"Column {column.name!r} of {table.url} holds {column.type.value}, not {wanted}.",
            hint="give another label_column_name.",
        )
    return column
