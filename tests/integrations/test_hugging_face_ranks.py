"""Trainings of two processes that stop, that lack rows, or that have only a callback."""

from __future__ import annotations

import os
import subprocess
import sys

import torch
from tests.integrations import hugging_face_ranks

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

ROWS = 23
LAUNCH = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


def collections(project):
    """Return what each run of a project has collected."""
    runs = [
        tlc.Run.from_url(entry.url)
        for entry in list_runs(ProjectLayout.project_url(project_name=project))
    ]
    assert {run.status_name for run in runs} == {"completed"}
    found = []
    for run in runs:
        for metrics in run.metrics_tables:
            ids = metrics.get_column_as_pyarrow_array("example_id").to_pylist()
            assert ids == list(range(ROWS))
            assert metrics.get_column_as_pyarrow_array("number").to_pylist() == ids
        infos = [metrics.metrics_info for metrics in run.metrics_tables]
        found.append(sorted((info.split, info.constants["epoch"]) for info in infos))
    return sorted(found)


def test_two_ranks_go_on_as_if_they_had_not_stopped(tmp_path):
    """Also where the trainer's own evaluations lack rows; and a callback does as well."""
    x = torch.stack([torch.arange(float(ROWS)) / 64] * 8, 1)
    columns = {"x": x, "label": [row % 2 for row in range(ROWS)]}
    table = tlc.Table.from_dict(columns, project_name="whole")
    command = [sys.executable, *LAUNCH, hugging_face_ranks.__file__, str(table.url), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    wanted = [(split, epoch) for split in ("eval", "train") for epoch in range(3)]
    assert collections("ranks") == [wanted]
    assert collections("whole") == [[], [("val", 0), ("val", 1), ("val", 2)]]
