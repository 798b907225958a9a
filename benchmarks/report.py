"""The table of results, on the terminal and in a page of the documentation."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.harness import Outcome

START, END = "<!-- results: start -->", "<!-- results: end -->"
_NAMED = (
    "pyarrow", "numpy", "msgspec", "torch", "datasets", "polars", "duckdb", "pandas", "pycocotools",
    "pillow", "torchvision",
)  # fmt: skip


def goals(results: Mapping[str, Sequence[Outcome]]) -> list[str]:
    """Return lines that hold each figure against its goal."""
    outcomes = [each for part in results.values() for each in part if each.met is not None]
    lines = [
        f"{'met' if o.met else 'MISSED':<7}{o.figure:>14}  {o.goal:<14}  {o.work}" for o in outcomes
    ]
    met = sum(bool(outcome.met) for outcome in outcomes)
    return [*lines, f"{met} of {len(outcomes)} goals met"]


def write_markdown(path: Path, results: Mapping[str, Sequence[Outcome]]) -> None:
    """Put the results between the two marks in a page, in place of those of the same modules."""
    before, _, rest = path.read_text().partition(START)
    known, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"{path} has no lines {START} and {END}")
    parts = _parts(known)
    parts |= {_name(module): [_row(each) for each in part] for module, part in results.items()}
    rows = [row for name in sorted(parts) for row in (name, *parts[name])]
    table = "\n".join([_versions(), "", *_HEAD, *rows])
    path.write_text(f"{before}{START}\n{table}\n{END}{after}")


_HEAD = (
    "| work | tlc | goal | met | floor = 1 x | others |",
    "| --- | --- | --- | --- | --- | --- |",
)


def _name(module: str) -> str:
    return f"| **{module.replace('_', ' ')}** | | | | | |"


def _parts(table: str) -> dict[str, list[str]]:
    """Return the rows of a table by the line that names their module."""
    parts: dict[str, list[str]] = {}
    rows: list[str] = []
    for line in table.splitlines():
        if line.startswith("| **"):
            rows = parts[line] = []
        elif line.startswith("| ") and line not in _HEAD:
            rows.append(line)
    return parts


def _row(outcome: Outcome) -> str:
    met = {None: "", True: "yes", False: "**no**"}[outcome.met]
    others = ", ".join(f"{name} {ratio}" for name, ratio in outcome.others.items())
    cells = (outcome.work, outcome.figure, outcome.goal, met, outcome.floor, others)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _versions() -> str:
    found = []
    for name in _NAMED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return f"Python {platform.python_version()}, {', '.join(found)}."
