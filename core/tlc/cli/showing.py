"""``tlc show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.cli.columns import aligned
from tlc.objects import open_object
from tlc.table import Table
from tlc.table.display import describe, first_rows, short

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from tlc.importers.report import ImportReport
    from tlc.run import Run
    from tlc.url import Url

_SHOWN = 3


def show_object(url: Url) -> list[str]:
    """Return what a person wants to know of the table or run at `url`.

    Raises:
        ObjectNotFoundError: There is nothing.
        ObjectKindError: What is there is neither a table nor a run.
    """
    opened = open_object(url)
    return show_table(opened) if isinstance(opened, Table) else show_run(opened)


def show_table(table: Table) -> list[str]:
    """Return identity, schema, first rows and lineage of a table, or of a metrics table."""
    names = table.columns
    schema = [(name, describe(part)) for name, part in table.rows_schema.items()]
    rows = [[str(number), *cells] for number, cells in enumerate(first_rows(table))]
    return [
        f"{'Metrics table' if table.metrics_info else 'Table'} {table.url}",
        *aligned(_facts(table), indent="  "),
        *_report(table.import_report),
        "schema",
        *(aligned(schema, indent="  ") or ["  no columns"]),
        "first rows",
        *(aligned([["", *names], *rows], indent="  ") if rows else ["  none"]),
        *_lineage(table),
    ]


def show_run(run: Run) -> list[str]:
    """Return status, parameters, inputs, last logged values and metrics tables of a run."""
    state = run.state
    facts = [("status", run.status_name)]
    facts += [("reason", state.reason)] if state.reason else []
    facts += [("created", run.created), ("changed", run.last_modified), ("id", run.id)]
    facts += [("description", run.description)] if run.description else []
    lines = [f"Run {run.url}", *aligned(facts, indent="  "), "parameters"]
    lines += aligned([(k, str(v)) for k, v in state.parameters.items()], indent="  ") or ["  none"]
    lines.append("inputs")
    lines += [f"  {url}" for url in run.input_tables] or ["  none"]
    if state.outputs:
        lines += [f"logged values: {len(state.outputs)}, the last: {_pairs(state.outputs[-1])}"]
    lines.append("metrics tables")
    return lines + (
        aligned([_metrics_row(table) for table in run.metrics_tables], indent="  ") or ["  none"]
    )


def _facts(table: Table) -> list[tuple[str, str]]:
    info = table.metrics_info
    facts = [
        ("rows", f"{table.row_count:,}"),
        ("ids", _completeness(table)),
        ("split", info.split if info else ""),
        ("constants", _pairs(info.constants) if info else ""),
        ("created", table.created),
        ("id", table.id),
        ("description", table.description),
        ("made from", table.source.get("importer", "")),
        ("partial", "its writer has not finished" if table.is_partial else ""),
    ]
    return [fact for fact in facts if fact[1]]


def _report(report: ImportReport | None) -> list[str]:
    """Return what the importer of a table found, rule by rule with an example."""
    if report is None:
        return []
    found = [("records left out", report.skipped), ("boxes clipped", report.clipped)]
    lines = [f"{count:,} {what}" for what, count in found if count]
    for code, count in report.counts.items():
        lines.append(f"{code}: {count:,}, such as")
        lines += [f"  {problem}" for problem in report.examples.get(code, ())[:_SHOWN]]
    return ["import report", *(f"  {line}" for line in lines or ["no problems"])]


def _metrics_row(table: Table) -> tuple[object, ...]:
    info, done = table.metrics_info, table.completeness
    counts = f"{done.unique:,} unique, {done.missing:,} missing" if done else ""
    split, constants = (info.split, _pairs(info.constants)) if info else ("", "")
    note = "partial" if table.is_partial else ""
    return table.name, len(table), "rows", counts, split, constants, note


def _completeness(table: Table) -> str:
    done = table.completeness
    if done is None:
        return ""
    missing = f", {done.missing:,} missing" if done.missing else ""
    dropped = f", {done.repeats_dropped:,} repeats dropped" if done.repeats_dropped else ""
    return f"{done.unique:,} of {done.expected:,}{missing}{dropped}"


def _lineage(table: Table) -> list[str]:
    if table.metrics_info:
        about = [f"  {url}" for url in table.input_tables] or ["  nothing in particular"]
        return ["about", *about]
    lines = ["lineage"]
    revisions = table.revisions()
    for revision in revisions:
        mark = "* " if revision.url == table.url else "  "
        note = f"  {revision.description}" if revision.description else ""
        lines.append(f"  {mark}{revision.name} ({len(revision):,} rows){note}")
    known = {revision.url for revision in revisions}
    return lines + [f"  made from {url}" for url in table.input_tables if url not in known]


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={short(value)}" for name, value in values.items())
