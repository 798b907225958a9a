"""However a training ends, what it has written is there, and the run says how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.common.waiting import wait_until
from tests.reliability import dying, no_append
from tests.reliability.dying import BATCH, STEPS
from tests.reliability.no_append import SCHEME
from tests.reliability.scale import size

import tlc
from tlc.url import UrlAdapterRegistry

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")

ROOT = Path(__file__).parents[2]
TIMES = size(1, 20)
"""How often a signal is sent, each time at another moment."""

# way: (exit status, status of the run, what its reason holds)
ENDS = {
    "the_end": (0, "completed", ""),
    "closed": (0, "completed", ""),
    "caught_exception": (0, "completed", ""),
    "dropped_writer": (0, "completed", ""),
    "exception_in_a_thread": (0, "completed", ""),
    "exit_without_fault": (0, "completed", ""),
    "forked_child_that_leaves": (0, "completed", ""),
    "forked_child_that_writes": (0, "completed", ""),
    "forked_child_that_is_terminated": (0, "completed", ""),
    "subprocess_that_is_terminated": (0, "completed", ""),
    "exception": (1, "failed", "ValueError: loss is NaN"),
    "within_with": (1, "failed", "ValueError: within with"),
    "exception_in_a_loader": (1, "failed", "cannot read the sample"),
    "out_of_memory": (1, "failed", "MemoryError"),
    "exit_with_a_number": (3, "failed", "sys.exit(3)"),
    "exit_with_a_text": (1, "failed", "no such checkpoint"),
    "exit_as_if_terminated": (143, "interrupted", "sys.exit(143)"),
    "os_exit": (9, "crashed", ""),
    "segmentation_fault": (-signal.SIGSEGV, "crashed", ""),
}
HARD = {"os_exit", "segmentation_fault"}


@pytest.fixture(autouse=True)
def adapter():
    no_append.register()
    yield
    UrlAdapterRegistry.unregister(SCHEME)


class Victim:
    """A process that runs `dying.py`."""

    def __init__(self, way, url, **environment):
        self.url = url
        self.process = subprocess.Popen(
            [sys.executable, dying.__file__, way, str(url)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,  # or lines that were read ahead would be missing in the end
            env=os.environ
            | {
                "OMP_NUM_THREADS": "1",
                "TLC_DURABILITY": "os",
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            }
            | environment,
        )
        self.steps = 0
        self.errors = ""

    def wait_for(self, steps):
        while self.steps < steps:
            self.steps = int(self.process.stdout.readline())

    def send(self, *signals):
        for each in signals:
            self.process.send_signal(each)

    def end(self):
        """Wait until it has ended, and return how."""
        said, errors = self.process.communicate(timeout=60)
        whole = [line for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
        self.steps = max([self.steps, *map(int, whole)])
        self.errors = errors.decode()
        return self.process.returncode


@contextmanager
def victim(way, url, **environment):
    started = Victim(way, url, **environment)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


def check_rows(run, steps, *, lost=0):
    """Assert that the rows of all steps but the last `lost` are there, once, and no others."""
    rows = [n for table in run.metrics_tables for n in table.column("n").to_pylist()]
    assert rows == list(range(len(rows)))
    assert BATCH * (steps - lost) <= len(rows) <= BATCH * (steps + 1)


def check_logged(run, steps, *, lost=0):
    logged = [output["n"] for output in run.state.outputs if "n" in output]
    assert logged == list(range(len(logged)))
    assert steps - lost <= len(logged) <= steps + 1


@pytest.mark.parametrize("way", ENDS)
def test_how_a_program_ends_is_how_its_run_ends(way, tmp_path):
    check_end(way, tmp_path / "run", lost=STEPS if way in HARD else 0)


def test_processes_of_multiprocessing_end_as_programs_do(tmp_path):
    with victim("processes_of_multiprocessing", tmp_path / "run") as started:
        assert started.end() == 0, started.errors
    for method in ("fork", "spawn"):
        run = tlc.Run.from_url(tmp_path / f"run-{method}")
        assert run.status_name == "failed"
        assert "loss is NaN" in run.state.reason
        check_rows(run, STEPS)


@pytest.mark.parametrize("way", ["the_end", "exception", "exit_with_a_number", "os_exit"])
def test_it_is_the_same_where_files_cannot_grow(way, tmp_path):
    lost = STEPS if way in HARD else 0
    check_end(way, tlc.Url(f"{SCHEME}://{tmp_path}/run"), lost=lost, lost_values=lost)


def check_end(way, url, *, lost, lost_values=0):
    code, status, reason = ENDS[way]
    with victim(way, url) as started:
        assert started.end() == code, started.errors
    run = tlc.Run.from_url(url)
    assert run.status_name == status
    assert reason in run.state.reason
    assert bool(run.state.reason) == bool(reason)
    assert run.is_crashed == (way in HARD)
    check_logged(run, started.steps, lost=lost_values)
    check_rows(run, started.steps, lost=lost)
    partial = [] if way in HARD else [way != "closed"]
    assert [table.is_partial for table in run.metrics_tables] == partial


SIGNALS = {
    "ctrl_c": ("until_killed", [signal.SIGINT], "KeyboardInterrupt"),
    "ctrl_c_twice": ("until_killed", [signal.SIGINT] * 2, "KeyboardInterrupt"),
    "ctrl_c_often": ("until_killed", [signal.SIGINT] * 8, "KeyboardInterrupt"),
    "terminated": ("until_killed", [signal.SIGTERM], "SIGTERM"),
    "terminated_twice": ("until_killed", [signal.SIGTERM] * 2, "SIGTERM"),
    "terminated_in_slow_code": ("until_killed_in_slow_code", [signal.SIGTERM], "SIGTERM"),
    "terminated_after_ctrl_c": ("until_killed", [signal.SIGINT, signal.SIGTERM], ""),
}


@pytest.mark.parametrize("time", range(TIMES))
@pytest.mark.parametrize(
    ("how", "scheme"),
    [*((how, "file") for how in SIGNALS), ("ctrl_c_twice", SCHEME), ("terminated", SCHEME)],
)
def test_a_signal_interrupts_the_run_and_costs_nothing(how, time, scheme, tmp_path):
    way, signals, reason = SIGNALS[how]
    with victim(way, f"{scheme}://{tmp_path}/run") as started:
        started.wait_for(21 if way == "until_killed_in_slow_code" else 21 + 13 * time)
        started.send(*signals)
        assert started.end() in {-each for each in signals}, started.errors
    run = tlc.Run.from_url(tmp_path / "run")
    assert run.status_name == "interrupted"
    assert reason in run.state.reason
    check_rows(run, started.steps)
    check_logged(run, started.steps)


def test_a_program_with_a_handler_of_its_own_ends_in_its_own_way(tmp_path):
    with victim("until_killed_with_a_handler", tmp_path / "run") as started:
        started.wait_for(25)
        started.send(signal.SIGTERM)
        assert started.end() == 0, started.errors
    run = tlc.Run.from_url(tmp_path / "run")
    assert (run.status_name, run.state.reason) == ("interrupted", "SIGTERM")
    check_rows(run, started.steps)


def test_the_handler_can_be_switched_off(tmp_path):
    with victim("until_killed", tmp_path / "run", TLC_HANDLE_SIGTERM="no") as started:
        started.wait_for(25)
        started.send(signal.SIGTERM)
        assert started.end() == -signal.SIGTERM
    run = tlc.Run.from_url(tmp_path / "run")
    assert run.status_name == "crashed"
    check_logged(run, started.steps)


@pytest.mark.parametrize("scheme", ["file", SCHEME])
def test_a_kill_costs_no_more_than_the_last_seconds(scheme, tmp_path):
    """Also where no further rows came in that could have carried the others to the disk."""
    with victim("until_seen", f"{scheme}://{tmp_path}/run") as started:
        started.wait_for(STEPS)
        run = tlc.Run.from_url(tmp_path / "run")
        assert run.status_name == "empty"
        wait_until(lambda: sum(map(len, run.metrics_tables)) == STEPS * BATCH)
        wait_until(lambda: len(run.state.outputs) == STEPS)
        started.send(signal.SIGKILL)
        assert started.end() == -signal.SIGKILL
    assert run.status_name == "crashed"
    check_rows(run, STEPS)
    check_logged(run, STEPS)


INTERACTIVE = """
import tlc
run = tlc.init(run_url={url!r})
writer = tlc.MetricsTableWriter()
writer.add_batch({{"n": list(range(21))}})
1 / 0
"""


@pytest.mark.parametrize("last", ["", "tlc.close()\n", "exit()\n"])
def test_the_end_of_an_interactive_session(last, tmp_path):
    """An error ended nothing there, and nobody has said that the run is complete."""
    program = INTERACTIVE.format(url=str(tmp_path / "run")) + last
    subprocess.run([sys.executable, "-i"], input=program.encode(), check=True, capture_output=True)
    run = tlc.Run.from_url(tmp_path / "run")
    assert run.status_name == ("completed" if "close" in last else "interrupted")
    check_rows(run, 3)


class TestProcessesOfOneRun:
    @pytest.fixture
    def run(self, tmp_path):
        return tlc.Run.create(run_url=tmp_path / "run")

    @contextmanager
    def worker(self, run):
        program = f"import tlc; run = tlc.init(run_url={str(run.url)!r}, if_exists='reuse'); "
        program += "print(flush=True); input()"
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen([sys.executable, "-c", program], **pipes)
        try:
            process.stdout.readline()
            yield process
        finally:
            process.kill()
            process.communicate()

    def leave(self, process):
        """Let a worker come to its end, and return what it says on the way."""
        errors = process.communicate(b"\n", timeout=60)[1].decode()
        assert process.returncode == 0, errors
        return errors

    def test_the_last_to_leave_completes_it(self, run):
        with self.worker(run) as first, self.worker(run) as second:
            self.leave(first)
            assert run.status_name == "empty"
            self.leave(second)
            assert run.status_name == "completed"

    def test_if_one_is_killed_it_has_crashed_when_the_others_have_left(self, run):
        with self.worker(run) as first, self.worker(run) as second:
            first.kill()
            first.wait()
            assert run.status_name == "empty"
            self.leave(second)
            assert run.status_name == "crashed"
            assert run.is_crashed

    def test_who_goes_on_with_it_makes_it_well_again(self, run):
        with self.worker(run) as first:
            first.kill()
            first.wait()
        assert run.is_crashed
        with self.worker(run) as second:
            assert not run.is_crashed
            self.leave(second)
        assert run.status_name == "completed"

    def test_going_on_with_a_failed_one_makes_it_run_again(self, run):
        run.set_status_failed("why")
        with self.worker(run) as process:
            assert run.status_name == "running"
            self.leave(process)
        assert run.status_name == "completed"

    def test_somebody_says_that_it_has_ended(self, run):
        with self.worker(run) as first:
            run.set_status_failed("enough")
            self.leave(first)
        assert (run.status_name, run.state.reason) == ("failed", "enough")

    def test_it_was_overwritten_by_somebody_else(self, run):
        with self.worker(run) as first:
            other = tlc.Run.create(run_url=run.url, if_exists="overwrite")
            assert "OverwrittenRunWarning" in self.leave(first)
        assert tlc.Run.from_url(run.url) == other
        assert other.status_name == "empty"
