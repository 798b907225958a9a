"""Which rows of a table a metrics table is about, and which of them are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EXAMPLE_ID
from tlc.errors import CorruptObjectError
from tlc.format.manifest import Completeness
from tlc.format.plain import is_numeric, numbers_of

if TYPE_CHECKING:
    from tlc.table.reading import Reading

    Ids = np.ndarray[Any, Any]

_MOST_ROWS = 1 << 33


def completeness_so_far(metrics: Reading) -> Completeness | None:
    """Return what the rows of an unfinished metrics table come to; None if it is about nothing.

    Raises:
        CorruptObjectError: Its ids are none.
    """
    info = metrics.metrics_info
    if info is None or info.foreign_table_rows is None:
        return None
    unique, expected = len(_ids(metrics, info.foreign_table_rows)), info.foreign_table_rows
    return Completeness(
        rows=metrics.row_count,
        unique=unique,
        repeats_dropped=0,
        expected=expected,
        missing=expected - unique,
    )


def missing_example_ids(metrics: Reading) -> Ids:
    """Return the ids that a metrics table has no row for; see `Table.missing_example_ids`."""
    info = metrics.metrics_info
    expected = (info.foreign_table_rows if info else None) or 0
    if expected > _MOST_ROWS:
        raise CorruptObjectError(f"{metrics.url} is about a table of {expected} rows.")
    seen = np.zeros(expected, bool)
    seen[_ids(metrics, expected)] = True
    return np.flatnonzero(~seen)


def _ids(metrics: Reading, expected: int) -> Ids:
    """Return the ids that there are, each once, ascending.

    Raises:
        CorruptObjectError: One is no row of a table of `expected` rows.
    """
    if EXAMPLE_ID not in metrics.columns:
        return np.zeros(0, np.int64)
    cells = metrics.column(EXAMPLE_ID)
    ids = np.unique(numbers_of(cells)) if is_numeric(cells.type) else np.array([-1])
    if ids.dtype.kind not in "iu" or (len(ids) and (ids[0] < 0 or ids[-1] >= expected)):
        raise CorruptObjectError(
            f"{metrics.url} has ids that are no rows of its table of {expected} rows.",
            hint="was it written by another program?",
        )
    return ids
