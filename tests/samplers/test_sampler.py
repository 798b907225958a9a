"""Epochs, ranks and positions of `TableSampler`; the contract has what all kinds share."""

from __future__ import annotations

import pickle
from functools import partial
from itertools import islice

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, DistributedSampler

from tlc.errors import ConfigurationError
from tlc.samplers import RangeSampler, TableSampler, plans


def shuffled(count, **options):
    return TableSampler(partial(plans.random_order, count), **{"seed": 0, **options})


def test_without_a_seed_torchs_global_one_decides():
    def two_orders():
        torch.manual_seed(11)
        return [list(shuffled(50, seed=None)) for _ in range(2)]

    first, second = two_orders()
    assert first != second
    assert two_orders() == [first, second]


def test_without_a_seed_several_ranks_still_agree():
    ranks = [shuffled(50, seed=None, num_replicas=2, rank=rank, even=False) for rank in range(2)]
    assert sorted([*ranks[0], *ranks[1]]) == list(range(50))


def test_is_a_distributed_sampler_with_its_attributes():
    sampler = shuffled(5, num_replicas=2, rank=1, seed=9)
    assert isinstance(sampler, DistributedSampler)
    assert (sampler.num_replicas, sampler.rank, sampler.seed, sampler.epoch) == (2, 1, 9, 0)
    assert (sampler.num_samples, sampler.total_size) == (3, 6)
    assert (len(sampler), sampler.drop_last) == (3, False)
    exact = shuffled(5, num_replicas=2, rank=1, even=False)
    assert (exact.num_samples, exact.total_size) == (2, 5)


def test_one_rank_without_a_process_group():
    sampler = shuffled(5)
    assert (sampler.num_replicas, sampler.rank, len(sampler)) == (1, 0, 5)


@pytest.mark.parametrize(
    "options",
    [
        {"seed": -1},
        {"num_replicas": 2},
        {"rank": 0},
        {"num_replicas": 2, "rank": 2},
        {"num_replicas": 2, "rank": -1},
        {"num_replicas": 0, "rank": 0},
    ],
)
def test_numbers_out_of_range(options):
    with pytest.raises(ConfigurationError):
        shuffled(3, **options)


def test_set_epoch_repeats_and_jumps():
    sampler = shuffled(30)
    first = list(sampler)
    sampler.set_epoch(0)
    assert list(sampler) == first
    assert sampler.epoch == 0
    second = list(sampler)
    assert sampler.epoch == 1
    sampler.set_epoch(7)
    seventh, eighth = list(sampler), list(sampler)
    assert len({tuple(rows) for rows in (first, second, seventh, eighth)}) == 4


def test_epoch_rows_are_those_of_all_ranks_and_read_only():
    sampler = shuffled(7, num_replicas=3, rank=1)
    rows = sampler.epoch_rows(4)
    assert sorted(rows.tolist()) == list(range(7))
    sampler.set_epoch(4)
    assert list(sampler) == [rows[1], rows[4], rows[0]]
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 1


def test_a_plan_is_made_once_per_epoch():
    calls = []

    def plan(rng):
        calls.append(rng)
        return plans.random_order(10, rng)

    sampler = TableSampler(plan)
    assert not calls
    assert len(sampler) == 10
    list(sampler)
    assert (len(sampler), len(calls)) == (10, 1)
    list(sampler)
    assert len(calls) == 2


def test_position_across_pieces():
    sampler = RangeSampler(200_000, seed=0)
    running = iter(sampler)
    for taken in (1, 65_534, 1, 1, 100_000):
        list(islice(running, taken))
    assert sampler.state_dict() == {"seed": 0, "epoch": 0, "position": 165_537, "rows": 200_000}
    assert next(running) == 165_537
    list(running)
    assert sampler.state_dict()["epoch"] == 1


def test_two_passes_at_once_do_not_mix():
    sampler = RangeSampler(200_000, seed=0)
    older, newer = iter(sampler), iter(sampler)
    assert list(islice(newer, 3)) == [0, 1, 2]
    assert sum(1 for _ in older) == 200_000
    assert (sampler.state_dict()["epoch"], sampler.state_dict()["position"]) == (1, 3)


def test_state_of_a_fresh_and_of_a_finished_sampler():
    sampler = shuffled(4)
    assert sampler.state_dict() == {"seed": 0, "epoch": 0, "position": 0, "rows": 4}
    list(sampler)
    done = sampler.state_dict()
    assert (done["epoch"], done["position"]) == (1, 0)
    other = shuffled(4)
    other.load_state_dict(done)
    assert list(other) == list(sampler)


def test_set_epoch_of_the_loaded_epoch_keeps_the_position():
    sampler, other = shuffled(20, seed=2), shuffled(20)
    sampler.set_epoch(3)
    running = iter(sampler)
    list(islice(running, 6))
    state = sampler.state_dict()
    rest = list(running)
    other.load_state_dict(state)
    other.set_epoch(3)
    assert other.state_dict() == state
    assert list(other) == rest
    other.load_state_dict(state)
    other.set_epoch(5)
    assert len(list(other)) == 20


def test_set_epoch_during_its_own_pass_keeps_the_position():
    # Lightning makes the first iterator of a loader before it sets the epoch.
    sampler = shuffled(20)
    list(islice(iter(sampler), 6))
    sampler.set_epoch(0)
    assert sampler.state_dict()["position"] == 6


def test_rows_ahead_of_the_model_can_be_left_out():
    sampler = shuffled(40, seed=1)
    loader = DataLoader(range(40), batch_size=4, sampler=sampler, num_workers=2)
    batches = iter(loader)
    seen = [next(batches).tolist() for _ in range(3)]
    assert sampler.state_dict()["position"] > 12
    other = shuffled(40)
    other.load_state_dict(sampler.state_dict(position=12))
    rest = [row for batch in batches for row in batch.tolist()]
    assert list(other) == rest
    assert sorted(rest + [row for batch in seen for row in batch]) == list(range(40))


@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
def test_resumes_on_another_number_of_ranks(replicas):
    seen = []
    for rank in range(2):
        old = shuffled(37, num_replicas=2, rank=rank, even=False)
        seen += islice(iter(running := old), 5)
        state = running.state_dict()
    assert state["position"] == 10
    for rank in range(replicas):
        new = shuffled(37, num_replicas=replicas, rank=rank, even=False)
        new.load_state_dict(state)
        seen += new
    assert sorted(seen) == list(range(37))


def test_a_state_of_another_table_is_refused():
    sampler, other = shuffled(20), shuffled(21, seed=6)
    list(islice(iter(sampler), 3))
    with pytest.raises(ConfigurationError, match=r"3 rows into an epoch of 20 rows.*has 21"):
        other.load_state_dict(sampler.state_dict())
    assert (other.seed, other.epoch) == (6, 0)


def test_pickles_small_before_use():
    sampler = shuffled(1_000_000)
    len(sampler)
    assert len(pickle.dumps(sampler)) < 1000


def test_batch_sampler_and_plain_epochs():
    batches = BatchSampler(RangeSampler(7), 3, drop_last=False)
    assert [list(batch) for batch in batches] == [[0, 1, 2], [3, 4, 5], [6]]
