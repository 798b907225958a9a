"""The matcher against `COCOeval`, and what must hold of every matching."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.metrics.quality.worlds import (
    World,
    boxes_of,
    check_matches,
    check_precision,
    crowded_boxes,
    large_world,
    worlds,
)

from tlc.errors import MetricsError
from tlc.metrics.quality import (
    COCO_THRESHOLDS,
    BoxIou,
    GroundTruth,
    Predictions,
    _pairs,
    match,
    matching,
)

THRESHOLDS = [0.1, 0.5, 0.75, 1.0]
EVERY_AREA = [[0, 1e10]]


def matched(world, thresholds=THRESHOLDS, **options):
    similarity = BoxIou(*world.boxes(), world.is_crowd)
    options = {"max_detections": 100, **options}
    return match(world.predictions, world.ground_truth, similarity, thresholds, **options)


def judged(world, thresholds=THRESHOLDS, **params):
    return world.judged("bbox", iouThrs=thresholds, **{"areaRng": EVERY_AREA, **params})


@given(worlds())
def test_matches_and_precision_are_those_of_coco(world):
    matches, judge = matched(world), judged(world)
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(), judge)


@given(worlds(crowded_boxes))
def test_matches_are_those_of_coco_where_many_want_the_same(world):
    check_matches(world, matched(world), judged(world))


@given(worlds(), st.integers(1, 3))
def test_only_the_best_predictions_of_an_image_and_class_take_part(world, most):
    matches, judge = matched(world, max_detections=most), judged(world, maxDets=[most])
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(most), judge)
    check_precision(matched(world, max_detections=None).average_precision(most), judge)


@given(worlds(), st.sampled_from([(0, 3), (3, 8), (8, 100)]))
def test_what_is_outside_a_range_of_areas_is_ignored(world, area_range):
    matches = matched(world, area_range=area_range)
    judge = judged(world, areaRng=[list(area_range)])
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(), judge)


@given(worlds())
def test_classes_can_be_left_out_of_it(world):
    for own in (world.predicted, world.true):
        own.sort(key=lambda each: (each["image_id"], each["category_id"]))
    check_matches(world, matched(world, by_class=False), judged(world, useCats=0))


@pytest.mark.parametrize("seed", range(3))
def test_precision_of_many_boxes_is_that_of_coco(seed):
    world = large_world(seed)
    matches, judge = matched(world, COCO_THRESHOLDS), judged(world, list(COCO_THRESHOLDS))
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(), judge, world.classes)
    assert 0.1 < matches.average_precision().mean < 0.9
    judge = world.judged("bbox")
    check_precision(matches.average_precision(), judge, world.classes)


def test_more_than_a_hundred_predictions_of_a_class():
    world = large_world(5, images=8, classes=2, shift=9.0)
    world.predicted *= 12
    world.predicted.sort(key=lambda each: each["image_id"])
    judge = judged(world, list(COCO_THRESHOLDS))
    assert np.diff(world.predictions.offsets).max() > 200
    check_matches(world, matched(world, COCO_THRESHOLDS), judge)
    everything = matched(world, COCO_THRESHOLDS, max_detections=None)
    check_precision(everything.average_precision(), judge, 2)
    assert abs(everything.average_precision(None).mean - everything.average_precision().mean) > 1e-4


@given(worlds(most=25))
@settings(max_examples=40)
def test_blocks_and_batches_do_not_show(world):
    expected = matched(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_pairs, "_PAIRS_AT_ONCE", 3)
        patch.setattr(_pairs, "_WIDEST", 1)
        patch.setattr(matching, "_SIMILAR_AT_ONCE", 1)
        found = matched(world)
    for name in ("truth_of_prediction", "prediction_of_truth", "similarity", "is_ignored"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@given(worlds())
def test_counts_add_up(world):
    matches = matched(world)
    images = matches.per_image()
    counted = ~matches.is_truth_ignored
    for level in range(len(THRESHOLDS)):
        taken = matches.truth_of_prediction[level]
        right = matches.is_true_positive[level]
        starts = np.repeat(world.ground_truth.offsets[:-1], np.diff(world.predictions.offsets))
        truths = (taken + starts)[right]
        assert len(set(truths.tolist())) == len(truths), "a truth is matched once"
        assert counted[truths].all()
        flags = right, matches.is_false_positive[level], matches.is_ignored[level]
        assert (np.sum(flags, axis=0) == 1).all(), "a prediction is one of the three"
        hits = images.true_positives[level].sum()
        assert hits + images.false_negatives[level].sum() == counted.sum()
        assert hits == right.sum()
        assert (matches.similarity[level][taken >= 0] >= np.float32(THRESHOLDS[level])).all()


def test_numbers_of_images():
    predicted = [
        boxes_of(0, 0, 0, 0, 10, 10, score=0.9),
        boxes_of(0, 0, 0, 0, 10, 6, score=0.8),
        boxes_of(0, 1, 50, 50, 10, 10, score=0.7),
        boxes_of(1, 0, 0, 0, 10, 8, score=0.9),
        boxes_of(2, 0, 0, 0, 2, 2, score=0.9),
    ]
    true = [
        boxes_of(0, 0, 0, 0, 10, 10, iscrowd=0),
        boxes_of(0, 0, 90, 90, 5, 5, iscrowd=0),
        boxes_of(1, 0, 0, 0, 10, 10, iscrowd=0),
        boxes_of(2, 0, 0, 0, 10, 10, iscrowd=1),
    ]
    found = matched(World(predicted, true, images=4), 0.5).per_image()
    nan = np.nan
    assert found.true_positives.tolist() == [[1, 1, 0, 0]]
    assert found.false_positives.tolist() == [[2, 0, 0, 0]]
    assert found.false_negatives.tolist() == [[1, 0, 0, 0]]
    np.testing.assert_allclose(found.precision, [[1 / 3, 1, nan, nan]])
    np.testing.assert_allclose(found.recall, [[1 / 2, 1, nan, nan]])
    np.testing.assert_allclose(found.f1, [[2 / 5, 1, nan, nan]])
    np.testing.assert_allclose(found.mean_iou, [[1, 0.8, nan, nan]], rtol=1e-6)


def test_a_prediction_turned_away_again_and_again_gets_the_last():
    """Each wants the first truth most; the worst prediction is left with the worst truth."""
    count = 30
    table = np.linspace(0.9, 0.6, count)
    matches = match(
        Predictions(np.linspace(0.1, 0.9, count), np.zeros(count, int), [0, count]),
        GroundTruth(np.zeros(count, int), [0, count]),
        lambda predicted, true: table[true],
    )
    assert matches.truth_of_prediction[0].tolist() == list(range(count - 1, -1, -1))


def test_who_comes_first_displaces_who_came_before():
    """The second wants what the first takes, then what the third has taken meanwhile."""
    table = np.array([[0.9, 0, 0], [0.8, 0.7, 0], [0, 0.9, 0.6]])
    matches = match(
        Predictions([0.9, 0.8, 0.7], [0] * 3, [0, 3]),
        GroundTruth([0] * 3, [0, 3]),
        lambda predicted, true: table[predicted, true],
    )
    assert matches.truth_of_prediction.tolist() == [[0, 1, 2]]
    assert matches.prediction_of_truth.tolist() == [[0, 1, 2]]


def test_a_threshold_of_one_forgives_rounding():
    predictions, truth = Predictions([0.9], [0], [0, 1]), GroundTruth([0], [0, 1])
    for value, found in ((1 - 1e-12, 0), (1 - 1e-9, -1)):
        matches = match(predictions, truth, lambda p, t, v=value: np.full(len(p), v), [1.0, 0.5])
        assert matches.truth_of_prediction.tolist() == [[found], [0]]


def test_predictions_beyond_the_limit_count_nowhere():
    predictions = Predictions([0.5, 0.9, 0.1], [0] * 3, [0, 3])
    similarity = BoxIou([[0, 0, 1, 1]] * 3, [[0, 0, 1, 1]])
    found = match(predictions, GroundTruth([0], [0, 1]), similarity, max_detections=1)
    assert found.is_ignored.tolist() == [[True, False, True]]
    assert found.is_false_positive.tolist() == [[False] * 3]


def test_nothing_at_all():
    matches = match(Predictions([], [], [0]), GroundTruth([], [0]), BoxIou([], []), [0.5, 0.9])
    assert matches.per_image().f1.shape == (2, 0)
    assert np.isnan(matches.average_precision().mean)
    none = match(Predictions([], [], [0, 0]), GroundTruth([1], [0, 1]), BoxIou([], [[0, 0, 1, 1]]))
    assert none.per_image().false_negatives.tolist() == [[1]]
    assert none.average_precision().per_class.tolist() == [[0.0]]


def test_scores_that_are_nan_come_last():
    truth = GroundTruth([0], [0, 1])
    similarity = BoxIou([[0, 0, 1, 1]] * 2 + [[np.nan] * 4], [[0, 0, 1, 1]])
    found = match(Predictions([np.nan, 0.1, 0.2], [0, 0, 0], [0, 3]), truth, similarity)
    assert found.truth_of_prediction.tolist() == [[-1, 0, -1]]


def test_labels_may_be_far_apart():
    labels = [-(2**40), 2**40]
    similarity = BoxIou([[0, 0, 1, 1]] * 2, [[0, 0, 1, 1]] * 2)
    found = match(Predictions([0.5, 0.6], labels, [0, 2]), GroundTruth(labels, [0, 2]), similarity)
    assert found.truth_of_prediction.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Predictions([0.5], [0, 1], [0, 1]), "labels have the shape"),
        (lambda: Predictions([0.5], [0.5], [0, 1]), "must be integers"),
        (lambda: Predictions([0.5], [0], [0, 2]), "end with 1"),
        (lambda: Predictions([0.5], [0], [0, 2, 1]), "must not descend"),
        (lambda: Predictions([0.5], [0], [0, 1], [[1]]), "areas have the shape"),
        (lambda: Predictions(["high"], [0], [0, 1]), "no numbers"),
        (lambda: GroundTruth([0], [0, 1], is_crowd=[0, 1]), "is_crowd have the shape"),
        (lambda: BoxIou([[0, 0, 1]], []), r"must be \(-1, 4\)"),
        (lambda: small_match(offsets=[0, 0, 1]), "of 1 images, and ground truth of 2"),
        (lambda: small_match(thresholds=0), "more than 0"),
        (lambda: small_match(area_range=(0, 1)), "needs the areas"),
        (lambda: small_match(boxes=[[0, 0, 1, 1]] * 2), "of 2 predictions and 1 truths"),
        (lambda: small_match(is_crowd=[1]), "not those of the ground truth"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(MetricsError, match=message):
        make()


def small_match(offsets=(0, 1), boxes=((0, 0, 1, 1),), is_crowd=None, **options):
    similarity = BoxIou(boxes, [[0, 0, 1, 1]], is_crowd)
    return match(Predictions([0.5], [0], [0, 1]), GroundTruth([0], offsets), similarity, **options)
