"""Two real processes under torch.distributed."""

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

SIZES = [1, 2, 5, 97]
KINDS = {"draw": {}, "repeat": {"repeat_by_weight": True}, "once": {"weighted": False}}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    script = Path(__file__).with_name("rank.py")
    command = [sys.executable, str(script)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen([*command, str(rank), "2", str(folder), *map(str, SIZES)], env=environment)
        for rank in range(2)
    ]
    try:
        assert [process.wait(120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_ranks_together_are_exactly_the_epoch(ranks, kind, size):
    weights = [1.0 + row % 3 / 4 for row in range(size)]
    alone = create_sampler(TableStandIn(weights), **KINDS[kind], seed=5)
    for epoch in range(2):
        whole = list(alone)
        exact = [rank[str((kind, size, False))][epoch] for rank in ranks]
        assert exact == [whole[0::2], whole[1::2]]
        even = [rank[str((kind, size, True))][epoch] for rank in ranks]
        assert len(even[0]) == len(even[1])
        added = Counter(even[0] + even[1])
        added.subtract(Counter(whole))
        assert +added == Counter(whole[:1] if len(whole) % 2 else [])
        assert not -added


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_go_on_together_in_mid_epoch(ranks, kind):
    weights = [1.0 + row % 3 / 4 for row in range(97)]
    alone = create_sampler(TableStandIn(weights), **KINDS[kind], seed=5)
    whole, after = list(alone), list(alone)
    wanted = whole[:10], even(whole[10:]), even(after)
    found = zip(*(rank[str((kind, "resumed"))] for rank in ranks), strict=True)
    assert list(found) == [(rows[0::2], rows[1::2]) for rows in wanted]


def even(rows):
    return rows + rows[: len(rows) % 2]
