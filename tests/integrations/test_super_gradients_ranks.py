"""Two processes collect with SuperGradients' trainer into one run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

ROWS = 7  # what two ranks cannot share evenly
SCRIPT = Path(__file__).parent / "super_gradients_ranks.py"
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


def test_two_ranks_collect_each_row_once_into_one_run(tmp_path):
    paths = [str(tmp_path / f"{row}.png") for row in range(ROWS)]
    for row, path in enumerate(paths):
        Image.fromarray(np.full((8, 8, 3), row, np.uint8)).save(path)
    schema = {
        "image": tlc.schemas.ImageSchema(),
        "class": tlc.schemas.CategoricalLabelSchema(["even", "odd"]),
    }
    columns = {"image": paths, "class": [row % 2 for row in range(ROWS)]}
    table = tlc.Table.from_dict(columns, schema, project_name="super")
    command = [sys.executable, *TORCHRUN, str(SCRIPT), str(table.url)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    (entry,) = list_runs(ProjectLayout.project_url(project_name="super"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    found = [
        (each.metrics_info.split, each.metrics_info.constants["epoch"])
        for each in run.metrics_tables
    ]
    assert sorted(found) == [("train", 0), ("train", 1)] + [("val", i // 2) for i in range(4)]
    for metrics in run.metrics_tables:
        assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
        assert metrics.completeness.missing == 0
    logged = [each for each in run.constants["outputs"] if "val_Accuracy" in each]
    assert [each["epoch"] for each in logged] == [0, 1]
