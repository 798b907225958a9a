"""Which rows of a table a metrics table is about, and which of them are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EXAMPLE_ID
from tlc.format.manifest import Completeness
from tlc.format.plain import numbers_of

if TYPE_CHECKING:
    from tlc.table.reading import Reading


def completeness_so_far(metrics: Reading) -> Completeness | None:
    """Return what the rows of an unfinished metrics table come to; None if it is about nothing."""
    info = metrics.metrics_info
    if info is None or info.foreign_table_rows is None:
        return None
    unique, expected = int(_seen(metrics).sum()), info.foreign_table_rows
    return Completeness(
        rows=metrics.row_count,
        unique=unique,
        repeats_dropped=0,
        expected=expected,
        missing=expected - unique,
    )


def missing_example_ids(metrics: Reading) -> np.ndarray[Any, Any]:
    """Return the ids that a metrics table has no row for; see `Table.missing_example_ids`."""
    return np.flatnonzero(~_seen(metrics))


def _seen(metrics: Reading) -> np.ndarray[Any, Any]:
    info = metrics.metrics_info
    seen = np.zeros((info.foreign_table_rows if info else None) or 0, bool)
    if EXAMPLE_ID in metrics.columns and len(seen):
        for part in metrics.column_parts([EXAMPLE_ID]):
            seen[numbers_of(part[EXAMPLE_ID])] = True
    return seen
