"""``tlc show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.cli.columns import aligned
from tlc.objects import open_object
from tlc.table import Table
from tlc.table.display import describe, first_rows

if TYPE_CHECKING:
    from tlc.run import Run
    from tlc.url import Url


def show_object(url: Url) -> list[str]:
    """Return what a person wants to know of the table or run at `url`.

    Raises:
        ObjectNotFoundError: There is nothing.
        ObjectKindError: What is there is neither a table nor a run.
    """
    opened = open_object(url)
    return show_table(opened) if isinstance(opened, Table) else show_run(opened)


def show_table(table: Table) -> list[str]:
    """Return identity, schema, first rows and lineage of a table."""
    facts = [("rows", table.row_count), ("created", table.created), ("id", table.id)]
    facts += [("description", table.description)] if table.description else []
    facts += [("made from", table.source["importer"])] if table.source else []
    facts += [("partial", "its writer has not finished")] if table.is_partial else []
    names = table.columns
    schema = [(name, describe(part)) for name, part in table.rows_schema.items()]
    rows = [[str(number), *cells] for number, cells in enumerate(first_rows(table))]
    return [
        f"Table {table.url}",
        *aligned(facts, indent="  "),
        "schema",
        *aligned(schema, indent="  "),
        "first rows",
        *aligned([["", *names], *rows], indent="  "),
        *_completeness(table),
        *_lineage(table),
    ]


def show_run(run: Run) -> list[str]:
    """Return status, parameters, inputs, last logged values and metrics tables of a run."""
    state = run.state
    facts: list[tuple[object, ...]] = [("status", state.status.name.lower())]
    facts += [("reason", state.reason)] if state.reason else []
    facts += [("created", run.created), ("changed", run.last_modified), ("id", run.id)]
    facts += [("description", run.description)] if run.description else []
    lines = [f"Run {run.url}", *aligned(facts, indent="  "), "parameters"]
    lines += aligned([(k, str(v)) for k, v in state.parameters.items()], indent="  ") or ["  none"]
    lines.append("inputs")
    lines += [f"  {url}" for url in run.input_tables] or ["  none"]
    if state.outputs:
        last = ", ".join(f"{name}={value}" for name, value in state.outputs[-1].items())
        lines += [f"logged values: {len(state.outputs)}, the last: {last}"]
    lines.append("metrics tables")
    return lines + (
        aligned([_metrics_row(t) for t in run.metrics_tables], indent="  ") or ["  none"]
    )


def _metrics_row(table: Table) -> tuple[object, ...]:
    info, done = table.metrics_info, table.completeness
    constants = ", ".join(f"{k}={v}" for k, v in (info.constants if info else {}).items())
    counts = f"{done.unique:,} unique, {done.missing:,} missing" if done else ""
    split = info.split if info else ""
    note = "partial" if table.is_partial else ""
    return table.name, len(table), "rows", counts, split, constants, note


def _completeness(table: Table) -> list[str]:
    done = table.completeness
    if done is None:
        return []
    missing = f", {done.missing:,} missing" if done.missing else ""
    dropped = f", {done.repeats_dropped:,} repeats dropped" if done.repeats_dropped else ""
    return [f"ids: {done.unique:,} of {done.expected:,}{missing}{dropped}"]


def _lineage(table: Table) -> list[str]:
    lines = ["lineage"]
    for revision in table.revisions():
        mark = "* " if revision.url == table.url else "  "
        note = f"  {revision.description}" if revision.description else ""
        lines.append(f"  {mark}{revision.name} ({len(revision):,} rows){note}")
    return lines + [
        f"  made from {url}" for url in table.input_tables if url.parent != table.url.parent
    ]
