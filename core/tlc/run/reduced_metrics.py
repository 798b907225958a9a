"""Metrics tables beside those that they were reduced from: each row is to be read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.table.operations import REDUCE_EMBEDDINGS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tlc.table import Table


def without_repeats(tables: Sequence[Table], columns: Collection[str] | None) -> list[Table]:
    """Return metrics tables without those whose rows others of them have, too.

    Of tables that were reduced from one another, or from the same, one stands for all: the one that
    has the most of the columns that are asked for, or else the one added last. Others remain only
    for columns that it has not.

    Args:
        tables: The metrics tables, in the order they were added.
        columns: What is asked for; None for whatever there is.
    """
    sources = {table.id: _source(table) for table in tables}
    groups: dict[str, list[Table]] = {}
    for table in tables:
        origin, known = table.id, {""}
        # Also a source that the run does not list any more; damaged tables may name each other.
        while (source := sources.get(origin, "")) not in known:
            origin = source
            known.add(origin)
        groups.setdefault(origin, []).append(table)
    kept = {table.id for group in groups.values() for table in _standing(group, columns)}
    return [table for table in tables if table.id in kept]


def _standing(group: Sequence[Table], columns: Collection[str] | None) -> list[Table]:
    """Return the tables of a group that are read."""
    missing = set(columns or ()) & {name for table in group for name in table.columns}
    standing: list[Table] = []
    while missing:
        best = max(reversed(group), key=lambda table: len(missing & set(table.columns)))
        standing.append(best)
        missing -= set(best.columns)
    return standing or [group[-1]]


def _source(table: Table) -> str:
    """Return the id of the table whose embeddings were reduced to make this one; "" if none."""
    edits = table._manifest.operation.get("edits", ())
    reduced = (edit for edit in edits if edit.get("type") == REDUCE_EMBEDDINGS)
    return next((str(edit.get("source", "")) for edit in reduced), "")
