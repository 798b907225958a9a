"""Two processes, as Detectron2 launches them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from tests.integrations.detectron2_models import coco_file, table_of_boxes

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

ROWS = 23  # what two ranks cannot share evenly


def test_two_ranks_collect_each_row_once_into_one_run(tmp_path):
    table = table_of_boxes(tmp_path, ROWS).add_column(
        "weight", [float(row % 2) for row in range(ROWS)], tlc.schemas.SampleWeightSchema()
    )
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "tests.integrations.detectron2_ranks", str(table.url)]
    (tmp_path / "coco").mkdir()
    file, _ = coco_file(tmp_path / "coco", 2)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*command, str(file), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    (entry,) = list_runs(ProjectLayout.project_url(project_name="detectron2"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    found = [each for each in run.metrics_tables if each.metrics_info.foreign_table is not None]
    passes = [(each.metrics_info.split, each.metrics_info.constants["iteration"]) for each in found]
    assert sorted(passes) == [("", 2), ("", 4), ("val", 2), ("val", 4)]
    for metrics in found:
        ids = [row["example_id"] for row in metrics]
        assert ids == [row["number"] for row in metrics] == list(range(ROWS))

    shares = [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
    assert shares[0][1] == [{"val_number_avg": (ROWS - 1) / 2}] * 2
    assert shares[1][1] == [{}] * 2
    assert shares[0][2] == shares[1][2]  # the table that both wanted to make is there once
    rows = [set(share[0]) for share in shares]
    assert all(row % 2 for row in rows[0] | rows[1])
    assert not rows[0] & rows[1]

    logged = run.constants["outputs"]
    assert [each["iteration"] for each in logged if "total_loss" in each] == [1, 2, 3, 4]
    means = [each["number_avg"] for each in logged if "number_avg" in each]
    assert means == pytest.approx([(ROWS - 1) / 2] * 2)
