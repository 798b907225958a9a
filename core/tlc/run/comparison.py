"""How the metrics of two runs differ."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tlc.errors import MetricsError
from tlc.table.display import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tlc.run.run import Run
    from tlc.table import Table
    from tlc.table.diffing.result import TableDiff


@dataclass(frozen=True)
class MetricSummary:
    """How a metric changed. Rows where it is NaN do not count; means without rows are NaN.

    Attributes:
        metric: Name of the metrics column.
        rows: How many rows have it in both runs.
        before: Its mean over these rows in the earlier run.
        after: Its mean over these rows in the later run.
        change: Mean of the changes of these rows.
        before_rows: How many rows have it in the earlier run.
        before_all: Its mean over all of them.
        after_rows: How many rows have it in the later run.
        after_all: Its mean over all of them.
        rose: In how many rows it became larger.
        fell: In how many rows it became smaller.
        better: ``"higher"`` or ``"lower"``, if it is known what is better, else None.
    """

    metric: str
    rows: int
    before: float
    after: float
    change: float
    before_rows: int
    before_all: float
    after_rows: int
    after_all: float
    rose: int
    fell: int
    better: str | None = None

    @property
    def improved(self) -> int | None:
        """In how many rows it became better; None if it is not known what is better."""
        return {"higher": self.rose, "lower": self.fell}.get(self.better or "")

    @property
    def worsened(self) -> int | None:
        """In how many rows it became worse; None if it is not known what is better."""
        return {"higher": self.fell, "lower": self.rose}.get(self.better or "")

    def __str__(self) -> str:
        rows = counted(self.rows, "row")
        text = f"{self.metric}: {_shown(self.before)} -> {_shown(self.after)} in {rows}"
        if self.better is None:
            return f"{text}, {self.rose:,} higher, {self.fell:,} lower"
        return f"{text}, {self.improved:,} better, {self.worsened:,} worse"


@dataclass(frozen=True)
class EditEffect:
    """How a metric changed in rows of which a column was edited, and in the others.

    Rows that do not have the metric in both runs, or where it is NaN, do not count; means without
    rows are NaN.

    Attributes:
        column: Name of the column of the table.
        metric: Name of the metrics column.
        edited_rows: How many rows were edited.
        edited_change: Mean change of the metric in them.
        other_rows: How many were not.
        other_change: Mean change of the metric in these.
    """

    column: str
    metric: str
    edited_rows: int
    edited_change: float
    other_rows: int
    other_change: float

    def __str__(self) -> str:
        return (
            f"{self.column}: {self.metric} {_signed(self.edited_change)} in "
            f"{counted(self.edited_rows, 'edited row')}, {_signed(self.other_change)} in "
            f"{counted(self.other_rows, 'other')}"
        )


@dataclass(frozen=True)
class ParameterChange:
    """A parameter that is not the same in both runs.

    Attributes:
        name: Its name.
        kind: ``"changed"``; ``"added"`` if only the later run has it; ``"removed"`` if only the
            earlier one has.
        before: Its value in the earlier run; None if it has none.
        after: Its value in the later run; None if it has none.
    """

    name: str
    kind: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.kind == "changed":
            return f"{self.name}: {self.before!r} -> {self.after!r}"
        value = self.after if self.kind == "added" else self.before
        return f"{self.name}: {value!r}, {self.kind}"


@dataclass(frozen=True, eq=False)
class SplitComparison:
    """How the metrics of one split changed, about one table or two that share rows.

    Attributes:
        split: Name of the split.
        diff: What changed from the table that the earlier metrics are about to the later one's.
        metrics: Names of the metrics.
        table: One row for each row of either table with metrics, those of the later table first,
            in its order. Columns: ``before_row`` and ``after_row``, its number in the two tables
            (int64, null if it is not there); ``edited``, whether a cell of it changed (bool, null
            if only one table has it); and for each metric ``<metric>_before``, ``<metric>_after``
            and ``<metric>_change`` (float64, null where a run does not have it).
        summaries: How each metric changed, by name.
        effects: How each metric changed in rows that were edited, for each edited column.
    """

    split: str
    diff: TableDiff
    metrics: tuple[str, ...]
    table: pa.Table
    summaries: Mapping[str, MetricSummary]
    effects: tuple[EditEffect, ...]

    @property
    def before_table(self) -> Table:
        """The table that the earlier metrics are about."""
        return self.diff.old

    @property
    def after_table(self) -> Table:
        """The table that the later metrics are about."""
        return self.diff.new

    def __bool__(self) -> bool:
        moved = any(each.rose or each.fell for each in self.summaries.values())
        alike = all(each.before_rows == each.rows == each.after_rows for each in self._all())
        return bool(moved or not alike or self.diff)

    def _all(self) -> list[MetricSummary]:
        return list(self.summaries.values())

    def lines(self) -> list[str]:
        """Return what there is to say, line by line."""
        lines = [f"split {self.split!r}, {self.before_table.name} -> {self.after_table.name}"]
        for only, table in (("after_row", "earlier"), ("before_row", "later")):
            count = self.table.column(only).null_count
            lines += [f"  {counted(count, 'row')} only in the {table} table"] if count else []
        lines += [f"  {summary}" for summary in self._all()]
        return lines + [f"  edited {effect}" for effect in self.effects]


@dataclass(frozen=True, eq=False)
class RunComparison:
    """How the metrics and the parameters of a run differ from those of an earlier one.

    Printed, it is a summary. It is false if nothing differs. ``comparison["val"]`` is the part of a
    split; with a single part, `table`, `summaries` and `effects` are those of that part.

    Attributes:
        before: The earlier run.
        after: The later run.
        how: What was made of several values of one row.
        parameters: Parameters that are not the same.
        splits: What was compared: a part for each split and pair of tables.
        left_out: Metrics that were not compared, since the other run has none such: which run,
            which split, which table.
    """

    before: Run
    after: Run
    how: str
    parameters: tuple[ParameterChange, ...]
    splits: tuple[SplitComparison, ...]
    left_out: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.parameters or self.left_out or any(self.splits))

    def __getitem__(self, split: str) -> SplitComparison:
        """Return the part of a split.

        Raises:
            MetricsError: There is none, or more than one of that name.
        """
        found = [part for part in self.splits if part.split == split]
        if len(found) == 1:
            return found[0]
        names = ", ".join(repr(part.split) for part in self.splits)
        raise MetricsError(
            f"{len(found)} of the compared parts are of the split {split!r}.",
            hint=f"the splits are {names}; `splits` has all parts.",
        )

    @property
    def table(self) -> pa.Table:
        """The table of the only part.

        Raises:
            MetricsError: There are several.
        """
        return self._only.table

    @property
    def summaries(self) -> Mapping[str, MetricSummary]:
        """The summaries of the only part."""
        return self._only.summaries

    @property
    def effects(self) -> tuple[EditEffect, ...]:
        """How edits and metrics go together in the only part."""
        return self._only.effects

    @property
    def _only(self) -> SplitComparison:
        if len(self.splits) == 1:
            return self.splits[0]
        names = ", ".join(repr(part.split) for part in self.splits)
        raise MetricsError(
            f"{len(self.splits)} parts were compared, not one.",
            hint=f'comparison["name"] is that of a split: {names}.',
        )

    def summary(self) -> dict[str, Any]:
        """Return all but the single rows, as JSON data."""
        return {
            "before": str(self.before.url),
            "after": str(self.after.url),
            "how": self.how,
            "parameters": [asdict(change) for change in self.parameters],
            "splits": [
                {
                    "split": part.split,
                    "metrics": [
                        {**asdict(each), "improved": each.improved, "worsened": each.worsened}
                        for each in part.summaries.values()
                    ],
                    "effects": [asdict(effect) for effect in part.effects],
                    "tables": part.diff.summary(),
                }
                for part in self.splits
            ],
            "left_out": list(self.left_out),
        }

    def __str__(self) -> str:
        lines = [f"{self.before.url} -> {self.after.url}"]
        lines += [f"  parameter {change}" for change in self.parameters]
        lines += [f"  {line}" for part in self.splits for line in part.lines()]
        lines += [f"  not compared: {text}" for text in self.left_out]
        return "\n".join(lines if self else [*lines, "  no differences"])

    def __repr__(self) -> str:
        return str(self)


def _shown(value: float) -> str:
    return "no value" if math.isnan(value) else f"{value:.4g}"


def _signed(value: float) -> str:
    return "without change" if math.isnan(value) else f"{value:+.4g}"
