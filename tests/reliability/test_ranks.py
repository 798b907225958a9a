"""Processes that share the rows of a table, each with a metrics table of its own in one run."""

from __future__ import annotations

import random
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import pytest
from tests.reliability import shard
from tests.reliability.scale import size

import tlc

ROWS = 101
WORLDS = range(1, size(4, 6), 2)
TRIALS = size(1, 20)


@pytest.fixture
def table():
    return tlc.Table.from_dict({"n": range(ROWS)}, project_name="project")


@pytest.fixture
def run(table):
    return tlc.Run.create("project", "run")


@contextmanager
def rank(run, table, ids):
    """A process that writes the metrics of some rows."""
    numbers = ",".join(map(str, ids))
    process = subprocess.Popen(
        [sys.executable, shard.__file__, str(run.url), str(table.url), numbers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def safe_rows(process, at_least):
    """Return how many rows a rank says are safe, once it has said so many."""
    said = 0
    while said < at_least:
        said = int(process.stdout.readline())
    return said


def finish(process):
    process.communicate(b"\n", timeout=60)
    assert process.returncode == 0


def shares(world):
    return [list(range(ROWS))[number::world] for number in range(world)]


def found_ids(run, table):
    found = run.metrics(table)
    ids = found["example_id"].to_pylist()
    assert found["loss"].to_pylist() == [float(i) for i in ids]
    return sorted(ids)


@pytest.mark.parametrize("world", WORLDS)
def test_every_row_is_there_once(world, run, table):
    with ExitStack() as stack:
        ranks = [stack.enter_context(rank(run, table, ids)) for ids in shares(world)]
        for process in ranks:
            finish(process)
    assert found_ids(run, table) == list(range(ROWS))
    done = [each.completeness for each in run.metrics_tables]
    assert sorted(each.rows for each in done) == sorted(map(len, shares(world)))
    assert all(each.missing == ROWS - each.rows for each in done)
    assert run.status_name == "completed"


@pytest.mark.parametrize("seed", range(TRIALS))
def test_a_killed_rank_costs_its_own_last_rows_and_can_be_made_up_for(seed, run, table):
    world = max(WORLDS)
    victim = random.Random(seed).randrange(world)
    share = shares(world)
    with ExitStack() as stack:
        ranks = [stack.enter_context(rank(run, table, ids)) for ids in share]
        safe = safe_rows(ranks[victim], len(share[victim]) // 2)
        ranks[victim].kill()
        ranks[victim].wait()
        for number, process in enumerate(ranks):
            if number != victim:
                finish(process)
    missing = sorted(set(range(ROWS)) - set(found_ids(run, table)))
    assert missing == share[victim][safe:]
    assert len(missing) + len(found_ids(run, table)) == ROWS
    assert run.status_name == "crashed"

    with rank(run, table, missing) as again:
        finish(again)
    assert found_ids(run, table) == list(range(ROWS))
    assert run.status_name == "completed"
