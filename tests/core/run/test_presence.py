"""Whether anybody is at work on a run, and what becomes of it when they end."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.common.waiting import wait_until

import tlc
from tlc._lifetime import Ending, keeper, process
from tlc.errors import OverwrittenRunWarning
from tlc.run import presence
from tlc.run.presence import Presence
from tlc.url import UrlAdapterRegistry


@pytest.fixture
def run():
    """A run that nobody is at work on."""
    return tlc.Run.create("project", "run")


@pytest.fixture
def quick(monkeypatch):
    """Lets signs of life follow each other at once."""
    monkeypatch.setattr(presence, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(keeper, "TURN_SECONDS", 0.01)


def signs(run):
    return sorted(Path(str(run.url)).rglob("*.alive"))


def leave_sign(run, text, age=0.0):
    """Leave the sign of some process."""
    sign = Path(str(run.url), "events", run.id, "abcdef.alive")
    sign.parent.mkdir(parents=True, exist_ok=True)
    sign.write_text(text)
    when = time.time() - age
    os.utime(sign, (when, when))


class TestSigns:
    def test_work_begins_and_ends_with_a_sign(self, run):
        assert signs(run) == []
        run.set_status_running()
        assert len(signs(run)) == 1
        tlc.set_active_run(run)
        tlc.MetricsTableWriter(run).abort()
        assert len(signs(run)) == 1
        assert (run.status_name, run.is_crashed) == ("running", False)
        run.set_status_completed()
        assert signs(run) == []
        run.set_status_running()
        assert len(signs(run)) == 1

    @pytest.mark.parametrize("scheme", ["file", "memory"])
    def test_signs_go_on(self, scheme, tmp_path, quick):
        run = tlc.init(run_url=f"{scheme}://{tmp_path}/signs")
        (sign,) = UrlAdapterRegistry.list_dir(run.url / "events" / run.id)
        wait_until(lambda: UrlAdapterRegistry.get_file_size(tlc.Url(sign.path)) > sign.size + 3)
        assert not run.is_crashed

    def test_a_sign_that_somebody_took_away_comes_back(self, run, quick):
        run.set_status_running()
        (sign,) = signs(run)
        text = sign.read_text()
        sign.unlink()
        wait_until(lambda: signs(run) == [sign] and sign.read_text().startswith(text))

    def test_a_run_that_was_deleted_does_not_come_back(self, run, quick):
        run.set_status_running()
        with pytest.warns(OverwrittenRunWarning, match="was overwritten or deleted"):
            self.delete(run)
        assert not Path(str(run.url)).exists()

    def delete(self, run):
        Path(str(run.url)).rename(Path(str(run.url)).with_name("away"))
        wait_until(lambda: not [t for t in keeper.keeper()._kept.values() if t.rank == 2])

    def test_to_overwrite_a_run_of_its_own_is_no_surprise(self, quick):
        for _ in range(3):
            run = tlc.init("project", "again", if_exists="overwrite")
        wait_until(lambda: signs(run)[0].stat().st_size > 200)
        assert len(signs(run)) == 1


class TestCrashed:
    @pytest.mark.parametrize(
        ("machine", "pid", "age", "crashed"),
        [
            ("another", 1, 50, False),
            ("another", 1, 70, True),
            ("this", "this", 0, True),  # the number is that of another process now
            ("this", 1 << 40, 0, True),
            ("a later version says it otherwise", None, 50, False),
            ("a later version says it otherwise", None, 70, True),
        ],
    )
    def test_a_sign_alone(self, run, machine, pid, age, crashed):
        where = process.machine() if machine == "this" else machine
        number = os.getpid() if pid == "this" else pid
        leave_sign(run, f'{{"machine":"{where}","pid":{number or "null"},"started":"1"}}\n', age)
        assert run.is_crashed == crashed
        assert run.status_name == ("crashed" if crashed else "empty")
        assert run.status == tlc.constants.RUN_STATUS_EMPTY

    def test_not_while_somebody_is_at_work(self, run):
        leave_sign(run, "", age=100)
        assert run.is_crashed
        run.set_status_running()
        assert not run.is_crashed

    def test_not_after_somebody_has_said_how_it_ended(self, run):
        leave_sign(run, "", age=100)
        run.set_status_failed()
        assert (run.status_name, run.is_crashed) == ("failed", False)

    def test_not_after_somebody_goes_on_with_it(self, run):
        leave_sign(run, "", age=100)
        tlc.init("project", "run", if_exists="reuse")
        assert not run.is_crashed
        assert len(signs(run)) == 1

    def test_a_copy_is_nobodys_work(self, run, tmp_path):
        leave_sign(run, "", age=100)
        assert not run.copy(destination_url=tmp_path / "copy").is_crashed


class TestEnd:
    @pytest.fixture
    def present(self, run):
        made = Presence(run.url, run.id)
        made.come()
        return made

    @pytest.mark.parametrize("outcome", ["completed", "failed", "interrupted"])
    @pytest.mark.parametrize("reason", ["", "why"])
    def test_the_run_ends_as_the_process_does(self, run, present, outcome, reason):
        present.end(Ending(outcome, reason))
        assert (run.status_name, run.state.reason) == (outcome, reason)
        assert signs(run) == []

    def test_what_somebody_has_said_stays(self, run, present):
        run._events.append("status", {"status": 5, "reason": "enough"})
        present.end(Ending("completed"))
        assert (run.status_name, run.state.reason) == ("failed", "enough")

    @pytest.mark.parametrize(("age", "status"), [(0, "empty"), (100, "crashed")])
    def test_who_is_left_decides(self, run, present, age, status):
        leave_sign(run, "", age=age)
        present.end(Ending("completed"))
        assert run.status_name == status

    def test_a_failure_is_one_whoever_is_left(self, run, present):
        leave_sign(run, "")
        present.end(Ending("failed", "why"))
        assert run.status_name == "failed"

    def test_an_overwritten_run_is_left_alone(self, run, present):
        other = tlc.Run.create("project", "run", if_exists="overwrite")
        with pytest.warns(OverwrittenRunWarning):
            present.end(Ending("failed", "why"))
        assert other.status_name == "empty"
        assert not (other.url / "events" / run.id).exists()


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_going_on_with_a_run_that_had_ended(run, status):
    getattr(run, f"set_status_{status}")("why")
    tlc.init("project", "run", if_exists="reuse")
    assert (run.status_name, run.state.reason) == ("running", "")


def test_going_on_with_a_completed_run_leaves_it_so(run):
    run.set_status_completed()
    tlc.init("project", "run", if_exists="reuse")
    assert run.status_name == "completed"
