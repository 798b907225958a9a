from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tlc.errors import WeightError
from tlc.samplers import plans

HUGE = np.finfo(np.float64).max
TINY = float(np.nextafter(0.0, 1.0))

seeds = st.integers(0, 2**32)
any_weights = st.lists(
    st.sampled_from([0.0, 0.0, TINY, 1e-300, 1.0, 1e300, HUGE]) | st.floats(0, HUGE), max_size=40
).filter(lambda weights: not weights or any(weights))
small_weights = st.lists(
    st.sampled_from([0.0, 1.0, float(np.nextafter(1.0, 0.0)), 0.5]) | st.floats(0, 5), max_size=40
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class EdgePoints:
    """A generator whose uniform numbers lie as near to 0 and 1 as they can."""

    def random(self, count: int) -> np.ndarray:
        return np.resize([0.0, TINY, 1 - 2**-53, 1.0], count)

    def shuffle(self, rows: np.ndarray) -> None:
        pass


@given(any_weights, seeds, st.integers(0, 60), st.booleans())
def test_with_replacement_draws_only_rows_above_zero(weights, seed, count, shuffle):
    array = np.array(weights)
    cumulative = plans.cumulate(array)
    rows = plans.weighted_with_replacement(cumulative, rng(seed), count, shuffle=shuffle)
    assert rows.dtype == np.int64
    if weights:
        assert len(rows) == count
        assert (array[rows] > 0).all()
    assert shuffle or (np.diff(rows) >= 0).all()


@given(any_weights.filter(bool))
def test_zero_weight_is_not_drawn_at_the_edges(weights):
    array = np.array([0.0, *weights, 0.0])
    rows = plans.weighted_with_replacement(plans.cumulate(array), EdgePoints(), 8)
    assert (array[rows] > 0).all()


@given(any_weights.filter(bool))
def test_cumulative_weights_are_finite_and_flat_at_zero(weights):
    array = np.array(weights)
    cumulative = plans.cumulate(array)
    assert np.isfinite(cumulative).all()
    assert cumulative[-1] > 0
    steps = np.diff(cumulative, prepend=0)
    assert (steps >= 0).all()
    assert (steps[array == 0] == 0).all()


@given(any_weights, seeds, st.integers(0, 60) | st.none(), st.booleans())
def test_without_replacement_draws_no_row_twice(weights, seed, count, shuffle):
    array = np.array(weights)
    positive = np.count_nonzero(array)
    assume(count is None or count <= positive)
    rows = plans.weighted_without_replacement(array, rng(seed), count, shuffle=shuffle)
    assert rows.dtype == np.int64
    assert len(rows) == len(set(rows.tolist())) == (positive if count is None else count)
    assert (array[rows] > 0).all()
    assert shuffle or (np.diff(rows) > 0).all()


def test_without_replacement_refuses_more_rows_than_there_are():
    with pytest.raises(WeightError, match="3 different rows: only 2"):
        plans.weighted_without_replacement(np.array([1.0, 0.0, 2.0]), rng(), 3)


@given(small_weights, seeds, st.booleans())
def test_repeats_are_floor_or_ceil_and_their_sum_too(weights, seed, shuffle):
    array = np.array(weights)
    rows = plans.repeat_by_weight(array, rng(seed), shuffle=shuffle)
    assert rows.dtype == np.int64
    counts = np.bincount(rows, minlength=len(array))
    assert (counts >= np.floor(array)).all()
    assert (counts <= np.ceil(array)).all()
    assert abs(len(rows) - array.sum()) < 1 + 1e-9
    assert shuffle or (np.diff(rows) >= 0).all()


@pytest.mark.parametrize("weight", [1e17, HUGE])
def test_repeats_that_cannot_be_counted_are_an_error(weight):
    with pytest.raises(WeightError, match="rows in one epoch"):
        plans.repeat_by_weight(np.array([weight, weight]), rng())


@given(st.integers(0, 50), seeds)
def test_random_order_is_a_permutation(count, seed):
    rows = plans.random_order(count, rng(seed))
    assert rows.dtype == np.int64
    assert sorted(rows.tolist()) == list(range(count))
    kept = np.arange(count, dtype=np.int64) * 3
    assert sorted(plans.random_order(kept, rng(seed)).tolist()) == kept.tolist()


def test_sequential_keeps_the_order():
    kept = np.array([4, 2, 9])
    assert plans.sequential(3, rng()).tolist() == [0, 1, 2]
    assert plans.sequential(kept, rng()).tolist() == kept.tolist()


@given(st.lists(st.integers(0, 99), max_size=20), st.integers(1, 7))
def test_shares_are_the_rows_exactly_or_evenly(rows, replicas):
    array = np.array(rows, dtype=np.int64)
    exact = [plans.deal(array, rank, replicas, even=False) for rank in range(replicas)]
    assert Counter(np.concatenate(exact).tolist()) == Counter(rows)
    even = [plans.deal(array, rank, replicas, even=True) for rank in range(replicas)]
    assert {len(share) for share in even} == {-(-len(rows) // replicas)}
    added = Counter(np.concatenate(even).tolist()) - Counter(rows)
    assert added.total() < replicas
    assert set(added) <= set(rows)


WEIGHTS = np.array([0.0, 1.0, 0.25, 2.0, 0.0, 1.5, 3.75, 0.5, 0.999, 0.0])
EPOCHS = 20_000


def mean_counts(plan):
    generator, counts = rng(11), np.zeros(len(WEIGHTS))
    for _ in range(EPOCHS):
        counts += np.bincount(plan(WEIGHTS, generator), minlength=len(WEIGHTS))
    return counts / EPOCHS


def test_mean_repeat_is_the_weight():
    # Bounds would also let `ceil` pass for `floor`; the mean does not.
    rest = WEIGHTS - np.floor(WEIGHTS)
    error = 5 * np.sqrt(rest * (1 - rest) / EPOCHS)
    np.testing.assert_array_less(abs(mean_counts(plans.repeat_by_weight) - WEIGHTS), error + 1e-12)


def test_mean_draws_follow_the_weight():
    expected = 7 * WEIGHTS / WEIGHTS.sum()
    error = 5 * np.sqrt(expected / EPOCHS)
    mean = mean_counts(lambda w, g: plans.weighted_with_replacement(plans.cumulate(w), g, 7))
    np.testing.assert_array_less(abs(mean - expected), error + 1e-12)


def test_first_row_without_replacement_follows_the_weight():
    expected = WEIGHTS / WEIGHTS.sum()
    error = 5 * np.sqrt(expected / EPOCHS)
    mean = mean_counts(lambda w, g: plans.weighted_without_replacement(w, g, 1))
    np.testing.assert_array_less(abs(mean - expected), error + 1e-12)


def test_second_row_without_replacement_follows_the_weight_of_those_left():
    # P(second = j) = sum over i of p_i * p_j / (1 - p_i)
    p = WEIGHTS / WEIGHTS.sum()
    expected = np.array(
        [sum(p[i] * p[j] / (1 - p[i]) for i in range(10) if i != j) for j in range(10)]
    )
    mean = mean_counts(lambda w, g: plans.weighted_without_replacement(w, g, 2)[1:])
    np.testing.assert_array_less(abs(mean - expected), 5 * np.sqrt(expected / EPOCHS) + 1e-12)


def test_many_repeats_are_the_sum_of_the_weights():
    weights = rng(1).random(10_001) * 3
    for seed in range(50):
        assert abs(len(plans.repeat_by_weight(weights, rng(seed))) - weights.sum()) < 1


def test_rests_of_neighbours_do_not_exclude_each_other():
    # Systematic sampling in table order never rounds up two neighbours of weight 0.5.
    generator, both = rng(5), 0
    for _ in range(2000):
        rows = plans.repeat_by_weight(np.full(6, 0.5), generator).tolist()
        both += {0, 1} <= set(rows)
    assert abs(both / 2000 - 0.2) < 0.05


def test_every_position_gets_every_row():
    # A shuffle that is left out or wrong shows as a trend over the positions.
    firsts = [int(plans.repeat_by_weight(np.full(8, 1.0), rng(seed))[0]) for seed in range(4000)]
    assert abs(np.bincount(firsts) - 500).max() < 110


def test_more_rows_than_torch_can_draw_from():
    count = 2**24 + 10
    weights = np.zeros(count)
    weights[count // 2 : -3] = 1
    cumulative = plans.cumulate(weights)
    rows = plans.weighted_with_replacement(cumulative, rng(), 100_000)
    assert weights[rows].all()
    tenths = np.histogram(rows, 10, (count // 2, count - 3))[0]
    assert abs(tenths - 10_000).max() < 600
    # A float32 could not tell these rows' cumulative weights apart.
    weights[:] = 0
    weights[0], weights[-4] = 2.0**24, 1.0
    assert set(plans.weighted_with_replacement(plans.cumulate(weights), Highest(), 4)) == {
        count - 4
    }


class Highest:
    """A generator of the largest uniform number there is."""

    def random(self, count: int) -> np.ndarray:
        return np.full(count, 1 - 2**-53)

    def shuffle(self, rows: np.ndarray) -> None:
        pass
