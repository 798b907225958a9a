"""The metrics tables of a run that are about the rows of one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.constants import EXAMPLE_ID
from tlc.dynamics.vectors import as_vectors
from tlc.errors import ColumnNotFoundError, MetricsError
from tlc.format.plain import combine, is_numeric, numbers_of, validity_of
from tlc.run.metrics_reader import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tlc.run import Run
    from tlc.run.metrics_reader import MetricsPart
    from tlc.table import Table, TableView
    from tlc.url import Url

    AnyTable: TypeAlias = Table | TableView | Url | str

Piece: TypeAlias = tuple[npt.NDArray[np.int64], Mapping[str, npt.NDArray[Any]]]
"""Row numbers, and column to as many numbers."""


def find_parts(
    run: Run, table: AnyTable | None, columns: Sequence[str], split: str | None
) -> tuple[Table, list[MetricsPart]]:
    """Return the table that is meant, and the metrics tables about its rows that have all columns.

    Raises:
        ColumnNotFoundError: None has.
        MetricsError: They are about several tables and none was named, or about none of its rows.
        ObjectNotFoundError: The table that they are about is no longer there.
    """
    wanted = opened(table)
    parts = list(run.metrics.parts(wanted, split, columns))
    found = [part for part in parts if set(columns) <= set(part.metrics.columns)]
    where = f"{run.url}" if split is None else f"{run.url}, split {split!r},"
    if not found:
        there = sorted({name for part in parts for name in part.metrics.columns} - {EXAMPLE_ID})
        raise ColumnNotFoundError(
            f"No metrics table of {where} has {' and '.join(map(repr, columns))}.",
            hint=f"there are {', '.join(there)}." if there else "collect metrics first.",
        )
    if wanted is None:
        return _only_table(found, where), found
    about = [part for part in found if part.has_rows()]
    if not about:
        raise MetricsError(
            f"The metrics of {where} are not about the rows of {wanted.url}.",
            hint=f"they are about {found[0].table_url}.",
        )
    return wanted, about


def piece_of(
    read: pa.Table, columns: Sequence[str], part: MetricsPart, *, vectors: bool = False
) -> Piece:
    """Return row numbers, and columns of floats.

    Args:
        read: What `part` holds, or some rows of it.
        columns: Names of the columns.
        part: The metrics table, for the message.
        vectors: Whether they hold lists of numbers, all of one length, instead of numbers.

    Raises:
        MetricsError: A column does not hold numbers.
        ColumnError: A column does not hold vectors of one length.
    """
    rows = numbers_of(combine(read.column(EXAMPLE_ID)))
    return rows, {name: _floats(read.column(name), name, part, vectors=vectors) for name in columns}


def _floats(
    cells: pa.ChunkedArray, name: str, part: MetricsPart, *, vectors: bool
) -> npt.NDArray[Any]:
    if vectors:
        return as_vectors(combine(cells), f"column {name!r} of {part.metrics.url}")
    if not is_numeric(cells.type):
        raise MetricsError(
            f"Column {name!r} of {part.metrics.url} holds {cells.type}, not numbers.",
            hint="name a column of numbers.",
        )
    together = combine(cells)
    values, valid = numbers_of(together), validity_of(together)
    values = values.astype(np.result_type(values.dtype, np.float32), copy=False)
    return values if valid is None else np.where(valid, values, values.dtype.type(np.nan))


def _only_table(parts: Sequence[MetricsPart], where: str) -> Table:
    urls = {part.table_id: part.table_url for part in parts}
    if len(urls) > 1:
        raise MetricsError(
            f"The metrics of {where} are about {len(urls)} tables: "
            f"{', '.join(map(str, urls.values()))}.",
            hint="name one of them with table=, or their split with split=.",
        )
    return parts[0].table()
