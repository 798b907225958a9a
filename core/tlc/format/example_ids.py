"""Example ids: which rows of a table metrics are about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EXAMPLE_ID
from tlc.errors import MetricsError, RowIndexError
from tlc.format.manifest import Completeness
from tlc.format.plain import as_numpy

if TYPE_CHECKING:
    from tlc.url import Url

    Ids = np.ndarray[Any, Any]

_INT64 = np.dtype(np.int64)


@dataclass(frozen=True)
class ForeignTable:
    """The table that metrics are about."""

    url: Url
    id: str
    row_count: int


class ExampleIds:
    """Checks the ids of a table, and notes which have come, one byte of memory each.

    Args:
        foreign: The table.

    Attributes:
        limit: The first number that is no id.
        ordered: Whether each id that was noted was larger than the one before.
        dropped: How many rows were left out, by those who call it.
    """

    def __init__(self, foreign: ForeignTable) -> None:
        self._foreign = foreign
        self.limit = foreign.row_count
        self._seen = np.zeros(foreign.row_count, dtype=bool)
        self._last = self._top = -1
        self.ordered = True
        self.dropped = 0

    def checked(self, ids: Any) -> Ids:
        """Return example ids as int64, or say what is wrong with them.

        Raises:
            MetricsError: They are missing, or no whole numbers.
            RowIndexError: One of them is no row of the table.
        """
        ids = ids if type(ids) is np.ndarray else as_numpy(ids)
        if (
            type(ids) is np.ndarray
            and ids.dtype is _INT64
            and ids.ndim == 1
            and len(ids)
            # As unsigned numbers negative ones are too large; this is a batch's main cost.
            and np.maximum.reduce(ids.view(np.uint64)) < self.limit
        ):
            return ids
        return self._checked_closely(ids)

    def first_seen(self, ids: Ids) -> Ids:
        """Return the positions of ids that have not come before, of equal ones the first."""
        _, first = np.unique(ids, return_index=True)
        first.sort()
        return first[~self._seen[ids[first]]]

    def add(self, ids: Ids) -> None:
        """Note that these have come."""
        if len(ids) == 0:
            return
        self._seen[ids] = True
        self.ordered = self.ordered and ids[0] > self._last and _are_rising(ids)
        self._last, self._top = int(ids[-1]), max(self._top, int(ids.max()))

    def add_next(self, ids: Ids) -> None:
        """Note that ids have come that `are_next`."""
        self._seen[ids] = True
        self._last = self._top = int(ids[-1])

    def are_next(self, ids: Ids) -> bool:
        """Whether ids rise, and are larger than all that have come, as in a pass over a table."""
        return len(ids) > 0 and bool(ids[0] > self._top) and _are_rising(ids)

    def completeness(self, rows: int) -> Completeness:
        """Return what became of the ids that `rows` rows should hold."""
        unique = int(self._seen.sum())
        return Completeness(
            rows=rows,
            unique=unique,
            repeats_dropped=self.dropped,
            expected=self._foreign.row_count,
            missing=self._foreign.row_count - unique,
        )

    def _checked_closely(self, ids: Any) -> Ids:
        if ids is None:
            raise MetricsError(
                f"The batch has no {EXAMPLE_ID!r}, so nobody could tell which rows of "
                f"{self._foreign.url} it is about.",
                hint=f"add the row numbers as {EXAMPLE_ID!r}.",
            )
        try:
            numbers = np.asarray(ids)
        except ValueError:  # lists of different lengths
            numbers = np.empty((len(ids), 2), np.int64)
        if numbers.ndim > 1:
            raise MetricsError(
                f"The {EXAMPLE_ID!r} column holds lists, where one number per row is needed."
            )
        if numbers.dtype.kind not in "iu" and len(numbers):
            raise MetricsError(
                f"The {EXAMPLE_ID!r} column holds {numbers.dtype}, not whole numbers.",
                hint="row numbers count from 0.",
            )
        outside = (numbers < 0) | (numbers >= self.limit)
        if outside.any():
            raise RowIndexError(
                f"{EXAMPLE_ID} {numbers[outside][0]} is out of range: {self._foreign.url} has "
                f"{self._foreign.row_count} rows.",
                hint="row numbers count from 0; is this the table that the samples came from?",
            )
        return numbers.astype(np.int64)


def _are_rising(ids: Ids) -> bool:
    return bool((ids[1:] > ids[:-1]).all())
