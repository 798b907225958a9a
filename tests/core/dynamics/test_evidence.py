"""Which class won most, by the sum of confidences over epochs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.dynamics import evidence as module
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.evidence import COLUMNS, dominant, evidence


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), epochs=st.integers(1, 6))
def test_the_dominant_class_has_the_greatest_sum(seed, rows, epochs):
    rng = np.random.default_rng(seed)
    predicted = rng.integers(-1, 4, (rows, epochs)).astype(np.int32)
    # Powers of two, so that sums are exact and often equal.
    confidence = np.where(predicted < 0, 0, 2.0 ** -rng.integers(1, 4, (rows, epochs)))
    winner, total = dominant(predicted, confidence.astype(np.float32))
    for row in range(rows):
        sums = defaultdict(float)
        for label, sure in zip(predicted[row].tolist(), confidence[row], strict=True):
            sums[label] += sure
        best = max(sums.values())
        assert total[row] == best
        assert winner[row] == min(label for label, each in sums.items() if each == best)


def test_rows_are_independent_of_where_blocks_begin(monkeypatch):
    rng = np.random.default_rng(0)
    predicted = rng.integers(0, 5, (100, 4)).astype(np.int32)
    confidence = rng.random((100, 4)).astype(np.float32)
    whole = dominant(predicted, confidence)
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    np.testing.assert_array_equal(dominant(predicted, confidence), whole)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), epochs=st.integers(1, 4))
def test_the_probability_of_the_winner_is_known_from_below(store, seed, epochs):
    stored = store(seed, rows=9, epochs=epochs)
    found = evidence(Epochs(stored.run, None, COLUMNS))
    shares, counts = stored.values["probabilities"], found.count
    assert counts.tolist() == (~np.isnan(stored.values["predicted"])).sum(axis=0).tolist()
    for row in np.flatnonzero(counts):
        mean = np.nansum(shares[:, row], axis=0) / counts[row]
        assert found.winner_prob[row] <= mean[found.winner[row]] + 1e-6
        assert found.label_prob[row] <= mean[stored.labels[row]] + 1e-6
        if (stored.values["predicted"][:, row] == found.winner[row]).sum() == counts[row]:
            np.testing.assert_allclose(found.winner_prob[row], mean[found.winner[row]], rtol=1e-5)
    assert (found.winner[counts == 0] == -1).all()
    assert np.isnan(found.winner_prob[counts == 0]).all()
