"""Two processes train with Ultralytics: one run, each row once, rows drawn by their weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.integrations.ultralytics_data import grey_images

import tlc

ROWS = 33
CODE = "import sys; from tests.integrations.ultralytics_ranks import main; main(*sys.argv[1:])"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def train(tmp_path):
    """Trains on a table of weights in two processes, and returns the run and what was seen."""

    def start(weights, **settings):
        table = grey_images(tmp_path, ROWS).set_values("weight", range(ROWS), list(weights))
        arguments = [str(tmp_path), json.dumps(settings), table.url.to_str()]
        done = subprocess.run(
            [sys.executable, "-c", CODE, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            capture_output=True,
            text=True,
        )
        run = tlc.Run.from_names("ranks", "ranks")
        if settings.get("fails"):
            return run, done
        assert not done.returncode, done.stdout + done.stderr
        lines = [(tmp_path / f"seen-{rank}.jsonl").read_text().splitlines() for rank in (0, 1)]
        seen = [[json.loads(line) for line in each] for each in lines]
        return run, seen

    return start


def test_two_processes_collect_each_row_once_in_one_run(train):
    """During training and afterwards; what is seen is what a sampler of the framework deals out."""
    run, seen = train([1.0] * ROWS, collection_epoch_start=1)
    assert run.status_name == "completed"
    infos = [each.metrics_info for each in run.metrics_tables]
    about = sorted((info.constants["epoch"], info.split) for info in infos)
    assert about == [(epoch, split) for epoch in (1, 2, 3) for split in ("train", "val")]
    for metrics in run.metrics_tables:
        assert not metrics.is_partial
        assert metrics.get_column_as_pyarrow_array("example_id").to_pylist() == list(range(ROWS))
        assert metrics.get_column_as_pyarrow_array("number").to_pylist() == list(range(ROWS))
    logged = run.constants["outputs"]
    assert [each["epoch"] for each in logged if "train/box_loss" in each] == [1, 2]
    first, second = map(rows_of, seen)
    for epoch in (0, 1):
        assert set(first[epoch]) | set(second[epoch]) == set(range(ROWS))


def test_two_processes_share_one_draw_by_weights(train):
    """Rows of weight zero are left out, heavy ones come more often, and epochs differ."""
    weights = [0.0] * 8 + [1.0] * 24 + [100.0]
    run, seen = train(
        weights,
        sampling_weights=True,
        exclude_zero_weight_training=True,
        exclude_zero_weight_collection=True,
        collection_val_only=True,
    )
    first, second = map(rows_of, seen)
    for epoch in (0, 1):
        both = first[epoch] + second[epoch]
        assert len(first[epoch]) == len(second[epoch])
        assert len(both) == 26  # 25 rows have a weight: one comes again to make shares even
        assert min(both) >= 8
        assert Counter(both)[32] > 13
    assert first[0] != first[1]
    (metrics,) = run.metrics_tables
    assert metrics.get_column_as_pyarrow_array("example_id").to_pylist() == list(range(8, ROWS))


def test_a_process_that_fails_marks_the_run(train):
    run, done = train([1.0] * ROWS, fails=True)
    assert done.returncode
    assert "RuntimeError: enough" in done.stderr
    assert run.status_name == "failed"


def rows_of(seen):
    """Return the rows that a rank saw in each epoch."""
    epochs = {}
    for epoch, names in seen:
        epochs.setdefault(epoch, []).extend(map(int, names))
    return epochs
