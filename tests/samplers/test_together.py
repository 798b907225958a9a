"""Whatever weights, ranks and interruptions: what the ranks see together is the epoch."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from hypothesis import assume, given
from hypothesis import strategies as st

from tlc.samplers import create_sampler
from tlc.testing.sampler_contract import TableStandIn

all_weights = st.lists(st.sampled_from([0.0, 1.0, 2.5]) | st.floats(0, 4), max_size=40).filter(any)
kinds = st.sampled_from(
    [
        {},
        {"num_samples": 23},
        {"replacement": False},
        {"repeat_by_weight": True},
        {"repeat_by_weight": True, "shuffle": False},
        {"weighted": False},
        {"weighted": False, "shuffle": False},
    ]
)
seeds, some_ranks = st.integers(0, 2**32), st.integers(1, 6)


def shares(weights, replicas, state=None, **options):
    """Return a sampler for each rank."""
    made = [
        create_sampler(
            TableStandIn(weights), **options, even=False, num_replicas=replicas, rank=rank
        )
        for rank in range(replicas)
    ]
    for sampler in made if state else ():
        sampler.load_state_dict(state)
    return made


@given(all_weights, kinds, seeds, st.integers(0, 5), some_ranks, some_ranks, st.data())
def test_ranks_see_each_row_once_also_when_others_go_on(
    weights, kind, seed, epoch, ranks, later_ranks, data
):
    before = shares(weights, ranks, seed=seed, **kind)
    whole = before[0].epoch_rows(epoch).tolist()
    assume(whole)  # else it is over as it begins, and the state is that of the next
    assert all(weights[row] > 0 for row in whole)
    taken = data.draw(st.integers(0, (len(whole) - 1) // ranks))
    seen = []
    for sampler in before:
        sampler.set_epoch(epoch)
        seen += islice(sampler, taken)
    assert Counter(seen) == Counter(whole[: taken * ranks])
    for sampler in shares(weights, later_ranks, before[-1].state_dict(), **kind):
        seen += sampler
    assert Counter(seen) == Counter(whole)
