"""Finding how the metrics of two runs differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from tlc.errors import ColumnNotFoundError, MetricsError, OptionError
from tlc.run.compare_rows import ComparedRows, better_of, effect_of, metric_columns, summary_of
from tlc.run.compare_values import Group, check_how, groups_of
from tlc.run.comparison import ParameterChange, RunComparison, SplitComparison
from tlc.table.diffing.result import diff_tables
from tlc.table.diffing.rows import RowMatch, match_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tlc.run.compare_values import How
    from tlc.run.run import Run

_DIRECTIONS = ("higher", "lower")


class Pair(NamedTuple):
    """Metrics of the two runs that are about the same rows, or some of them."""

    before: Group
    after: Group
    rows: RowMatch


def compare_runs(
    before: Run,
    after: Run,
    metrics: str | Sequence[str] | None,
    split: str | None,
    how: How,
    better: Mapping[str, str],
) -> RunComparison:
    """Compare two runs; see `Run.compare`."""
    check_how(how)
    _check_better(better)
    wanted = [metrics] if isinstance(metrics, str) else metrics
    if wanted is not None and not wanted:
        raise OptionError("metrics=[] names no metric.", hint="leave it out to compare all.")
    groups = groups_of(before, split), groups_of(after, split)
    pairs, alone = _pairs(*groups)
    if not pairs:
        raise MetricsError(
            f"{before.url} and {after.url} have no rows with metrics of one split in common: "
            f"{_told(before, groups[0], split)}; {_told(after, groups[1], split)}.",
            hint="metrics are compared of one split, about revisions, splits or joins of a table.",
        )
    parts, without = [], []
    for pair in pairs:
        names = _names(pair, wanted)
        if names:
            parts.append(_compared(pair, names, how, better))
        else:
            without.append(f"split {pair.before.split!r}: the runs have no metric in common")
    _check_found(wanted, parts, before, after)
    runs = (before, after)
    left_out = [f"{runs[number].name}, {_named(group)}" for number, group in alone]
    return RunComparison(
        before=before,
        after=after,
        how=how,
        parameters=tuple(_parameter_changes(before.parameters, after.parameters)),
        splits=tuple(parts),
        left_out=(*left_out, *without),
    )


def _pairs(
    before: Sequence[Group], after: Sequence[Group]
) -> tuple[list[Pair], list[tuple[int, Group]]]:
    """Return groups of one split that share rows, and those that have no partner, of which run."""
    pairs: list[Pair] = []
    left = list(before)
    alone = []
    for group in after:
        for other in left:
            rows = _shared_rows(other, group)
            if rows is not None:
                pairs.append(Pair(other, group, rows))
                left.remove(other)
                break
        else:
            alone.append((1, group))
    return pairs, [*((0, group) for group in left), *alone]


def _shared_rows(before: Group, after: Group) -> RowMatch | None:
    """Return which rows two groups of one split have in common; None if they have none."""
    if before.split != after.split:
        return None
    try:
        match = match_rows(before.table, after.table)
    except OptionError:  # no origin in common
        return None
    return match if len(match.old) else None


def _names(pair: Pair, wanted: Sequence[str] | None) -> list[str]:
    """Return the metrics of a pair to be compared: those wanted that both have."""
    if wanted is None:
        others = pair.after.metrics()
        return [name for name in pair.before.metrics() if name in others]
    there = pair.before.columns() & pair.after.columns()
    return [name for name in dict.fromkeys(wanted) if name in there]


def _check_found(
    wanted: Sequence[str] | None, parts: Sequence[SplitComparison], before: Run, after: Run
) -> None:
    found = {name for part in parts for name in part.metrics}
    missing = [name for name in wanted or () if name not in found]
    if missing or not parts:
        names = ", ".join(map(repr, missing)) or "any metric of numbers"
        raise ColumnNotFoundError(
            f"{before.url} and {after.url} do not both have {names}.",
            hint="run.metrics() shows which metrics there are.",
        )


def _compared(
    pair: Pair, names: Sequence[str], how: How, better: Mapping[str, str]
) -> SplitComparison:
    first, second, match = pair
    diff = diff_tables(first.table, second.table, match=match)
    values = {name: (first.values(name, how), second.values(name, how)) for name in names}
    rows = ComparedRows(diff, list(values.values()))
    found = {name: (rows.old(was), rows.new(now)) for name, (was, now) in values.items()}
    columns = rows.columns()
    for name in names:
        columns |= metric_columns(name, *found[name])
    edited = {column: rows.edited(column) for column in diff.cells}
    return SplitComparison(
        split=first.split,
        diff=diff,
        metrics=tuple(names),
        table=pa.table(columns),
        summaries={
            name: summary_of(name, *found[name], better.get(name) or better_of(name))
            for name in names
        },
        effects=tuple(
            effect_of(column, name, edited[column], *found[name])
            for column in edited
            for name in names
        ),
    )


def _check_better(better: Mapping[str, str]) -> None:
    for name, direction in better.items():
        if direction not in _DIRECTIONS:
            raise OptionError(
                f"better={{{name!r}: {direction!r}}} is not possible.",
                hint="it is 'higher' or 'lower'.",
            )


def _parameter_changes(
    before: Mapping[str, object], after: Mapping[str, object]
) -> Iterator[ParameterChange]:
    for name in {**before, **after}:
        if name not in after:
            yield ParameterChange(name, "removed", before[name], None)
        elif name not in before:
            yield ParameterChange(name, "added", None, after[name])
        # NaN is not equal to itself, but no change.
        elif before[name] != after[name] and repr(before[name]) != repr(after[name]):
            yield ParameterChange(name, "changed", before[name], after[name])


def _told(run: Run, groups: Sequence[Group], split: str | None) -> str:
    if groups:
        return f"{run.name} has {', '.join(map(_named, groups))}"
    others = ", ".join(dict.fromkeys(repr(part.info.split) for part in run.metrics.parts()))
    return f"{run.name} has none" + (f" of split {split!r}, but of {others}" if others else "")


def _named(group: Group) -> str:
    return f"split {group.split!r} of {group.table.url}"
