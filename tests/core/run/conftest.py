"""Tables, and processes that work on runs at the same time."""

from __future__ import annotations

import pytest
from tests.common.members import Member

import tlc

WORKER = "tests.core.run.worker"


@pytest.fixture(scope="session")
def crew():
    """Eight processes that are ready to work at the same time."""
    members = [Member(WORKER) for _ in range(8)]
    try:
        assert [worker.answer() for worker in members] == ["ready"] * 8
        yield members
    finally:
        for worker in members:
            worker.close()


@pytest.fixture
def victim():
    """A process of the test's own, to be killed."""
    worker = Member(WORKER)
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


@pytest.fixture
def collected():
    """Makes a run with metrics about a table: a dict of columns, or one for each epoch."""

    def collect(table, *epochs, split="train", run=None, **constants):
        run = run or tlc.Run.create("project", "run")
        for epoch, metrics in enumerate(epochs):
            stated = {"epoch": epoch, **constants}
            run.add_metrics(metrics, foreign_table_url=table, split=split, constants=stated)
        return run

    return collect
