from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tlc.errors import MetricsError
from tlc.metrics.semantic_segmentation import semantic_segmentation_metrics

IDS = (-1, 0, 1, 2, 7, 255)


@st.composite
def cases(draw):
    height, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    pixels = st.lists(st.sampled_from(IDS), min_size=height * width, max_size=height * width)
    maps = [np.array(draw(pixels), dtype=np.int32).reshape(height, width) for _ in range(2)]
    classes = draw(st.lists(st.sampled_from(IDS), unique=True, min_size=1))
    background, void = draw(st.permutations([*IDS, None, None]))[:2]
    return *maps, {i: f"class {i}" for i in classes}, background, void, draw(st.booleans())


def oracle(pred, gt, classes, background, void, include_background):
    ids = [i for i in classes if i != void and (include_background or i != background)]
    if include_background and background is not None and background not in ids:
        ids = [background, *ids]
    pairs = [
        (g, p)
        for g, p in zip(gt.ravel().tolist(), pred.ravel().tolist(), strict=True)
        if g in ids or (g == background and background is not None)
    ]
    ious = []
    for i in ids:
        both = sum(g == i and p == i for g, p in pairs)
        either = sum(g == i or p == i for g, p in pairs)
        ious.append(both / either if either else math.nan)
    matrix = [[sum(pair == (g, p) for pair in pairs) for p in ids] for g in ids]
    numbers = [iou for iou in ious if not math.isnan(iou)]
    return ids, ious, sum(numbers) / len(numbers) if numbers else math.nan, matrix


@given(cases())
def test_agrees_with_counting_pixel_by_pixel(case):
    result = semantic_segmentation_metrics(*case)
    ids, ious, mean, matrix = oracle(*case)
    assert result["class_ids"] == ids
    assert result["per_class_iou"] == pytest.approx(ious, nan_ok=True)
    assert result["mean_iou"] == pytest.approx(mean, nan_ok=True)
    assert result["confusion_matrix"] == matrix


def test_void_does_not_count_and_background_is_scored_on_request():
    gt = np.array([[0, 0, 1], [1, 255, 255]])
    pred = np.array([[0, 1, 1], [1, 1, 0]])
    classes = {0: "sky", 1: "sea", 2: "land", 255: "void"}
    foreground = semantic_segmentation_metrics(pred, gt, classes, background=0, void=255)
    assert foreground["class_ids"] == [1, 2]
    assert foreground["per_class_iou"] == pytest.approx([2 / 3, math.nan], nan_ok=True)
    assert foreground["confusion_matrix"] == [[2, 0], [0, 0]]
    everything = semantic_segmentation_metrics(pred, gt, classes, 0, 255, include_background=True)
    assert everything["class_ids"] == [0, 1, 2]
    assert everything["mean_iou"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert np.shape(everything["confusion_matrix"]) == (3, 3)


def test_nothing_to_score_is_nan():
    empty = semantic_segmentation_metrics(
        np.zeros((2, 2)), np.zeros((2, 2)), {1: "a"}, background=0
    )
    assert math.isnan(empty["mean_iou"])
    assert empty["confusion_matrix"] == [[0]]


def test_takes_tensors_and_images():
    gt = np.array([[0, 1], [1, 1]], dtype=np.uint8)
    assert (
        semantic_segmentation_metrics(torch.tensor(gt), Image.fromarray(gt), {0: "a", 1: "b"})[
            "mean_iou"
        ]
        == 1.0
    )


@pytest.mark.parametrize("shape", [(3, 2), (2, 3, 1), (4,)])
def test_shapes_must_agree(shape):
    with pytest.raises(MetricsError, match="shape"):
        semantic_segmentation_metrics(np.zeros(shape), np.zeros((2, 3)), {0: "a"})
