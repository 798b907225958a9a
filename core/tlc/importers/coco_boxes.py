"""Boxes as COCO files have them, to those of tables: what is wrong with each, all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags = npt.NDArray[np.bool_]
    Array = npt.NDArray[Any]

_PIXELS = 1.0
_SHARE = 1e-3
_FEW = 10
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Boxes:
    """Boxes in images.

    Attributes:
        corners: x_min, y_min, x_max, y_max as float32, shape (N, 4).
        wrong: Which are no boxes at all, or lie outside of their image.
        empty: Which are lines or points; they are as they were.
        clipped: Which reached out of their image so little that they were cut there.
        far: Which reach out further; they are as they were.
        swapped: Whether they look as if all were x_min, y_min, x_max, y_max in the file.
    """

    corners: npt.NDArray[np.float32]
    wrong: Flags
    empty: Flags
    clipped: Flags
    far: Flags
    swapped: bool


def checked_boxes(boxes: Array, widths: Array, heights: Array) -> Boxes:
    """Return boxes of x, y, width and height in pixels.

    Args:
        boxes: float64, shape (N, 4).
        widths: Width of the image of each, NaN if that is not known.
        heights: Height likewise.
    """
    x, y, width, height = boxes.T
    with np.errstate(invalid="ignore", over="ignore"):
        corners = np.stack([x, y, x + width, y + height], axis=1)
        wrong = ~((np.abs(corners) <= _LARGEST).all(axis=1) & (width >= 0) & (height >= 0))
        empty = ((width == 0) | (height == 0)) & ~wrong
        wrong |= (x >= widths) | (y >= heights) | (corners[:, 2] <= 0) | (corners[:, 3] <= 0)
        if empty.any():
            wrong[empty] = _apart(corners[empty], widths[empty], heights[empty])
            empty &= ~wrong
        over_x = np.maximum(-x, corners[:, 2] - widths)
        over_y = np.maximum(-y, corners[:, 3] - heights)
        outside = ((over_x > 0) | (over_y > 0)) & ~wrong
        if not outside.any() and not wrong.any():
            whole = corners.astype(np.float32)
            return Boxes(whole, wrong, empty, outside, outside, swapped=False)
        far = outside & (
            (over_x > np.maximum(_PIXELS, _SHARE * widths))
            | (over_y > np.maximum(_PIXELS, _SHARE * heights))
        )
        clipped = outside & ~far
        limits = np.stack([widths, heights, widths, heights], axis=1)[clipped]
        corners[clipped] = np.clip(corners[clipped], 0, limits)
        corners[wrong] = 0
    swapped = _look_swapped(boxes, widths, heights, far | wrong)
    return Boxes(corners.astype(np.float32), wrong, empty, clipped, far, swapped=swapped)


def _apart(corners: Array, widths: Array, heights: Array) -> Flags:
    """Return which lines and points do not even touch their image."""
    x_min, y_min, x_max, y_max = corners.T
    apart: Flags = (x_min > widths) | (y_min > heights) | (x_max < 0) | (y_max < 0)
    return apart


def _look_swapped(boxes: Array, widths: Array, heights: Array, outside: Flags) -> bool:
    """Whether most reach out of their image, and all would be inside if they were corners."""
    if len(boxes) < _FEW or outside.sum() * 2 < len(boxes):
        return False
    x_min, y_min, x_max, y_max = boxes.T
    ordered = (x_max > x_min) & (y_max > y_min)
    return bool((ordered & (x_max <= widths + _PIXELS) & (y_max <= heights + _PIXELS)).all())
