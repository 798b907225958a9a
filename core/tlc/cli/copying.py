"""``tlc copy``."""

from __future__ import annotations

from tlc.copying import copy_table


def copied(source: str, destination: str) -> list[str]:
    """Copy a table, and return what was done as lines."""
    report = copy_table(source, destination)
    there = f", {report.skipped:,} were there already" if report.skipped else ""
    return [
        f"{report.table}",
        f"  {report.tables:,} tables, {report.files:,} files, {report.size:,} bytes written{there}",
    ]
