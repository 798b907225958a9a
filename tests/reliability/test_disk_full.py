"""A full disk: what was acknowledged stays, the training goes on, and so does the writing later."""

from __future__ import annotations

import errno
import os
import warnings

import numpy as np
import pytest
from tests.common.waiting import wait_until
from tests.reliability.loop_disk import small_disk
from tests.reliability.works import all_tables

import tlc
from tlc.errors import StorageFullError, StorageFullWarning
from tlc.url.unfinished import TEMP_PREFIX

FAILURES = 50
ROWS = 1000


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MB, half of it taken by the file ``ballast``."""
    with small_disk(tmp_path, "4m") as root:
        (root / "ballast").write_bytes(bytes(2 << 20))
        yield root


@pytest.fixture
def run(disk):
    run = tlc.Run.create("project", "run", root_url=disk)
    yield run
    make_space(disk)
    run.set_status_failed()  # nobody goes on with it


def fill(disk):
    """Take all the space that is left."""
    with (
        open(disk / "filling", "ab", buffering=0) as file,
        pytest.raises(OSError, match="No space left"),
    ):
        write_forever(file)


def write_forever(file):
    while True:
        file.write(bytes(1 << 12))


def make_space(disk):
    for name in ("ballast", "filling"):
        (disk / name).unlink(missing_ok=True)


def add_forever(writer, batch):
    while True:
        writer.add_batch(batch)


def temp_files(root):
    return [name for _, _, names in os.walk(root) for name in names if name.startswith(TEMP_PREFIX)]


def batches(seed=0):
    """Yield batches of rows that cannot be stored in much less than 16 kB."""
    generator, start = np.random.default_rng(seed), 0
    while True:
        yield {"n": np.arange(start, start + ROWS), "noise": generator.random(ROWS)}
        start += ROWS


def numbers(table):
    return table.column("n").to_pylist()


def test_metrics_that_were_acknowledged_are_there_and_the_writer_goes_on(disk, run):
    writer = tlc.MetricsTableWriter(run)
    added = acknowledged = 0
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StorageFullWarning)
        for batch in batches():
            writer.add_batch(batch)
            added += ROWS
            try:
                writer.flush()
            except StorageFullError as error:
                failures.append((error.errno, str(writer.url) in str(error)))
            else:
                acknowledged = added
            if len(failures) == FAILURES:
                break
    assert set(failures) == {(errno.ENOSPC, True)}
    assert added > acknowledged > 0
    assert temp_files(disk) == []
    assert numbers(tlc.Table.from_url(writer.url)) == list(range(acknowledged))
    make_space(disk)
    writer.flush()
    assert numbers(tlc.Table.from_url(writer.url)) == list(range(added))
    assert numbers(writer.finalize()) == list(range(added))


def test_a_training_that_catches_nothing_goes_on(disk, run):
    """It is warned, and what it measured while the disk was full is there in the end."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with tlc.MetricsTableWriter(run, constants={"epoch": 0}) as writer:
            for step, batch in zip(range(300), batches(), strict=False):
                if step == 50:
                    fill(disk)
                if step == 250:
                    make_space(disk)
                writer.add_batch(batch)
                run.log({"step": step})
    assert {warning.category for warning in told} == {StorageFullWarning}
    assert len(told) < 10
    (table,) = run.metrics_tables
    assert numbers(table) == list(range(300 * ROWS))
    assert [output["step"] for output in run.state.outputs] == list(range(300))
    assert len(list(disk.rglob("*.jsonl"))) == 2  # the one that could not grow, and the next
    assert temp_files(disk) == []


