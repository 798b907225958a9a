"""A process that commits to a lineage, or reads it, beside others, and acknowledges every step.

It reads lines of JSON, ``[command, arguments]``, and answers with one line of JSON per step; the
last line of a command is ``"done"``.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.common.members import serve

from tlc.errors import ObjectExistsError, RevisionConflictError
from tlc.table import SetValues, Table
from tlc.url.disk import Disk, use_disk

if TYPE_CHECKING:
    from collections.abc import Iterator


class RenamingDisk(Disk):
    """Publishes as programs do that have not thought of others: by a plain rename."""

    def link(self, source: str, target: str) -> None:
        os.replace(source, target)


def commit(url: str, row: int, count: int, renaming: bool = False) -> Iterator[Any]:
    """Count up the cell of one row, a revision each time."""
    table = Table.from_url(url)

    def count_up(newest: Table) -> list[SetValues]:
        return [SetValues("count", [row], [newest.table_rows[row]["count"] + 1])]

    with use_disk(RenamingDisk()) if renaming else nullcontext():
        for _ in range(count):
            table = table.revise_latest(count_up)
            yield table.id


def commit_on(url: str, row: int) -> Iterator[Any]:
    """Make the one revision of a table, or say which other one there is."""
    table = Table.from_url(url)
    try:
        made = table.revise(SetValues("count", [row], [1]), base=url)
    except RevisionConflictError as error:
        yield {"base": str(error.base), "latest": str(error.latest)}
    else:
        yield {"made": str(made.url)}


def follow(url: str, stop: str) -> Iterator[Any]:
    """Read the newest revision again and again until there is a file `stop`."""
    first = table = Table.from_url(url)
    before = table.column("count").to_pylist()
    looks = 0
    while not Path(stop).exists():
        table = first.latest()
        counts = table.column("count").to_pylist()
        assert sum(counts) == table._manifest.revision, f"{table.url} is not whole: {counts}"
        assert all(new >= old for new, old in zip(counts, before, strict=True)), "back in time"
        before = counts
        looks += 1
        time.sleep(0.005)  # as somebody does who waits for news
    yield [looks, sum(before)]


def create(url: str, number: int, if_exists: str) -> Iterator[Any]:
    """Make a table of a name that others want too."""
    root, project, _, dataset, _, name = url.rsplit("/", 5)
    numbers = [0, 1, 2] if if_exists == "reuse" else [number] * 3
    try:
        table = Table.from_dict(
            {"n": numbers},
            table_name=name,
            dataset_name=dataset,
            project_name=project,
            root_url=root,
            if_exists=if_exists,
        )
    except ObjectExistsError:
        yield {}
    else:
        yield {"url": str(table.url), "id": table.id, "n": table.column("n").to_pylist()}


if __name__ == "__main__":
    serve(commit, commit_on, create, follow)
