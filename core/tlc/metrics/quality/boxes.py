"""Intersection over union of upright boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.metrics.quality.instances import flags, numbers

if TYPE_CHECKING:
    from tlc.metrics.quality.instances import Floats, Ints

__all__ = ["BoxIou"]


class BoxIou:
    """Intersection over union of upright boxes, as `pycocotools.mask.iou` has it.

    The area of what both cover, over the area of what either covers; for a crowd over the area of
    the prediction. A box is as wide as ``x2 - x1``: coordinates are edges, not pixels. Boxes that
    do not overlap or are turned inside out have 0.

    Args:
        predicted: Predicted boxes of all images as x1, y1, x2, y2, shape (N, 4).
        true: True boxes in the same form and unit, shape (M, 4).
        is_crowd: Whether each true box is a crowd, shape (M,); None if none is.

    Attributes:
        shape: How many predictions and truths it knows, (N, M).
        is_crowd: bool of shape (M,).

    Raises:
        MetricsError: Boxes have another shape, or there is not one flag for each.
    """

    def __init__(self, predicted: Any, true: Any, is_crowd: Any = None) -> None:
        self._predicted, self._areas = _columns(predicted, "predicted boxes")
        self._true, self._true_areas = _columns(true, "true boxes")
        self.shape = len(self._areas), len(self._true_areas)
        self.is_crowd = flags(is_crowd, self.shape[1], "is_crowd")

    def __call__(self, predicted: Ints, true: Ints) -> Floats:
        """Return the IoU of pairs. See `Similarity`."""
        ious = np.zeros(len(predicted))
        with np.errstate(invalid="ignore", over="ignore"):
            near, width = self._overlap(0, predicted, true)
            predicted, true = predicted[near], true[near]
            both, height = self._overlap(1, predicted, true)
            near, predicted, true = near[both], predicted[both], true[both]
            common = width[both] * height
            areas = self._areas[predicted]
            union = areas + self._true_areas[true] - common
            ious[near] = common / np.where(self.is_crowd[true], areas, union)
        return ious

    def _overlap(self, axis: int, predicted: Ints, true: Ints) -> tuple[Ints, Floats]:
        """Return which pairs overlap along an axis, and by how much."""
        low, high = self._predicted[axis], self._predicted[axis + 2]
        true_low, true_high = self._true[axis], self._true[axis + 2]
        lengths = np.minimum(high.take(predicted), true_high.take(true))
        lengths -= np.maximum(low.take(predicted), true_low.take(true))
        near = np.flatnonzero(lengths > 0)
        return near, lengths[near]


def _columns(boxes: Any, what: str) -> tuple[Floats, Floats]:
    columns = np.ascontiguousarray(numbers(boxes, (-1, 4), what).T)
    with np.errstate(invalid="ignore", over="ignore"):
        return columns, (columns[2] - columns[0]) * (columns[3] - columns[1])
