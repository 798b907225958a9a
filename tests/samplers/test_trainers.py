"""Two real processes, with the loaders as accelerate and Lightning deal them out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tlc.samplers import create_sampler
from tlc.testing.sampler_contract import TableStandIn

WEIGHTS = [float(row % 4) for row in range(45)]
BATCH = 4
KINDS = {"draw": {}, "repeat": {"repeat_by_weight": True}, "once": {"weighted": False}}
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]


def launched(folder, script, *arguments):
    """Return what both ranks of a script have written."""
    command = [sys.executable, *arguments, str(Path(__file__).with_name(script)), str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.fixture(scope="module")
def accelerated(tmp_path_factory):
    return launched(tmp_path_factory.mktemp("ranks"), "accelerated.py", *TORCHRUN)


def whole(kind):
    """Return two epochs as one process sees them."""
    sampler = create_sampler(TableStandIn(WEIGHTS), **KINDS.get(kind, {}), seed=0)
    return [list(sampler), list(sampler)]


@pytest.mark.parametrize("kind", [*KINDS, "given"])
@pytest.mark.parametrize("configuration", ["default", "seedable", "split", "dispatched", "uneven"])
def test_what_accelerate_prepares_is_the_epoch(accelerated, configuration, kind):
    for epoch, rows in enumerate(whole(kind)):
        seen = Counter(row for rank in accelerated for row in rank[configuration][kind][epoch])
        assert not Counter(rows) - seen
        # What accelerate itself repeats, so that all batches are full.
        added = seen - Counter(rows)
        assert not added - Counter(rows[: 2 * BATCH])
        assert added.total() < (1 if configuration == "uneven" else 2 * BATCH)


def test_a_prepared_loader_goes_on_in_mid_epoch(accelerated):
    first, second = (rank["resumed"] for rank in accelerated)
    assert first["state"] == second["state"]
    assert (first["state"]["epoch"], first["state"]["position"]) == (1, 4 * BATCH)
    rows = whole("draw")[1]
    batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
    assert first["taken"] == batches[0:4:2]
    assert second["taken"] == batches[1:4:2]
    rest = Counter(row for rank in (first, second) for batch in rank["rest"] for row in batch)
    assert not Counter(rows[4 * BATCH :]) - rest
    assert rest.total() < len(rows[4 * BATCH :]) + 2 * BATCH


def test_what_lightning_trains_on_is_the_epoch(tmp_path):
    ranks = launched(tmp_path, "lightning_rank.py")
    for kind in KINDS:
        for epoch, rows in enumerate(whole(kind)):
            shares = [rank[kind][epoch] for rank in ranks]
            even = rows + rows[: len(rows) % 2]
            assert shares == [even[0::2], even[1::2]]
