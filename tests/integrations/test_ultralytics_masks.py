"""Masks of the input of a model, as masks of the image: as torch enlarges them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from tlc.data_types import rle
from tlc.integration.ultralytics.masks import enlarged


def circles(height, width):
    y, x = np.mgrid[:height, :width]
    places = [(0.2, 0.3, 6), (0.5, 0.5, 3), (0.99, 0.01, 9), (0.5, 0.9, 40)]
    made = [(y - a * height) ** 2 + (x - b * width) ** 2 < r**2 for a, b, r in places]
    return np.stack([*made, np.zeros((height, width), bool)])


@pytest.mark.parametrize(
    ("image", "ratio", "padding"),
    [
        ((48, 64), 1.0, (0, 8)),
        ((64, 64), 1.0, (0, 0)),
        ((96, 128), 0.5, (0, 8)),
        ((30, 20), 2, (12, 2)),
    ],
    ids=["padded", "as it is", "made smaller", "made larger"],
)
def test_masks_are_those_of_bilinear_enlargement(image, ratio, padding):
    small, whole = circles(16, 16), (64, 64)
    counts = enlarged(small, whole, image, ((ratio, ratio), padding))
    found = rle.decode_masks(counts, *image).transpose(2, 0, 1)
    left, top = padding
    size = round(whole[0] / ratio), round(whole[1] / ratio)
    large = interpolate(torch.tensor(small)[None].float(), size, mode="bilinear")[0] > 0.5
    y, x = round(top / ratio), round(left / ratio)
    wanted = large[:, y : y + image[0], x : x + image[1]].numpy()
    assert wanted.shape == found.shape
    assert (found != wanted).sum() <= 4  # where a number is a half but for rounding
    assert wanted[:4].any()
    assert not found[4].any()
