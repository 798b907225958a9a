from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.metrics import MeanAggregator
from tlc.schemas import CategoricalLabelSchema, Float32Schema

VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=40)


def batched(values, cuts):
    bounds = [0, *sorted(c % (len(values) + 1) for c in cuts), len(values)]
    return [values[a:b] for a, b in pairwise(bounds) if b > a]


@given(values=VALUES, cuts=st.lists(st.integers(0, 100), max_size=6))
def test_mean_is_that_of_all_samples_whatever_the_batches(values, cuts):
    aggregator = MeanAggregator()
    for part in batched(values, cuts):
        aggregator.aggregate_batch({"x": np.array(part)})
    if np.isnan(values).all():
        assert aggregator.aggregate_values == {}
    else:
        expected = np.nanmean(np.array(values))
        assert aggregator.aggregate_values == {"x_avg": pytest.approx(expected, abs=1e-6)}


@given(values=st.lists(st.booleans(), min_size=1), cuts=st.lists(st.integers(0, 100), max_size=6))
def test_booleans_average_to_a_share(values, cuts):
    aggregator = MeanAggregator()
    for part in batched(values, cuts):
        aggregator.aggregate_batch({"hit": np.array(part), "listed": part})
    share = pytest.approx(sum(values) / len(values))
    assert aggregator.aggregate_values == {"hit_avg": share, "listed_avg": share}


def test_no_mean_of_what_is_no_number():
    aggregator = MeanAggregator(skip=("skipped",))
    aggregator.aggregate_batch(
        {
            "text": ["a", "b"],
            "struct": [{"x": 1}, {"x": 2}],
            "ragged": [[1, 2], [3]],
            "embedding": np.ones((2, 3)),
            "when": np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"),
            "predicted": np.array([1, 2]),
            "hidden": [1.0, 2.0],
            "skipped": [1.0, 2.0],
            "loss": [1, None],
        },
        {
            "predicted": CategoricalLabelSchema(classes=["a", "b", "c"]),
            "hidden": Float32Schema(computable=False),
            "loss": Float32Schema(),
        },
    )
    assert aggregator.aggregate_values == {"loss_avg": 1.0}


def test_infinite_values_count():
    aggregator = MeanAggregator()
    aggregator.aggregate_batch(
        {"x": np.array([1.0, math.inf]), "y": np.array([-math.inf, math.inf])}
    )
    assert aggregator.aggregate_values["x_avg"] == math.inf
    assert math.isnan(aggregator.aggregate_values["y_avg"])


def test_small_floats_are_summed_in_double_precision():
    aggregator = MeanAggregator()
    for _ in range(100):
        aggregator.aggregate_batch({"x": np.full(1000, 0.1, dtype=np.float32)})
    assert aggregator.aggregate_values["x_avg"] == pytest.approx(float(np.float32(0.1)), rel=1e-12)
