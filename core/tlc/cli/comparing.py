"""``tlc diff``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.cli.columns import aligned
from tlc.errors import ObjectKindError, OptionError
from tlc.objects import open_object
from tlc.run import Run
from tlc.table import Table
from tlc.table.display import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.run.comparison import RunComparison
    from tlc.table.diffing.cells import CellChanges
    from tlc.table.diffing.result import TableDiff


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Attributes:
        limit: How many changed cells to show of each column.
        columns: Columns of tables to compare; none for all.
        by: What tells which row of two tables is which; none for their keys.
        metrics: Metrics of runs to compare; none for all.
        split: The only split of runs to compare; None for all.
        how: What to make of several values of a row; None for the usual.
        as_json: Whether the answer is JSON.
    """

    limit: int
    columns: Sequence[str]
    by: Sequence[str]
    metrics: Sequence[str]
    split: str | None
    how: str | None
    as_json: bool


def compared(old: str, new: str, options: Options) -> tuple[str, bool]:
    """Return what differs between two tables, or two runs, and whether anything does.

    Raises:
        ObjectNotFoundError: There is nothing at one of the urls.
        ObjectKindError: One is a table and one a run, or neither.
        OptionError: An option is not about what is compared.
    """
    first, second = open_object(old), open_object(new)
    if isinstance(first, Table) and isinstance(second, Table):
        return _compared_tables(first, second, options)
    if isinstance(first, Run) and isinstance(second, Run):
        return _compared_runs(first, second, options)
    kinds = ["a table" if isinstance(each, Table) else "a run" for each in (first, second)]
    raise ObjectKindError(
        f"{first.url} is {kinds[0]}, and {second.url} is {kinds[1]}.",
        hint="compare two tables or two runs.",
    )


def _compared_tables(old: Table, new: Table, options: Options) -> tuple[str, bool]:
    _refuse({"--metric": options.metrics, "--split": options.split, "--how": options.how}, "runs")
    by = options.by[0] if len(options.by) == 1 else list(options.by) or None
    diff = old.diff(new, by, list(options.columns) or None)
    return _json(_table_data(diff, options)) if options.as_json else _text(diff, options), bool(
        diff
    )


def _compared_runs(before: Run, after: Run, options: Options) -> tuple[str, bool]:
    _refuse({"--column": options.columns, "--by": options.by}, "tables")
    how: Any = options.how or "last"
    found: RunComparison = before.compare(after, list(options.metrics) or None, options.split, how)
    return _json(found.summary()) if options.as_json else str(found), bool(found)


def _refuse(given: Mapping[str, object], about: str) -> None:
    for name, value in given.items():
        if value:
            raise OptionError(f"{name} is about {about}.", hint="leave it out.")


def _text(diff: TableDiff, options: Options) -> str:
    lines = [str(diff)]
    for name, changes in diff.cells.items() if options.limit else ():
        lines += [f"  first cells of {name}", *_shown(diff, changes.first(options.limit))]
    return "\n".join(lines)


def _shown(diff: TableDiff, changes: CellChanges) -> list[str]:
    """Return a line per cell: its row in both tables, what it was and what it is."""
    name = changes.column
    maps = [table.get_simple_value_map(name) or {} for table in (diff.old, diff.new)]
    rows = []
    for cell in changes.to_arrow().to_pylist():
        was, now = _named(cell["old"], maps[0]), _named(cell["new"], maps[1])
        rows.append((f"row {cell['old_row']}", f"-> {cell['new_row']}:", was, "->", now))
    return aligned(rows, indent="    ")


def _named(value: Any, names: Mapping[Any, str]) -> str:
    """Return a value in a few characters, with its name if it has one."""
    scalar = not isinstance(value, list | dict)
    return f"{value} ({names[value]})" if scalar and value in names else short(value)


def _table_data(diff: TableDiff, options: Options) -> dict[str, Any]:
    cells = {
        name: {"count": len(changes), "first": changes.first(options.limit).to_arrow().to_pylist()}
        for name, changes in diff.cells.items()
    }
    return {**diff.summary(), "cells": cells}


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: floats that it has no form for as text, not as null."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _json(data: Mapping[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(_plain(data)), indent=2).decode()
