"""Small masks of the input of a model, as masks of the image."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.data_types import rle

__all__ = ["enlarged"]

Floats: TypeAlias = npt.NDArray[np.float64]


def enlarged(
    masks: npt.NDArray[Any], input_size: Any, image_size: tuple[int, int], ratio_pad: Any
) -> list[bytes]:
    """Return the compressed COCO counts of masks, enlarged bilinearly, at half of a pixel.

    Only what is around a mask is looked at, so small ones cost little.

    Args:
        masks: Masks of the whole input at any resolution, shape (N, h, w).
        input_size: Height and width of the input.
        image_size: Height and width of the image.
        ratio_pad: How the image was put into the input: factors for height and width, and the
            padding at the left and the top.
    """
    (ratio_y, ratio_x), (left, top) = ratio_pad
    rows = _Axis(image_size[0], masks.shape[1], ratio_y, top, input_size[0])
    columns = _Axis(image_size[1], masks.shape[2], ratio_x, left, input_size[1])
    regions, corners = [], []
    for mask in masks != 0:
        y = rows.around(np.flatnonzero(mask.any(axis=1)))
        x = columns.around(np.flatnonzero(mask.any(axis=0)))
        taken = columns.interpolated(rows.interpolated(mask.astype(np.float64), y).T, x).T
        regions.append(taken > 0.5)
        corners.append((x.start, y.start))
    return rle.encode_regions(regions, corners, *image_size)


class _Axis:
    """Where the pixels of an image are between those of a mask, along one axis.

    Args:
        length: Pixels of the image.
        small: Pixels of the mask.
        ratio: Pixels of the input for one of the image.
        before: Pixels of the input before the image begins.
        whole: Pixels of the input.
    """

    def __init__(self, length: int, small: int, ratio: float, before: float, whole: int) -> None:
        places = ((np.arange(length) + 0.5) * ratio + before) * small / whole - 0.5
        self._places: Floats = np.clip(places, 0, small - 1)
        self._low = np.floor(self._places).astype(np.int64)
        self._high = np.minimum(self._low + 1, small - 1)
        self._share = (self._places - self._low)[:, None]

    def around(self, inside: npt.NDArray[np.int64]) -> slice:
        """Return the pixels of the image that some pixels of the mask, in order, reach."""
        if not len(inside):
            return slice(0, 0)
        ends = np.searchsorted(self._places, [inside[0] - 1, inside[-1] + 1], "right")
        return slice(int(ends[0]), int(ends[1]))

    def interpolated(self, values: Floats, part: slice) -> Floats:
        """Return values along the first axis, at some pixels of the image."""
        low, high, share = self._low[part], self._high[part], self._share[part]
        found: Floats = values[low] * (1 - share) + values[high] * share
        return found
