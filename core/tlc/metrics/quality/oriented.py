"""Intersection over union of turned boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.metrics.quality.instances import flags, numbers

if TYPE_CHECKING:
    from tlc.metrics.quality.instances import Floats, Ints

__all__ = ["OrientedBoxIou"]

_PAIRS_AT_ONCE = 1 << 12
_CORNERS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


class OrientedBoxIou:
    """Intersection over union of turned boxes, as in `tlc.data_types.OrientedBoundingBoxes2D`.

    The area of what both cover, over the area of what either covers; for a crowd over the area of
    the prediction. What both cover is the outline of the one box, cut along the four sides of the
    other (Sutherland and Hodgman, "Reentrant Polygon Clipping", 1974); its area is by the shoelace
    formula. Boxes that do not overlap or have no area have 0.

    Args:
        predicted: Predicted boxes of all images as centre x, centre y, width, height, rotation in
            radians: shape (N, 5).
        true: True boxes in the same form and unit, shape (M, 5).
        is_crowd: Whether each true box is a crowd, shape (M,); None if none is.

    Attributes:
        shape: How many predictions and truths it knows, (N, M).
        is_crowd: bool of shape (M,).

    Raises:
        MetricsError: Boxes have another shape, or there is not one flag for each.
    """

    def __init__(self, predicted: Any, true: Any, is_crowd: Any = None) -> None:
        self._predicted = numbers(predicted, (-1, 5), "predicted boxes")
        self._true = numbers(true, (-1, 5), "true boxes")
        self.shape = len(self._predicted), len(self._true)
        self.is_crowd = flags(is_crowd, self.shape[1], "is_crowd")

    def __call__(self, predicted: Ints, true: Ints) -> Floats:
        """Return the IoU of pairs. See `Similarity`."""
        ious = np.zeros(len(predicted))
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.flatnonzero(self._may_overlap(predicted, true))
            for start in range(0, len(near), _PAIRS_AT_ONCE):
                part = near[start : start + _PAIRS_AT_ONCE]
                ious[part] = self._of_part(predicted[part], true[part])
        return ious

    def _may_overlap(self, predicted: Ints, true: Ints) -> Any:
        """Return whether the circles around two boxes overlap, and both have an area."""
        apart = self._predicted[predicted, :2] - self._true[true, :2]
        reach, true_reach = (
            np.hypot(boxes[:, 2], boxes[:, 3]) / 2 for boxes in (self._predicted, self._true)
        )
        filled, true_filled = (
            (boxes[:, 2] > 0) & (boxes[:, 3] > 0) for boxes in (self._predicted, self._true)
        )
        touching = np.hypot(*apart.T) < reach[predicted] + true_reach[true]
        return touching & filled[predicted] & true_filled[true]

    def _of_part(self, predicted: Ints, true: Ints) -> Floats:
        one, other = self._predicted[predicted], self._true[true]
        common = _common(one, other)
        areas, true_areas = one[:, 2] * one[:, 3], other[:, 2] * other[:, 3]
        whole = areas + np.where(self.is_crowd[true], 0, true_areas - common)
        return np.asarray(common / whole, np.float64)


def _common(one: Floats, other: Floats) -> Floats:
    """Return the area that pairs of boxes share, shape (pairs,)."""
    points = _turned(one[:, None, 2:4] * _CORNERS, one[:, 4] - other[:, 4])
    points += _turned((one[:, :2] - other[:, :2])[:, None], -other[:, 4])
    for axis in (0, 1):
        for sign in (1, -1):
            inside = other[:, 2 + axis, None] / 2 - sign * points[:, :, axis]
            points = _cut(points, inside)
    x, y = points[:, :, 0], points[:, :, 1]
    doubled = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)
    return np.asarray(np.abs(doubled) / 2, np.float64)


def _turned(points: Floats, angles: Floats) -> Floats:
    """Return points of shape (pairs, V, 2), turned by an angle for each pair."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y = points[:, :, 0], points[:, :, 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=2)


def _cut(points: Floats, inside: Floats) -> Floats:
    """Return outlines without what is on the other side of a line.

    Args:
        points: Corners of a convex outline for each pair, shape (pairs, V, 2).
        inside: How far each is on the right side, negative on the other: shape (pairs, V).

    Returns:
        The corners, shape (pairs, V + 1, 2); the first again where there are less.
    """
    pairs, count = inside.shape
    after = np.roll(inside, -1, axis=1)
    kept, crosses = inside >= 0, (inside >= 0) != (after >= 0)
    share = inside / np.where(crosses, inside - after, 1)
    crossing = points + share[:, :, None] * (np.roll(points, -1, axis=1) - points)
    both = np.stack([points, crossing], axis=2).reshape(pairs, 2 * count, 2)
    valid = np.stack([kept, crosses], axis=2).reshape(pairs, 2 * count)
    order = np.argsort(~valid, axis=1, kind="stable")[:, : count + 1]
    found = np.take_along_axis(both, order[:, :, None], axis=1)
    missing = np.arange(count + 1) >= valid.sum(axis=1, keepdims=True)
    return np.where(missing[:, :, None], found[:, :1], found)
