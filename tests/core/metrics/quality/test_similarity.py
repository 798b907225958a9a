"""Masks, keypoints and turned boxes: how alike they are, and average precision with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as oracle
from tests.core.metrics.quality.worlds import (
    IMAGES,
    World,
    boxes_of,
    by_image,
    check_matches,
    check_precision,
    worlds,
)

from tlc.data_types.rle import compress, encode_masks
from tlc.errors import MetricsError, SchemaError
from tlc.metrics.quality import (
    COCO_THRESHOLDS,
    BoxIou,
    KeypointSimilarity,
    MaskIou,
    OrientedBoxIou,
    masks,
    match,
)

SIGMAS = np.array([0.05, 0.1, 0.2])
THRESHOLDS = [0.1, 0.5, 0.75]


def all_pairs(similarity, count, true_count):
    predicted, true = (each.ravel() for each in np.indices((count, true_count)))
    return similarity(predicted, true).reshape(count, true_count)


def judged(world, kind, thresholds=THRESHOLDS, **params):
    return world.judged(kind, iouThrs=list(thresholds), areaRng=[[0, 1e10]], **params)


# Boxes


@given(worlds())
def test_boxes(world):
    predicted, true = world.boxes()
    found = all_pairs(BoxIou(predicted, true, world.is_crowd), len(predicted), len(true))
    ours, theirs = ([each["bbox"] for each in own] for own in (world.predicted, world.true))
    if ours and theirs:
        np.testing.assert_array_equal(found, oracle.iou(ours, theirs, world.is_crowd))


def test_boxes_that_are_no_boxes_are_like_nothing():
    strange = [[5, 5, 5, 5], [9, 9, 1, 1], [np.nan] * 4, [np.inf] * 4, [-np.inf, 0, np.inf, 9]]
    found = all_pairs(BoxIou(strange, [[0, 0, 9, 9], [0, 0, np.inf, 9]]), 5, 2)
    assert not (found > 0).any()


# Masks


def masked(**more):
    bits = st.one_of(
        st.binary(min_size=3, max_size=3), st.sampled_from([b"\0\0\0", b"\xff\xff\xff"])
    )
    where = st.integers(0, IMAGES - 1), st.integers(0, 1)

    def build(image, label, bits, **more):
        mask = np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(6, 4, 1)
        counts = encode_masks(mask)[0]
        rle = {"size": [6, 4], "counts": counts}
        area = max(int(mask.sum()), 0)
        return {**boxes_of(image, label, 0, 0, 1, 1, **more), "area": area, "segmentation": rle}

    return st.builds(build, *where, bits, **more)


def segments(own):
    return [each["segmentation"] for each in own]


@given(worlds(masked))
def test_masks(world):
    ours, theirs = segments(world.predicted), segments(world.true)
    similarity = MaskIou(ours, [rle["counts"].decode() for rle in theirs], world.is_crowd)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masks, "_ENDS_AT_ONCE", 5)
        found = all_pairs(similarity, len(ours), len(theirs))
    if ours and theirs:
        np.testing.assert_array_equal(found, oracle.iou(ours, theirs, world.is_crowd))


@given(worlds(masked))
def test_precision_of_masks_is_that_of_coco(world):
    similarity = MaskIou(segments(world.predicted), segments(world.true), world.is_crowd)
    matches = match(world.predictions, world.ground_truth, similarity, COCO_THRESHOLDS)
    judge = judged(world, "segm", COCO_THRESHOLDS)
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(), judge)


def test_large_masks():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:240, :320]
    centres = rng.uniform(0, 240, (24, 2))
    shapes = [(x - a) ** 2 + (y - b) ** 2 < rng.uniform(100, 9000) for a, b in centres]
    rles = encode_masks(np.stack(shapes, axis=2).astype(np.uint8))
    coco = [{"size": [240, 320], "counts": counts} for counts in rles]
    crowd = [i % 5 == 0 for i in range(12)]
    found = all_pairs(MaskIou(rles[12:], rles[:12], crowd), 12, 12)
    np.testing.assert_array_equal(found, oracle.iou(coco[12:], coco[:12], crowd))
    assert (found > 0).any()
    assert (found == 0).any()


def test_masks_must_have_the_size_of_their_image():
    small, large = encode_masks(np.ones((2, 2, 1))), encode_masks(np.ones((2, 3, 1)))
    with pytest.raises(MetricsError, match=r"mask 0 has 4 pixels and true mask 0 .* has 6"):
        all_pairs(MaskIou(small, large), 1, 1)


def test_strange_counts():
    assert all_pairs(MaskIou([b"", b""], [b""]), 2, 1).tolist() == [[0], [0]]
    negative, _ = compress(np.array([5, -2, 1]), np.array([0, 3]))
    for damaged in (b"\x00", negative.tobytes()):
        with pytest.raises(SchemaError, match="damaged"):
            MaskIou([damaged], [])


# Keypoints


def posed(score=None, iscrowd=None):
    more = {"score": score} if score is not None else {"iscrowd": iscrowd}
    values = st.lists(st.integers(0, 9), min_size=6, max_size=6)
    seen = st.lists(st.sampled_from([0, 1, 2]), min_size=3, max_size=3)
    where = st.integers(0, IMAGES - 1), st.integers(0, 1)
    box = [st.integers(0, 4)] * 2 + [st.integers(1, 9)] * 2

    def build(image, label, x, y, w, h, values, seen, **more):
        points = np.column_stack([np.reshape(values, (3, 2)), seen])
        more["num_keypoints"] = int(np.count_nonzero(seen)) if "iscrowd" in more else 1
        return boxes_of(image, label, x, y, w, h, keypoints=points.ravel().tolist(), **more)

    return st.builds(build, *where, *box, values, seen, **more)


def points(own):
    return np.reshape([each["keypoints"] for each in own], (-1, 3, 3))


def pose_similarity(world, dimensions=3):
    areas = [each["area"] for each in world.true]
    predicted, true = points(world.predicted), points(world.true)
    boxes = world.boxes()[1].reshape(-1, 4)
    return KeypointSimilarity(predicted[:, :, :dimensions], true, areas, SIGMAS, boxes)


@given(worlds(posed), st.sampled_from([2, 3]))
def test_precision_of_keypoints_is_that_of_coco(world, dimensions):
    similarity = pose_similarity(world, dimensions)
    judge = judged_poses(world)
    for (image, label), expected in judge.ious.items():
        chosen = [
            [i for i, e in enumerate(own) if (e["image_id"], e["category_id"]) == (image, label)]
            for own in (world.predicted, world.true)
        ]
        chosen[0].sort(key=lambda i: -world.predicted[i]["score"])
        if len(expected):
            found = similarity(*(each.ravel() for each in np.meshgrid(*chosen, indexing="ij")))
            np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=1e-12)
    options = {"thresholds": THRESHOLDS, "max_detections": 20}
    matches = match(world.predictions, world.ground_truth, similarity, **options)
    check_matches(world, matches, judge)
    check_precision(matches.average_precision(20), judge)


def judged_poses(world):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pycocotools.cocoeval.Params.setKpParams", _keypoint_params)
        return judged(world, "keypoints")


def _keypoint_params(self):
    self.setDetParams()
    self.maxDets, self.kpt_oks_sigmas = [20], SIGMAS


def test_nothing_is_like_an_unlabelled_person_without_a_box():
    similarity = KeypointSimilarity([[[1, 1]]], [[[1, 1, 0]], [[1, 1, 2]]], [4, 4], [0.1])
    assert all_pairs(similarity, 1, 2).tolist() == [[0, 1]]


def test_keypoints_must_be_as_many_as_sigmas():
    with pytest.raises(MetricsError, match=r"must be \(-1, 2, 2\)"):
        KeypointSimilarity([[[1, 1]]], [], [], [0.1, 0.1])


# Turned boxes


def turned(rng, count):
    centres, sizes = rng.uniform(10, 20, (count, 2)), rng.uniform(3, 20, (count, 2))
    return np.column_stack([centres, sizes, rng.uniform(-7, 7, count)])


def counted(one, other, step=0.05):
    """Return the IoU by counting points of a fine grid."""
    y, x = np.mgrid[-5:35:step, -5:35:step]
    inside = []
    for cx, cy, w, h, angle in (one, other):
        along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
        across = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
        inside.append((np.abs(along) <= w / 2) & (np.abs(across) <= h / 2))
    return (inside[0] & inside[1]).sum() / (inside[0] | inside[1]).sum()


def test_turned_boxes_are_as_alike_as_points_that_both_cover():
    rng = np.random.default_rng(1)
    boxes, others = turned(rng, 4), turned(rng, 3)
    found = all_pairs(OrientedBoxIou(boxes, others), 4, 3)
    expected = [[counted(one, other) for other in others] for one in boxes]
    np.testing.assert_allclose(found, expected, atol=3e-3)
    assert (found > 0.05).sum() > 3


@given(worlds(), st.integers(-3, 3), st.floats(-4, 4))
def test_boxes_turned_together_are_as_alike_as_upright_ones(world, quarters, angle):
    """Nor does it matter which side is called the width, a quarter turn further."""
    upright, both = world.boxes(), []
    for boxes in upright:
        low, high = np.split(boxes.reshape(-1, 4), 2, axis=1)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        centres = (low + high) / 2 @ turn
        both.append(np.column_stack([centres, high - low, np.full(len(low), angle)]))
    swapped = both[0][:, [0, 1, 3, 2, 4]] if quarters % 2 else both[0].copy()
    swapped[:, 4] += quarters * np.pi / 2
    counts = len(upright[0]), len(upright[1])
    found = all_pairs(OrientedBoxIou(swapped, both[1], world.is_crowd), *counts)
    expected = all_pairs(BoxIou(*upright, world.is_crowd), *counts)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_square_turned_by_an_eighth_covers_an_octagon():
    found = all_pairs(OrientedBoxIou([[3, 3, 2, 2, np.pi / 4]], [[3, 3, 2, 2, 0]]), 1, 1)
    octagon = 8 * (np.sqrt(2) - 1)
    np.testing.assert_allclose(found, octagon / (8 - octagon))


def test_thin_and_inner_and_distant_turned_boxes():
    boxes = [[0, 0, 0, 9, 1], [0, 0, 2, 2, 0.7], [50, 0, 9, 9, 1], [0, 0, np.nan, 1, 0]]
    found = all_pairs(OrientedBoxIou(boxes, [[0, 0, 10, 10, 0.3]], [False]), 4, 1)
    np.testing.assert_allclose(found, [[0], [0.04], [0], [0]])
    found = all_pairs(OrientedBoxIou(boxes[1:2], [[0, 0, 10, 10, 0.3]], [True]), 1, 1)
    np.testing.assert_allclose(found, [[1]])


def test_turned_boxes_are_matched():
    rng = np.random.default_rng(2)
    true = turned(rng, 40)
    instances = [boxes_of(i // 10, 0, 0, 0, 1, 1, iscrowd=0, score=0.5) for i in range(40)]
    world = World(by_image(instances), by_image(instances), images=4)
    similarity = OrientedBoxIou(true + rng.normal(0, 0.01, true.shape), true)
    matches = match(world.predictions, world.ground_truth, similarity, 0.5)
    assert matches.truth_of_prediction.tolist() == [list(range(10)) * 4]
