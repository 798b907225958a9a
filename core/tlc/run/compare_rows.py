"""How numbers of the rows of two tables changed, row by row and on average."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tlc.run.comparison import EditEffect, MetricSummary
from tlc.table.arrow_arrays import as_booleans, as_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from tlc.run.compare_values import Values
    from tlc.table.diffing.result import TableDiff

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Rows = npt.NDArray[np.int64]
    Having = tuple[Floats, Flags]

T = TypeVar("T", bound=np.generic)
_LOWER = frozenset({"loss", "error"})
_HIGHER = frozenset({"accuracy", "correct", "iou", "precision", "recall", "f1"})
_BY_NAME = {
    **dict.fromkeys(("label_prob", "label_logit", "true_positives"), "higher"),
    **dict.fromkeys(("el2n", "false_positives", "false_negatives"), "lower"),
}


class ComparedRows:
    """The rows of two tables that have metrics in either run: those of the later table first."""

    def __init__(self, diff: TableDiff, values: Sequence[tuple[Values, Values]]) -> None:
        partner = np.full(len(diff.new), -1, np.int64)
        partner[diff.rows.new] = diff.rows.old
        self._diff = diff
        self._before = np.append(partner, diff.removed)
        self._after = np.append(np.arange(len(diff.new)), np.full(len(diff.removed), -1))
        some = np.zeros(len(self._before), bool)
        for was, now in values:
            some |= self.old(was)[1] | self.new(now)[1]
        self._before, self._after = self._before[some], self._after[some]

    def old(self, values: Values) -> Having:
        """Return what the rows had in the earlier run, and which of them had something."""
        return _taken(values, self._before)

    def new(self, values: Values) -> Having:
        """Return what the rows have in the later run, and which of them have something."""
        return _taken(values, self._after)

    def edited(self, column: str | None = None) -> Flags:
        """Return of which rows a cell of a column, or of any, was edited."""
        edited = np.zeros(len(self._diff.new), bool)
        for name, changes in self._diff.cells.items():
            if column in (None, name):
                edited[changes.new_rows] = True
        return _at(edited, self._after)

    def columns(self) -> dict[str, pa.Array]:
        """Return the columns that say which rows they are, and whether they were edited."""
        before, after = self._before >= 0, self._after >= 0
        return {
            "before_row": as_numbers(self._before, before),
            "after_row": as_numbers(self._after, after),
            "edited": as_booleans(self.edited(), before & after),
        }


def _at(values: npt.NDArray[T], rows: Rows) -> npt.NDArray[T]:
    """Return the values of some rows; anything for the row -1."""
    return values[rows] if len(values) else np.zeros(len(rows), values.dtype)


def _taken(values: Values, rows: Rows) -> Having:
    return _at(values.numbers, rows), _at(values.there, rows) & (rows >= 0)


def metric_columns(name: str, before: Having, after: Having) -> dict[str, pa.Array]:
    """Return the columns of a metric: before, after, and the change."""
    return {
        f"{name}_before": as_numbers(*before),
        f"{name}_after": as_numbers(*after),
        f"{name}_change": as_numbers(_difference(before, after), before[1] & after[1]),
    }


def _difference(before: Having, after: Having) -> Floats:
    # Of infinities and of numbers near them, or where a value means nothing.
    with np.errstate(invalid="ignore", over="ignore"):
        return after[0] - before[0]


def summary_of(
    name: str, before: Having, after: Having, better: str | None = None
) -> MetricSummary:
    """Return how a metric changed."""
    was, now = before[1] & ~np.isnan(before[0]), after[1] & ~np.isnan(after[0])
    both = was & now
    rose, fell = (int((both & side).sum()) for side in _sides(before[0], after[0]))
    return MetricSummary(
        metric=name,
        rows=int(both.sum()),
        before=_mean(before[0][both]),
        after=_mean(after[0][both]),
        change=_mean(_difference(before, after)[both]),
        before_rows=int(was.sum()),
        before_all=_mean(before[0][was]),
        after_rows=int(now.sum()),
        after_all=_mean(after[0][now]),
        rose=rose,
        fell=fell,
        better=better,
    )


def _sides(before: Floats, after: Floats) -> tuple[Flags, Flags]:
    return after > before, after < before


def effect_of(column: str, name: str, rows: Flags, before: Having, after: Having) -> EditEffect:
    """Return how a metric changed in rows of which a column was edited, and in the others.

    Args:
        column: The column.
        name: The metric.
        rows: Which rows were edited.
        before: What the rows had in the earlier run.
        after: What they have in the later run.
    """
    both = before[1] & after[1] & ~np.isnan(before[0]) & ~np.isnan(after[0])
    edited = rows & both
    others = both & ~edited
    change = _difference(before, after)
    return EditEffect(
        column=column,
        metric=name,
        edited_rows=int(edited.sum()),
        edited_change=_mean(change[edited]),
        other_rows=int(others.sum()),
        other_change=_mean(change[others]),
    )


def _mean(values: Floats) -> float:
    # Of infinities of both signs, or of numbers whose sum is too large.
    with np.errstate(invalid="ignore", over="ignore"):
        return float(values.mean()) if len(values) else float("nan")


def better_of(metric: str) -> str | None:
    """Return ``"higher"`` or ``"lower"``, whichever is better of a metric; None if it is unknown.

    Args:
        metric: Name of a metrics column: it, or the words in it, tell.
    """
    words = re.split(r"[^a-z0-9]+", metric.lower())
    if words[-1] in _LOWER:
        return "lower"
    return "higher" if _HIGHER & set(words) else _BY_NAME.get(metric)
