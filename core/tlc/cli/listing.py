"""``tlc ls``."""

from __future__ import annotations

from tlc.catalog import Entry, list_projects, list_runs, list_tables
from tlc.cli.columns import aligned
from tlc.errors import ObjectNotFoundError, TlcError
from tlc.format.layout import place_of, project_root
from tlc.run import Run


def list_all(root: str | None) -> list[str]:
    """Return a line per project: its name and how many tables and runs it has."""
    projects = list_projects(root)
    if not projects:
        return [f"There are no projects in {project_root(root)}. `tlc demo` makes one."]
    rows = [
        (url.name, len(list_tables(url)), "tables", len(list_runs(url)), "runs") for url in projects
    ]
    return [f"{project_root(root)}", *aligned(rows, indent="  ")]


def list_project(name: str, root: str | None) -> list[str]:
    """Return a line per table and run of a project; damaged ones say why they cannot be read.

    Raises:
        ObjectNotFoundError: There is no such project.
    """
    project = project_root(root) / name
    if project not in list_projects(root):
        raise ObjectNotFoundError(
            f"There is no project {name!r} in {project_root(root)}.",
            hint="`tlc ls` lists those there are.",
        )
    lines = [f"{project}", "tables"]
    lines += aligned([_table_row(entry) for entry in list_tables(project)], indent="  ") or [
        "  none"
    ]
    lines.append("runs")
    return lines + (aligned([_run_row(e) for e in list_runs(project)], indent="  ") or ["  none"])


def _table_row(entry: Entry) -> tuple[object, ...]:
    name = f"{place_of(entry.url).dataset}/{entry.url.name}"
    if entry.fault:
        return name, "", "", "", entry.fault
    return name, entry.row_count, "rows", _seconds(entry.created), ""


def _run_row(entry: Entry) -> tuple[object, ...]:
    name = entry.url.name
    if entry.fault:
        return name, "", "", "", entry.fault
    try:
        run = Run.from_url(entry.url)
        tables, status = len(run.state.metrics), run.status_name
    except TlcError as error:  # it must not hide the others
        return name, "", "", "", error.message
    return name, status, tables, "metrics tables", _seconds(entry.created)


def _seconds(time: str) -> str:
    return time[:19].replace("T", " ")
