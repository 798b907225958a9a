from __future__ import annotations

import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from torch.utils.data import DataLoader, DistributedSampler

import tlc.samplers
from tlc.errors import ConfigurationError, WeightError
from tlc.samplers import (
    RangeSampler,
    RepeatByWeightSampler,
    SubsetSequentialSampler,
    create_random_sampler,
    create_repeat_by_weight_sampler,
    create_sampler,
    create_sequential_sampler,
    create_weighted_sampler,
)
from tlc.testing.sampler_contract import TableStandIn


def table(*weights):
    return TableStandIn(list(weights))


def test_a_row_of_weight_two_comes_twice_as_often():
    sampler = create_sampler(table(1.0, 2.0, 0.0, 1.0, 1.0), seed=0)
    assert len(sampler) == 4
    counts = np.bincount([row for _ in range(1000) for row in sampler], minlength=5)
    assert counts[2] == 0
    assert counts.sum() == 4000
    assert counts[1] / counts[[0, 3, 4]].mean() == pytest.approx(2, rel=0.08)
    assert len(sampler) == 4


def test_without_weights_zero_rows_are_dropped():
    zero_first = table(0.0, 1.0, 5.0, 0.0, 0.1)
    sequential = create_sampler(zero_first, weighted=False, shuffle=False)
    shuffled = create_sampler(zero_first, weighted=False, shuffle=True)
    assert len(sequential) == len(shuffled) == 3
    assert list(sequential) == [1, 2, 4]
    orders = {tuple(shuffled) for _ in range(40)}
    assert len(orders) == 6
    assert all(sorted(order) == [1, 2, 4] for order in orders)


def test_zero_rows_can_be_kept():
    some = table(0.0, 1.0, 0.0, 3.0)
    drawn = create_sampler(some, exclude_zero_weights=False)
    assert len(drawn) == len(list(drawn)) == 4
    assert set(drawn) <= {1, 3}
    assert list(create_sampler(some, False, False, False)) == [0, 1, 2, 3]
    assert sorted(create_random_sampler(some, False)) == [0, 1, 2, 3]


def test_weighted_without_shuffle_comes_in_table_order():
    rows = list(create_sampler(table(1.0, 1.0, 1.0, 9.0), shuffle=False, num_samples=50))
    assert rows == sorted(rows)
    assert rows.count(3) > 25


def test_repeat_by_weight():
    sampler = create_sampler(table(0.0, 1.0, 2.0, 3.0), repeat_by_weight=True, shuffle=False)
    assert list(sampler) == [1, 2, 2, 3, 3, 3]
    assert len(sampler) == 6


def test_num_samples_and_replacement():
    some = table(1.0, 2.0, 0.0, 4.0)
    assert len(create_sampler(some, num_samples=99)) == 99
    assert len(create_sampler(some, num_samples=0)) == 0
    once = create_weighted_sampler(some, replacement=False, num_samples=2)
    assert all(len(set(once)) == 2 for _ in range(20))


@pytest.mark.parametrize("create", [create_sampler, create_weighted_sampler])
def test_weights_asked_of_a_table_without_any(create):
    with pytest.raises(WeightError, match="no column of weights"):
        create(TableStandIn([1.0], weights_column_name=None))
    with pytest.raises(WeightError, match="no column of weights"):
        create_repeat_by_weight_sampler(TableStandIn([1.0], weights_column_name=None))


@pytest.mark.parametrize("create", [create_random_sampler, create_sequential_sampler])
def test_no_weights_needed(create):
    assert sorted(create(TableStandIn([0.0, 1.0], weights_column_name=None))) == [0, 1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"weighted": False, "repeat_by_weight": True},
        {"weighted": False, "num_samples": 0},
        {"weighted": False, "replacement": False},
        {"repeat_by_weight": True, "num_samples": 3},
    ],
)
def test_contradictions(arguments):
    with pytest.raises(WeightError, match="contradict"):
        create_sampler(table(1.0), **arguments)


def test_bad_numbers():
    with pytest.raises(ConfigurationError, match="num_samples must not be negative"):
        create_sampler(table(1.0), num_samples=-1)
    with pytest.raises(WeightError, match="row 1 is -1"):
        RepeatByWeightSampler([1.0, -1.0])


def test_a_table_without_rows_gives_no_rows():
    empty = table()
    for arguments in ({}, {"weighted": False}, {"repeat_by_weight": True}, {"replacement": False}):
        sampler = create_sampler(empty, **arguments)
        assert len(sampler) == 0
        assert list(sampler) == list(sampler) == []


def test_sampler_of_the_table_for_a_loader_of_a_view():
    root = table(0.0, 1.0, 1.0)
    view = SimpleNamespace(source=root)
    for sampler in (create_sampler(root, weighted=False), create_sampler(view, weighted=False)):
        loader = DataLoader(root, batch_size=2, sampler=sampler)
        assert sorted(torch_batch for batch in loader for torch_batch in batch.tolist()) == [1, 2]


def test_range_and_subset():
    assert list(RangeSampler(4)) == [0, 1, 2, 3]
    assert list(RangeSampler(9, 3, 2)) == [3, 5, 7]
    assert list(RangeSampler(0, start=3, step=-1)) == [3, 2, 1]
    assert len(RangeSampler(3, 3)) == 0
    subset = SubsetSequentialSampler([5, 1, 5])
    assert (list(subset), list(subset), len(subset)) == ([5, 1, 5], [5, 1, 5], 3)
    assert isinstance(subset, DistributedSampler)


def test_repeat_class_uses_its_own_random_state():
    def epochs(state):
        sampler = RepeatByWeightSampler([1.5, 0.5, 1.0], random_state=state)
        return [list(sampler) for _ in range(8)]

    before = random.getstate()
    assert epochs(random.Random(3)) == epochs(random.Random(3)) != epochs(random.Random(4))
    epochs(None)
    assert random.getstate() == before
    assert list(RepeatByWeightSampler([2, 0, 1], shuffle=False)) == [0, 0, 2]


def test_the_package_is_light_and_lists_its_names():
    assert set(tlc.samplers.__all__) <= set(dir(tlc.samplers))
    with pytest.raises(AttributeError, match="no_such_name"):
        tlc.samplers.no_such_name  # noqa: B018
    code = (
        "import sys, tlc.samplers, tlc.samplers.plans, tlc.samplers.weights\n"
        "assert 'torch' not in sys.modules\n"
        "import tlc.integration\n"
        "assert 'torch' not in sys.modules\n"
        "from tlc.integration.torch.samplers import create_sampler\n"
        "assert create_sampler is tlc.samplers.create_sampler\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_torch_the_extra_is_named():
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import tlc.samplers\n"
        "from tlc.errors import MissingExtraError\n"
        "try:\n"
        "    tlc.samplers.create_sampler\n"
        "except MissingExtraError as error:\n"
        "    assert 'opentlc[torch]' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
