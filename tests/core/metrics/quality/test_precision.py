"""Average precision of stored columns, by the definition."""

from __future__ import annotations

import numpy as np
import pytest

from tlc.errors import MetricsError
from tlc.metrics.quality import average_precision


def by_definition(hits, count):
    """Return the mean over 101 recalls of the best precision at that or a higher recall."""
    points = [(sum(hits[: i + 1]) / count, sum(hits[: i + 1]) / (i + 1)) for i in range(len(hits))]
    recalls = np.linspace(0, 1, 101)
    best = [max((p for r, p in points if r >= recall), default=0) for recall in recalls]
    return sum(best) / 101


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_area_below_the_highest_precisions(seed):
    rng = np.random.default_rng(seed)
    hits = rng.random(30) < 0.5
    found = average_precision(
        -np.arange(30.0), np.zeros(30, int), [0, 30], hits, np.zeros(30, bool), {0: 25}
    )
    assert found.per_class[0, 0] == pytest.approx(by_definition(hits.tolist(), 25), abs=1e-12)
    assert found.recall[0, 0] == hits.sum() / 25


def test_ignored_predictions_are_as_if_they_were_not_there():
    hits, ignored = np.array([1, 0, 0, 1], bool), np.array([0, 1, 0, 0], bool)
    found = average_precision([4, 3, 2, 1], [0] * 4, [0, 4], hits, ignored, {0: 2})
    assert found.mean == pytest.approx(by_definition([1, 0, 1], 2))
    everything = average_precision([4, 3], [0] * 2, [0, 2], hits[:2], [True, True], {0: 2})
    assert everything.per_class.tolist() == everything.recall.tolist() == [[0.0]]


def test_classes_without_truths_do_not_count_and_those_without_predictions_do():
    found = average_precision(
        [0.9, 0.8], [3, 7], [0, 2], [[1, 0], [0, 0]], np.zeros((2, 2)), {3: 1, 5: 2, 9: 0}
    )
    assert found.classes.tolist() == [3, 5, 7]
    np.testing.assert_array_equal(found.per_class, [[1, 0, np.nan], [0, 0, np.nan]])
    np.testing.assert_array_equal(found.recall, [[1, 0, np.nan], [0, 0, np.nan]])
    np.testing.assert_array_equal(found.per_threshold, [0.5, 0])
    assert (found.mean, found.mean_recall) == (0.25, 0.25)


def test_equal_scores_are_in_the_order_of_the_images():
    scores, offsets = [0.5, 0.5, 0.5], [0, 1, 2, 3]
    none = [False] * 3
    first = average_precision(scores, [0] * 3, offsets, [True, False, False], none, {0: 1})
    last = average_precision(scores, [0] * 3, offsets, [False, False, True], none, {0: 1})
    assert (first.mean, last.mean) == (1, pytest.approx(1 / 3))


def test_the_limit_is_for_each_image_and_class():
    hits = [False, True, False, True]
    columns = [0.1, 0.9, 0.8, 0.2], [0, 0, 1, 0], [0, 3, 4], hits, [False] * 4, {0: 2, 1: 1}
    assert average_precision(*columns, max_detections=1).per_class.tolist() == [[1, 0]]
    wide = average_precision(*columns, max_detections=2).per_class.tolist()
    assert wide == average_precision(*columns, max_detections=None).per_class.tolist()


def test_nothing_is_nan():
    found = average_precision([], [], [0], [], [], {})
    assert found.per_class.shape == (1, 0)
    assert np.isnan([found.mean, found.mean_recall, *found.per_threshold]).all()


def test_flags_must_fit():
    with pytest.raises(MetricsError, match=r"flags of 2 predictions .* \(1, 2\) and \(2, 2\)"):
        average_precision([1, 2], [0, 0], [0, 2], [True, False], [[True, False]] * 2, {0: 1})
