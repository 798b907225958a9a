"""Class labels of a table: which column has them, and what they were when metrics were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tlc.constants import LABEL, NUMBER_ROLE_LABEL
from tlc.errors import ColumnError, ColumnNotFoundError
from tlc.format.plain import numbers_of, validity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.run.metrics_reader import MetricsPart
    from tlc.table import Table

    Labels = npt.NDArray[np.int64]


def label_column(table: Table, name: str | None = None) -> str:
    """Return the name of the column with one class label for each row.

    Args:
        table: The table.
        name: That column, if it is known. None for the only one that says so in its schema, as
            `CategoricalLabelSchema` does, or else the one called ``label``.

    Raises:
        ColumnNotFoundError: There is no such column.
        ColumnError: Several could be meant.
    """
    columns = table.rows_schema.values
    if name is None:
        found = [
            each
            for each, schema in columns.items()
            if getattr(schema.value, "number_role", "") == NUMBER_ROLE_LABEL and not schema.shape
        ]
        if len(found) > 1 and LABEL not in found:
            raise ColumnError(
                f"{table.url} has several columns of labels: {', '.join(found)}.",
                hint="name one of them with label=.",
            )
        name = found[0] if len(found) == 1 else LABEL
    if name not in columns:
        raise ColumnNotFoundError(
            f"{table.url} has no column of labels {name!r}.",
            hint=f"name one with label=; there are {', '.join(columns)}.",
        )
    return name


def labels_of(table: Table, name: str) -> Labels:
    """Return the labels of a table's rows, int64 of shape ``(len(table),)``; -1 where none is.

    Raises:
        ColumnNotFoundError: There is no such column.
        ColumnError: It does not hold one whole number for each row.
    """
    cells = table.column(name)
    if not str(cells.type).startswith(("int", "uint")):
        raise ColumnError(f"Column {name!r} of {table.url} holds {cells.type}, not class labels.")
    labels, valid = numbers_of(cells).astype(np.int64), validity_of(cells)
    is_label = labels >= 0 if valid is None else valid & (labels >= 0)
    return np.where(is_label, labels, -1)


def collected_labels(parts: Sequence[MetricsPart], table: Table, name: str) -> Labels:
    """Return the labels of rows as they were in the tables that metrics are about.

    Args:
        parts: The metrics tables; of several labels of a row that of the last one counts.
        table: The table whose rows are meant.
        name: The column of labels.

    Returns:
        int64 of shape ``(len(table),)``; -1 where there was none.

    Raises:
        ColumnNotFoundError: A table does not have the column.
        ColumnError: It does not hold one whole number for each row.
    """
    labels = np.full(len(table), -1, np.int64)
    last = {part.table_id: part for part in reversed(parts)}
    for part in reversed(last.values()):
        then, rows = labels_of(part.table(), name), part.row_numbers()
        if rows is None:
            labels = then
        else:
            labels[rows[rows >= 0]] = then[rows >= 0]
    return labels