def test_a_training_that_collects_on_a_full_disk_goes_on(disk, run):
    """Epochs begin and end while there is no space; all of them are there when there is."""
    table = tlc.Table.from_dict({"n": range(ROWS)}, table_name="samples", root_url=disk)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fill(disk)
        for epoch in range(5):
            collect(table, run, epoch)
            with tlc.MetricsTableWriter(run, table, constants={"own": epoch}) as writer:
                writer.add_batch({"example_id": range(ROWS), "loss": np.arange(ROWS) * epoch})
        assert len(run.metrics_tables) == 0
        make_space(disk)
        collect(table, run, 5)
        wait_until(lambda: len(run.metrics_tables) == 11)
    assert {warning.category for warning in told} == {StorageFullWarning}
    assert run.input_tables == [table.url]
    for name in ("epoch", "own"):
        found = {t.metrics_info.constants[name]: t for t in of(run.metrics_tables, name)}
        for epoch, metrics in found.items():
            assert metrics.column("loss").to_pylist() == [n * epoch for n in range(ROWS)]
        assert sorted(found) == list(range(5 + (name == "epoch")))
    wait_until(lambda: len(run.state.outputs) == 6)
    assert [output["loss_avg"] for output in run.state.outputs] == [499.5 * e for e in range(6)]
    assert temp_files(disk) == []


def of(tables, name):
    return [table for table in tables if name in table.metrics_info.constants]


def collect(table, run, epoch):
    def losses(batch, _):
        return {"loss": np.asarray(batch["n"]) * float(epoch)}

    tlc.collect_metrics(table, losses, constants={"epoch": epoch}, run_url=run.url)


def test_metrics_are_lost_with_the_process_only_if_there_never_is_space(disk, run):
    """The writer has no name yet; its rows are where they belong as soon as there is space."""
    fill(disk)
    with pytest.warns(StorageFullWarning, match="wait in memory"):
        writer = tlc.MetricsTableWriter(run)
    writer.add_batch({"n": range(3)})
    with pytest.raises(StorageFullError):
        writer.flush()
    with pytest.raises(StorageFullError):
        writer.finalize()
    make_space(disk)
    assert numbers(writer.finalize_and_link()) == [0, 1, 2]
    assert [numbers(table) for table in run.metrics_tables] == [[0, 1, 2]]


def test_memory_is_bounded_while_the_disk_is_full(disk, run):
    """When too many rows wait no more are taken, and those that were taken are kept."""
    writer = tlc.MetricsTableWriter(run)
    fill(disk)
    batch = {"n": np.arange(1_000_000), "noise": np.random.default_rng(0).random(1_000_000)}
    with pytest.warns(StorageFullWarning):
        writer.add_batch(batch)
    with pytest.raises(StorageFullError):
        add_forever(writer, batch)
    assert 1_000_000 < writer.row_count < 20_000_000
    writer.abort()


def test_tables_and_revisions_are_refused_whole(disk):
    table = tlc.Table.from_dict({"n": range(10)}, table_name="first", root_url=disk)
    writer = tlc.TableWriter("second", root_url=disk)
    for batch, _ in zip(batches(), range(10), strict=False):
        writer.add_batch(batch)
    fill(disk)
    for _ in range(FAILURES):
        with pytest.raises(StorageFullError, match="space"):
            writer.finalize()
        with pytest.raises(StorageFullError, match="space"):
            table.set_values("n", [0], [100])
        with pytest.raises(StorageFullError, match="space"):
            tlc.Run.create("default-project", "refused", root_url=disk)
    assert temp_files(disk) == []
    assert all_tables(str(disk)) == [table]
    make_space(disk)
    assert numbers(writer.finalize()) == list(range(10 * ROWS))
    assert numbers(table.set_values("n", [0], [100])) == [100, *range(1, 10)]
    assert len(all_tables(str(disk))) == 3


def test_a_status_is_not_accepted_without_space(disk, run):
    """What a call promises to have stored it stores, or it says so."""
    fill(disk)
    with pytest.raises(StorageFullError):
        run.set_status_completed()
    with pytest.raises(StorageFullError):
        run.set_parameters({"lr": 0.1})
    make_space(disk)
    run.set_parameters({"lr": 0.2})
    assert run.parameters == {"lr": 0.2}
    assert run.status == tlc.constants.RUN_STATUS_EMPTY
