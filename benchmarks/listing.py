"""Finding out what a project holds, and what is newest."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import tlc
from benchmarks.harness import Case
from benchmarks.processes import fresh
from tlc.catalog import list_runs, list_tables
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.url import Url

DATASETS, VERSIONS, RUNS = 100, 10, 100


def cases() -> Iterator[Case]:
    table = _project()
    small = _small_files()
    yield Case(
        f"list {DATASETS * VERSIONS:,} tables and {RUNS} runs",
        {
            "os.scandir + json": partial(_scan, small),
            "tlc": partial(_list, table.url.parent.parent.parent.parent),
        },
        unit=DATASETS * VERSIONS + RUNS,
        rounds=9,
        goal=3,
    )
    first = str(table.url)
    setup = f"from tlc.table import Table\ntable = Table.from_url({first!r})"
    yield Case(
        f"latest() of one of {DATASETS} datasets with {VERSIONS} tables each, in a new process",
        {"tlc": lambda: fresh("table.latest()", setup=setup)},
        rounds=9,
        limit=3,
    )


def _project() -> Table:
    """Make the project; return the first table of a dataset in the middle."""
    for number in range(DATASETS):
        table = Table.from_dict(
            {"n": [1, 2, 3], "label": [0, 1, 0]}, table_name="t", dataset_name=f"d{number:03}"
        )
        for _ in range(VERSIONS - 1):
            table = table.set_values("n", [0], [5])
    for number in range(RUNS):
        tlc.init(run_name=f"run{number:03}", if_exists="raise").set_status_completed()
    return Table.from_names("t", f"d{DATASETS // 2:03}")


def _small_files() -> str:
    folder = Path(mkdtemp())
    facts = {"name": "t", "created": "2026-11-22T00:00:00Z", "rows": 3, "parents": ["t"]}
    for number in range(DATASETS):
        for version in range(VERSIONS):
            _small(folder / f"d{number:03}" / f"t-r{version}", facts)
    for number in range(RUNS):
        _small(folder / "runs" / f"run{number:03}", facts)
    return str(folder)


def _small(folder: Path, facts: dict[str, object]) -> None:
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(facts))


def _scan(folder: str) -> list[object]:
    found = []
    for group in os.scandir(folder):
        for each in os.scandir(group.path):
            with open(f"{each.path}/manifest.json", "rb") as file:
                found.append(json.loads(file.read()))
    return found


def _list(project: Url) -> None:
    assert len(list_tables(project)) == DATASETS * VERSIONS
    assert len(list_runs(project)) == RUNS
