"""Tables, and processes that work on runs at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tlc


class Worker:
    """A process that runs the commands of `worker.py`."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1", "TLC_DISPLAY_PROGRESS": "false"},
        )

    def start(self, command, **arguments):
        self.process.stdin.write(json.dumps([command, arguments]) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def answers(self):
        """Return the answers to a command that was started."""
        return list(iter(self.answer, "done"))

    def call(self, command, **arguments):
        self.start(command, **arguments)
        return self.answers()

    def kill(self):
        """Kill the process and return what it had acknowledged until then."""
        self.process.kill()
        rest = [json.loads(line) for line in self.process.stdout if line.endswith("\n")]
        self.process.wait()
        return rest

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture(scope="session")
def crew():
    """Eight processes that are ready to work at the same time."""
    members = [Worker() for _ in range(8)]
    try:
        assert [worker.answer() for worker in members] == ["ready"] * 8
        yield members
    finally:
        for worker in members:
            worker.close()


@pytest.fixture
def victim():
    """A process of the test's own, to be killed."""
    worker = Worker()
    try:
        assert worker.answer() == "ready"
        yield worker
    finally:
        worker.close()


@pytest.fixture
def run():
    return tlc.init("project", "run")


@pytest.fixture
def make_table():
    """Makes tables whose column ``number`` is ten times the row number."""

    def make(rows=5, name="table", project="project", **options):
        data = {
            "number": [10 * i for i in range(rows)],
            "label": [f"{name}-{i}" for i in range(rows)],
        }
        return tlc.Table.from_dict(
            data, project_name=project, table_name=name, if_exists="rename", **options
        )

    return make


@pytest.fixture
def table(make_table):
    return make_table()


@pytest.fixture
def infos_of():
    """Returns the urls of a run's linked metrics tables, absolute."""

    def infos(run):
        return [tlc.Url(info["url"]).to_absolute(run.url) for info in run.metrics]

    return infos
