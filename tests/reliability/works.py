"""Jobs that say how much of their work is safe, and checks that find it again.

Each is a long count: of rows of tables, of rows of metrics, of revisions. `write` goes on where it
finds the count and acknowledges every step; `count` reads all that is there, asserts that nothing
of it is missing, twice or wrong, and returns how far it goes.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tlc
from tlc.catalog import Entry, list_projects, list_runs, list_tables
from tlc.errors import DamagedObjectWarning
from tlc.objects import open_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 50


class Tables:
    """Tables of ten rows each, safe once `finalize` has returned."""

    step = 10

    def write(self, root: str, goal: int, acknowledge: Callable[[int], object]) -> None:
        done = self.count(root)
        while done < goal:
            writer = tlc.TableWriter("table", "dataset", "project", root_url=root)
            for number in range(done, done + self.step):
                writer.add_row({"n": number, "text": f"row {number}"})
            writer.finalize()
            done += self.step
            acknowledge(done)

    def count(self, root: str) -> int:
        tables = all_tables(root)
        assert all(self.is_right(table, 0) for table in tables)
        return whole([n for table in tables for n in table.column("n").to_pylist()])

    def is_right(self, table: tlc.Table, revision: int) -> bool:
        rows = list(table.table_rows)
        numbers = range(rows[0]["n"], rows[0]["n"] + self.step)
        return rows == [{"n": n, "text": f"row {n}"} for n in numbers] and revision == 0


class Metrics:
    """Metrics tables of up to four batches of ten rows, safe once `flush` has returned.

    After each batch the run logs how many rows there are.
    """

    step = 10

    def write(self, root: str, goal: int, acknowledge: Callable[[int], object]) -> None:
        run = tlc.Run.create("project", "run", if_exists="reuse", root_url=root)
        done = self.count(root)
        while done < goal:
            with tlc.MetricsTableWriter(run, constants={"epoch": done}) as writer:
                for _ in range(min(4, (goal - done) // self.step)):
                    writer.add_batch({"n": range(done, done + self.step)})
                    writer.flush()
                    done += self.step
                    run.log({"rows": done})
                    acknowledge(done)
        run.set_status_completed()

    def count(self, root: str) -> int:
        tables = [table for run in all_runs(root) for table in run.metrics_tables]
        found = whole([n for table in tables for n in table.column("n").to_pylist()])
        assert self.logged(root) <= found
        return found

    def logged(self, root: str) -> int:
        """Return how many rows the run says there are; on the disk within seconds only."""
        logged = [output["rows"] for run in all_runs(root) for output in run.state.outputs]
        assert logged == sorted(set(logged))
        return max(logged, default=0)

    def is_right(self, table: tlc.Table, revision: int) -> bool:
        numbers = table.column("n").to_pylist() if len(table) else []
        starts = numbers[:: self.step]
        whole_batches = [n for start in starts for n in range(start, start + self.step)]
        return numbers == whole_batches and starts == sorted(set(starts)) and revision == 0


class Revisions:
    """One lineage; each revision sets the next cell to its own number."""

    step = 1

    def write(self, root: str, goal: int, acknowledge: Callable[[int], object]) -> None:
        names = {"table_name": "table", "dataset_name": "dataset", "project_name": "project"}
        base = tlc.Table.from_dict({"n": [0] * ROWS}, **names, root_url=root, if_exists="reuse")
        table = base.latest()
        for number in range(self.count(root) + 1, goal + 1):
            table = table.set_values("n", [number % ROWS], [number])
            acknowledge(number)

    def count(self, root: str) -> int:
        tables = all_tables(root)
        if not tables:
            return 0
        lineage = tables[0].revisions()
        assert set(lineage) == set(tables)
        assert all(self.is_right(table, number) for number, table in enumerate(lineage))
        assert lineage[0].latest() == lineage[-1]
        return len(lineage) - 1

    def is_right(self, table: tlc.Table, revision: int) -> bool:
        return table.column("n").to_pylist() == cells_after(revision)


class Overwrites:
    """One table and one run, each overwritten by the next of its name."""

    step = 1

    def write(self, root: str, goal: int, acknowledge: Callable[[int], object]) -> None:
        for number in range(self.count(root) + 1, goal + 1):
            tlc.Table.from_dict(
                {"n": [number] * 3},
                table_name="table",
                dataset_name="dataset",
                project_name="project",
                root_url=root,
                if_exists="overwrite",
            )
            run = tlc.Run.create("project", "run", if_exists="overwrite", root_url=root)
            run.set_parameters({"n": number})
            acknowledge(number)
            run.set_status_completed()

    def count(self, root: str) -> int:
        numbers = [n for table in all_tables(root) for n in table.column("n").to_pylist()]
        number = max(numbers, default=0)
        assert numbers in ([], [number] * 3)
        parameters = [run.parameters for run in all_runs(root)]
        if parameters == [{"n": number}]:
            return number
        # It is at work on the run: what was there may be gone already.
        assert parameters in ([], [{}], [{"n": number - 1}])
        return max(number - 1, 0)

    def is_right(self, table: tlc.Table, revision: int) -> bool:
        numbers = table.column("n").to_pylist()
        return len(numbers) == 3 and len(set(numbers)) == 1 and revision == 0


WORKS = {
    "tables": Tables(),
    "metrics": Metrics(),
    "revisions": Revisions(),
    "overwrites": Overwrites(),
}


def entries(root: str, listing: Callable[[tlc.Url], list[Entry]]) -> list[Entry]:
    return [entry for project in list_projects(root) for entry in listing(project)]


@contextmanager
def told_of_lost_lines() -> Iterator[None]:
    """Let a run warn of logged lines that are damaged: after a power cut the last may be."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*\.jsonl, line \d+ is damaged", DamagedObjectWarning)
        yield


def all_tables(root: str) -> list[tlc.Table]:
    """Open every table below a root by way of the listing, which must tell of no damage."""
    return [opened(entry) for entry in entries(root, list_tables)]


def all_runs(root: str) -> list[tlc.Run]:
    """Open every run below a root by way of the listing, which must tell of no damage."""
    return [opened(entry) for entry in entries(root, list_runs)]


def opened(entry: Entry) -> Any:
    assert entry.fault == ""
    return open_object(entry.url)


def whole(numbers: list[int]) -> int:
    """Assert that no number is missing or there twice, and return how many there are."""
    assert sorted(numbers) == list(range(len(numbers)))
    return len(numbers)


def cells_after(revision: int) -> list[int]:
    cells = [0] * ROWS
    for number in range(1, revision + 1):
        cells[number % ROWS] = number
    return cells
