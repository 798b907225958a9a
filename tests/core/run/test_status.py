"""What a run is doing."""

from __future__ import annotations

import copy
import pickle

import pytest

import tlc
from tlc import constants
from tlc.run import RunStatus

NAMES = [
    "empty",
    "running",
    "collecting",
    "post_processing",
    "completed",
    "failed",
    "interrupted",
]
SETTABLE = NAMES[1:]


@pytest.mark.parametrize("name", NAMES)
def test_statuses_are_the_documented_numbers(name):
    number = getattr(constants, f"RUN_STATUS_{name.upper()}")
    assert getattr(RunStatus, name.upper()) == number
    assert isinstance(number, float)


def test_a_new_run_is_empty(run):
    assert run.status == constants.RUN_STATUS_EMPTY
    assert isinstance(run.status, float)


@pytest.mark.parametrize("name", SETTABLE)
def test_each_status(run, name):
    getattr(run, f"set_status_{name}")()
    for view in (run, tlc.Run.from_url(run.url)):
        assert view.status == getattr(constants, f"RUN_STATUS_{name.upper()}")
        assert view.state.status is RunStatus[name.upper()]
        assert view.state.reason == ""
    assert run.state.status.is_final == (name in ("completed", "failed", "interrupted"))


@pytest.mark.parametrize("name", ["failed", "interrupted"])
def test_the_reason_is_kept_until_the_next_status(run, name):
    getattr(run, f"set_status_{name}")("out of memory")
    assert tlc.Run.from_url(run.url).state.reason == "out of memory"
    run.set_status_running()
    assert run.state.reason == ""
    assert run.status == constants.RUN_STATUS_RUNNING


def test_the_last_status_counts(run):
    for name in ("running", "collecting", "running", "post_processing"):
        getattr(run, f"set_status_{name}")()
    assert run.status == constants.RUN_STATUS_POST_PROCESSING


def test_add_metrics_leaves_the_status_alone(run):
    run.set_status_running()
    run.add_metrics({"loss": [1.0]})
    assert run.status == constants.RUN_STATUS_RUNNING


class TestClose:
    def test_completes_the_active_run(self, run):
        run.set_status_running()
        tlc.close()
        assert run.status == constants.RUN_STATUS_COMPLETED
        assert tlc.active_run() is None

    def test_leaves_a_run_alone_that_another_process_ended(self, run):
        tlc.set_active_run(None)
        tlc.Run.from_url(run.url).set_status_failed("why")
        tlc.set_active_run(run)
        tlc.close()
        assert run.status == constants.RUN_STATUS_FAILED
        assert run.state.reason == "why"
        assert tlc.active_run() is None

    def test_without_a_run(self):
        tlc.close()
        assert tlc.active_run() is None


class TestIdentity:
    def test_equal_if_url_and_id_are(self, run):
        again = tlc.Run.from_url(run.url)
        other = tlc.init("project", "other")
        assert run == again
        assert hash(run) == hash(again)
        assert run != other
        assert run != run.url
        assert len({run, again, other}) == 2

    @pytest.mark.parametrize(
        "transport", [lambda run: pickle.loads(pickle.dumps(run)), copy.copy, copy.deepcopy]
    )
    def test_travels_as_its_url(self, run, transport):
        run.log({"number": 0})
        other = transport(run)
        assert other == run
        other.log({"number": 1})
        run.log({"number": 2})
        assert [o["number"] for o in run.constants["outputs"]] == [0, 1, 2]
        assert len(pickle.dumps(run)) < 1000

    def test_metrics_of_a_run_travel_too(self, run, table):
        run.add_metrics({"loss": [1.0] * 5}, foreign_table_url=table)
        metrics = pickle.loads(pickle.dumps(run.metrics))
        assert metrics == run.metrics
        assert metrics() == run.metrics()

    def test_repr(self, run):
        run.set_status_running()
        run.add_metrics({"loss": [1.0]})
        assert repr(run) == f"Run 'run': running, 1 metrics tables, {run.url}"
