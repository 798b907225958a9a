"""Several processes that commit to one lineage at the same time."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from typing import TYPE_CHECKING

from tlc.table import SetValues, Table

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier


def commits_per_second(*, processes: int, commits: int, synced: bool) -> float:
    """Return how many revisions per second `processes` make that each make `commits`."""
    before = os.environ.get("TLC_DURABILITY")
    os.environ["TLC_DURABILITY"] = "commit" if synced else "os"
    try:
        with tempfile.TemporaryDirectory() as folder:
            table = Table.from_dict({"count": [0] * processes}, root_url=folder)
            seconds = _run(table, processes, commits)
            made = table.latest().column("count").to_pylist()
            assert made == [commits] * processes, f"commits were lost: {made}"
    finally:
        os.environ.pop("TLC_DURABILITY")
        if before is not None:
            os.environ["TLC_DURABILITY"] = before
    return processes * commits / seconds


def _run(table: Table, processes: int, commits: int) -> float:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    crew = [
        context.Process(target=_commit, args=(str(table.url), row, commits, barrier))
        for row in range(processes)
    ]
    for each in crew:
        each.start()
    barrier.wait()
    started = time.perf_counter()
    for each in crew:
        each.join()
    assert [each.exitcode for each in crew] == [0] * processes
    return time.perf_counter() - started


def _commit(url: str, row: int, commits: int, barrier: Barrier) -> None:
    table = Table.from_url(url)
    table.table_rows[0]  # loads what reading needs
    barrier.wait()
    for number in range(commits):
        edits = [SetValues("count", [row], [number + 1])]
        table = table.revise_latest(lambda newest, edits=edits: edits)  # type: ignore[misc]
