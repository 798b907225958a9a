"""Processes of a distributed training that collect metrics together: real processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.core.metrics import rank

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

SIZES = [0, 1, 2, 3, 5, 97, 101, 1000]


def tables(sizes):
    for size in sizes:
        names = {"table_name": f"rows-{size}", "dataset_name": "data", "project_name": "project"}
        schema = {"n": tlc.schemas.Int64Schema()}
        tlc.Table.from_dict({"n": list(range(size))}, schema, **names)


def environment(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def torchrun(world, sizes):
    """Run the ranks as torch launches them."""
    launch = ["torch.distributed.run", "--standalone", f"--nproc_per_node={world}"]
    numbers = ",".join(map(str, sizes))
    command = [sys.executable, "-m", *launch, rank.__file__, "project", numbers]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]


def launch(world, size, victim):
    """Run the ranks without anybody who would end all when one is killed; return exit codes."""
    processes = []
    for number in range(world):
        env = environment(RANK=str(number), WORLD_SIZE=str(world))
        command = [sys.executable, rank.__file__, "project", str(size), victim]
        processes.append(subprocess.Popen(command, env=env, stderr=subprocess.PIPE))
    return [(process.communicate(timeout=200), process.returncode)[1] for process in processes]


def the_run():
    (entry,) = list_runs(ProjectLayout.project_url(project_name="project"))
    return tlc.Run.from_url(entry.url)


def column(table, name):
    return table.get_column_as_pyarrow_array(name).to_pylist()


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_each_row_is_collected_once_into_one_table_of_one_run(world):
    tables(SIZES)
    torchrun(world, SIZES)
    run = the_run()
    assert run.status_name == "completed"
    found = run.metrics_tables
    assert sorted(map(len, found)) == [size for size in SIZES if size or world > 1]
    for metrics in found:
        ids = list(range(len(metrics)))
        assert column(metrics, "example_id") == ids
        if ids:
            assert column(metrics, "double") == [2.0 * i for i in ids]
        done = metrics.completeness
        assert (done.rows, done.repeats_dropped, done.missing) == (len(ids), 0, 0)
        assert not metrics.is_partial
    means = sorted(each["val_double_avg"] for each in run.constants["outputs"])
    assert means == [float(size - 1) for size in SIZES if size]
    assert {each["epoch"] for each in run.constants["outputs"]} == {0}


def test_a_killed_rank_delays_nobody_and_is_made_up_for_when_it_is_launched_again():
    size = rank.BATCH * 60
    tables([size])
    first = launch(3, size, victim="1")
    assert first[0] == first[2] == 0
    assert first[1] < 0
    run = the_run()
    (metrics,) = run.metrics_tables
    assert metrics.is_partial
    missing = metrics.missing_example_ids()
    start, stop = size // 3, size * 2 // 3
    assert start < missing[0]  # what it had flushed is there
    assert missing.tolist() == list(range(missing[0], stop))
    assert metrics.completeness.missing == len(missing)
    assert not run.constants["outputs"]

    assert launch(3, size, victim="none") == [0, 0, 0]
    (metrics,) = run.metrics_tables
    assert not metrics.is_partial
    assert column(metrics, "example_id") == list(range(size))
    assert metrics.completeness.missing == 0
    assert [each["val_double_avg"] for each in run.constants["outputs"]] == [size - 1.0]


def test_who_collects_alone_says_so(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    tables([5])
    table = tlc.Table.from_names("rows-5", "data", "project")
    run = tlc.Run.create("project")
    tlc.collect_metrics(table, rank._doubled, run_url=run, distributed=False)
    assert column(run.metrics_tables[0], "example_id") == [0, 1, 2, 3, 4]
