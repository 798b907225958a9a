"""Every call of the operating system may fail, once or from then on, and nothing is lost by it."""

from __future__ import annotations

import errno
import os
import shutil
import warnings

import pytest
from tests.reliability.scale import size
from tests.reliability.works import all_runs, all_tables

import tlc
from tlc.errors import StorageError, StorageFullError, TlcWarning
from tlc.testing.disks import FaultyDisk, InterceptedDisk, use_disk
from tlc.url.unfinished import TEMP_PREFIX

ERRORS = {
    "open_new": ["ENOSPC", "EDQUOT", "EMFILE", "EROFS", "EACCES"],
    "open_append": ["ENOSPC", "EDQUOT", "EMFILE", "EROFS", "EACCES"],
    "write": ["ENOSPC", "EDQUOT", "EIO"],
    "sync": ["EIO", "ENOSPC", "EDQUOT"],
    "close": ["EIO", "ENOSPC", "EDQUOT"],
    "link": ["ENOSPC", "EDQUOT", "EROFS", "EIO"],
    "unlink": ["EIO", "EROFS"],
    "make_folder": ["ENOSPC", "EDQUOT", "EROFS", "EACCES"],
    "sync_folder": ["EIO", "EMFILE"],
}
AT_ONCE = size(2, 5)
"""How many of the errors of an operation are tried at each of its calls."""


class Job:
    """A table, a revision, a run and metrics; each step is noted once it was acknowledged."""

    def __init__(self, root):
        self.root = root
        self.done = {}

    def work(self):
        names = {"project_name": "project", "dataset_name": "dataset", "root_url": self.root}
        table = tlc.Table.from_dict({"n": range(10)}, table_name="table", **names)
        self.done["table"] = table
        self.done["revision"] = table.set_values("n", [0], [100])
        run = tlc.Run.create("project", "run", root_url=self.root)
        self.done["run"] = run
        run.set_parameters({"lr": 0.1})
        self.done["parameters"] = {"lr": 0.1}
        with tlc.MetricsTableWriter(run, table) as writer:
            for start in (0, 5):
                ids = list(range(start, start + 5))
                writer.add_batch({"example_id": ids, "loss": [float(i) for i in ids]})
                writer.flush()
                self.done["metrics"] = start + 5
            run.log({"loss": 4.5})
            self.done["outputs"] = [{"loss": 4.5}]
        run.set_status_completed()
        self.done["status"] = tlc.constants.RUN_STATUS_COMPLETED

    def check(self):
        """Assert that all that was acknowledged is there, and that nothing there is damaged."""
        done, tables, runs = self.done, all_tables(self.root), all_runs(self.root)
        for name, first in (("table", 0), ("revision", 100)):
            if name in done:
                assert done[name] in tables
                numbers = tlc.Table.from_url(done[name].url).column("n").to_pylist()
                assert numbers == [first, *range(1, 10)]
        if "run" not in done:
            return
        assert done["run"] in runs
        run = tlc.Run.from_url(done["run"].url)
        if "outputs" in done:  # what could not be written waits for the next event
            done["run"].log({"loss": 5.5})
            assert run.state.outputs == [*done["outputs"], {"loss": 5.5}]
        assert done.get("parameters", run.parameters) == run.parameters
        assert done.get("status", run.status) == run.status
        losses = [loss for t in run.metrics_tables for loss in t.column("loss").to_pylist()]
        assert losses == [float(i) for i in range(len(losses))]
        assert len(losses) >= done.get("metrics", 0)
        done["run"].set_status_failed()  # nobody goes on with it


def calls(root):
    """Return how often the job asks for each operation."""
    disk = InterceptedDisk()
    with use_disk(disk):
        Job(str(root)).work()
    shutil.rmtree(root)
    return disk.calls


def cases(root, operation):
    """Yield number of the first call that fails, name of the error, and how many calls fail."""
    errors = ERRORS[operation]
    for number in range(1, calls(root)[operation] + 1):
        for turn in range(min(AT_ONCE, len(errors))):
            yield number, errors[(number + turn) % len(errors)], 1
            yield number, errors[(number + turn + 1) % len(errors)], None


def outcome(job, disk):
    """Return the error that the job ends with on a disk, or None; it may warn of others."""
    with warnings.catch_warnings(), use_disk(disk):
        warnings.simplefilter("ignore", TlcWarning)
        try:
            job.work()
        except StorageError as error:
            return error
    return None


def temp_files(root):
    return [name for _, _, names in os.walk(root) for name in names if name.startswith(TEMP_PREFIX)]


@pytest.mark.parametrize("operation", ERRORS)
def test_a_call_that_fails_loses_nothing_acknowledged(operation, fast_folder):
    failed = 0
    for number, name, count in cases(fast_folder / "counted", operation):
        code, root = getattr(errno, name), fast_folder / f"{number}-{name}-{count}"
        disk, job = FaultyDisk(code, [operation], first=number, count=count), Job(str(root))
        error = outcome(job, disk)
        assert disk.failures
        if error is not None:
            failed += 1
            assert (error.errno, str(root) in str(error)) == (code, True)
            assert isinstance(error, StorageFullError) == (name in ("ENOSPC", "EDQUOT"))
        job.check()
        if operation != "unlink":
            assert temp_files(root) == []
        again = Job(str(root))
        again.work()
        again.check()
        assert len(again.done) == 7
        shutil.rmtree(root)
    assert failed or operation == "unlink"


def test_a_disk_that_knows_no_links_is_as_good(fast_folder):
    disk, job = FaultyDisk(errno.EPERM, ["link"], count=None), Job(str(fast_folder))
    with use_disk(disk):
        job.work()
    assert len(job.done) == 7
    assert disk.failures == disk.calls["link"] > 0
    job.check()


@pytest.mark.parametrize("operation", ["link", "replace", "unlink", "sync"])
def test_an_answer_that_is_lost_is_no_loss(operation, fast_folder):
    """The call did its work, but says that it failed, as network file systems may."""
    for number in range(1, calls(fast_folder / "counted")[operation] + 1):
        root = fast_folder / str(number)
        disk = FaultyDisk(errno.EIO, [operation], first=number, lands=True)
        job = Job(str(root))
        error = outcome(job, disk)
        assert error is None or operation != "link"
        job.check()
        assert temp_files(root) == []
