"""Trainings of two processes, as each framework launches them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from tests.integrations import ddp

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

ROWS = 23  # what two ranks cannot share evenly

TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
LAUNCHED = {
    "lightning": [ddp.__file__, "lightning"],
    "lightning_in_a_run": [ddp.__file__, "lightning_in_a_run"],
    "hugging_face": [*TORCHRUN, ddp.__file__, "hugging_face"],
}
WANTED = {
    "lightning": [("val", 0), ("val", 1)],
    "lightning_in_a_run": [("val", 0), ("val", 1)],
    "hugging_face": [("eval", 0), ("eval", 2), ("train", 0), ("train", 2)],
}


@pytest.fixture
def table():
    x = torch.stack([torch.arange(float(ROWS)) / 64] * 8, 1)
    columns = {"x": x, "label": [row % 2 for row in range(ROWS)]}
    schema = {"label": tlc.schemas.CategoricalLabelSchema(["even", "odd"])}
    return tlc.Table.from_dict(columns, schema, project_name="default-project")


@pytest.mark.parametrize("kind", LAUNCHED)
def test_two_ranks_collect_each_row_once_into_one_run(kind, table, tmp_path):
    command = [sys.executable, *LAUNCHED[kind], str(table.url), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    project = ProjectLayout.project_url(project_name="default-project")
    (entry,) = list_runs(project)
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    found = run.metrics_tables
    passes = [(each.metrics_info.split, each.metrics_info.constants["epoch"]) for each in found]
    assert sorted(passes) == WANTED[kind]
    for metrics in found:
        ids = metrics.get_column_as_pyarrow_array("example_id").to_pylist()
        assert ids == list(range(ROWS))
        assert metrics.get_column_as_pyarrow_array("number").to_pylist() == ids
        assert metrics.completeness.missing == 0
    means = [v for each in run.constants["outputs"] for k, v in each.items() if "number_avg" in k]
    assert means == [(ROWS - 1) / 2] * len(found)
    assert run.parameters
