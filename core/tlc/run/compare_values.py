"""One number per row of a table for each of several metrics of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np

from tlc import constants
from tlc.constants import EXAMPLE_ID, FOREIGN_TABLE_ID
from tlc.errors import OptionError
from tlc.format.plain import is_numeric
from tlc.run.metrics_reader import SPLIT, renumbered
from tlc.run.reducing import reduce_rows
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tlc.run.metrics_reader import MetricsPart
    from tlc.run.reducing import Reduction
    from tlc.run.run import Run
    from tlc.schemas import Schema
    from tlc.table import Table

How = Literal["last", "first", "mean", "std", "min", "max", "sum", "count"]
HOWS: tuple[How, ...] = ("last", "first", "mean", "std", "min", "max", "sum", "count")
_NO_METRICS = (EXAMPLE_ID, FOREIGN_TABLE_ID, SPLIT, "epoch", "iteration", "step")
_NO_MEASURES = frozenset(
    {
        constants.NUMBER_ROLE_CLUSTER_INDEX,
        constants.NUMBER_ROLE_EPOCH,
        constants.NUMBER_ROLE_EXAMPLE_ID,
        constants.NUMBER_ROLE_FOREIGN_KEY,
        constants.NUMBER_ROLE_HASH,
        constants.NUMBER_ROLE_INDEX,
        constants.NUMBER_ROLE_ITERATION,
        constants.NUMBER_ROLE_LABEL,
        constants.NUMBER_ROLE_TIMESTAMP,
    }
)


class Values(NamedTuple):
    """A metric of the rows of a table.

    Attributes:
        numbers: float64 of shape ``(len(table),)``; anything for rows without the metric.
        there: Which rows have the metric, bool of the same shape.
    """

    numbers: npt.NDArray[np.float64]
    there: npt.NDArray[np.bool_]


class Group(NamedTuple):
    """The metrics of a run about one table, or about revisions of it.

    Attributes:
        split: Name of the split they were collected with.
        table: The table whose rows count: the one of the metrics collected last.
        parts: The metrics tables, in the order they were added.
    """

    split: str
    table: Table
    parts: Sequence[MetricsPart]

    def columns(self) -> set[str]:
        """Return the names of all metrics columns."""
        return {name for part in self.parts for name in part.metrics.columns}

    def metrics(self) -> list[str]:
        """Return the columns that are metrics to be compared: numbers, but no ids or classes."""
        constants = {name for part in self.parts for name in part.info.constants}
        found: dict[str, bool] = {}
        for part in self.parts:
            for name, schema in part.metrics.rows_schema.items():
                found[name] = found.get(name, True) and _is_metric(schema)
        left_out = constants.union(_NO_METRICS)
        return [name for name, wanted in found.items() if wanted and name not in left_out]

    def values(self, metric: str, how: How) -> Values:
        """Return one number per row of the table.

        Raises:
            MetricsError: The column does not hold numbers.
        """
        having = [part for part in self.parts if metric in part.metrics.columns]
        if how in ("last", "first"):
            return _chosen(having, metric, len(self.table), last=how == "last")
        numbers = [each for part in having for each in part.numbers(metric)]
        there = np.zeros(len(self.table), bool)
        for rows, _ in numbers:
            there[rows] = True
        return Values(reduce_rows(numbers, len(self.table), cast("Reduction", how)), there)


def groups_of(run: Run, split: str | None) -> list[Group]:
    """Return the metrics of a run by split and table, those collected last first.

    Raises:
        ObjectNotFoundError: A table that metrics are about is no longer there.
    """
    parts = list(run.metrics.parts(split=split))
    found = []
    for name in dict.fromkeys(part.info.split for part in parts):
        left = ours = [part for part in parts if part.info.split == name]
        while left:
            table = left[-1].table()
            about = [part for part in renumbered(ours, table) if part.has_rows()]
            found.append(Group(name, table, about))
            known = {part.metrics.url for part in about}
            left = [part for part in left if part.metrics.url not in known]
    return found


def check_how(how: str) -> None:
    """Refuse what is no way to make one number of several.

    Raises:
        OptionError: It is none.
    """
    if how not in HOWS:
        raise OptionError(f"There is no reduction {how!r}.", hint=f"there are {', '.join(HOWS)}.")


def _is_metric(schema: Schema) -> bool:
    """Whether a column has numbers that can become larger or smaller."""
    if schema.value is None or schema.shape or schema.value.value_map:
        return False
    role = getattr(schema.value, "number_role", "")
    return is_numeric(arrow_type(schema)) and role not in _NO_MEASURES


def _chosen(having: Sequence[MetricsPart], metric: str, count: int, *, last: bool) -> Values:
    """Return the last number of each row, or the first; what no row needs is not read."""
    found, there = np.zeros(count), np.zeros(count, bool)
    step = -1 if last else 1
    for part in having[::step]:
        if there.all():
            break
        for rows, values in part.numbers(metric)[::step]:
            # Of equal row numbers NumPy lets the last win.
            rows, values = rows[::-step], values[::-step]
            new = ~there[rows]
            if not new.all():
                rows, values = rows[new], values[new]
            found[rows] = values
            there[rows] = True
    return Values(found, there)
