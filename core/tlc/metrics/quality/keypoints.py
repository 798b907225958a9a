"""Object keypoint similarity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import MetricsError
from tlc.metrics.quality.instances import numbers

if TYPE_CHECKING:
    from tlc.metrics.quality.instances import Floats, Ints

__all__ = ["KeypointSimilarity"]

_PAIRS_AT_ONCE = 1 << 12  # each has as many numbers as there are points


class KeypointSimilarity:
    """Object keypoint similarity (OKS), as `pycocotools.cocoeval.COCOeval` has it.

    The mean over the labelled points of a truth of ``exp(-d^2 / (2 area (2 sigma)^2))``, where
    ``d`` is how far off the predicted point is (Ronchi and Perona, "Benchmarking and Error
    Diagnosis in Multi-Instance Pose Estimation", 2017, and https://cocodataset.org/#keypoints-eval).

    A truth without labelled points has to be ignored in `GroundTruth`. The similarity to it is the
    mean over all points, with ``d`` from its box, which is made three times as wide and high.

    Args:
        predicted: Predicted points of all images as x, y or x, y, visibility: shape (N, K, 2) or
            (N, K, 3). The visibility plays no part.
        true: True points as x, y, visibility, where 0 is not labelled: shape (M, K, 3).
        true_areas: Area of each true instance, shape (M,), in the square of the points' unit.
        sigmas: How far apart two people place each point, as a share of the root of the area: shape
            (K,). `tlc.helpers.KeypointHelper` has COCO's, and those of a column.
        true_boxes: Box of each true instance as x1, y1, x2, y2, shape (M, 4); without it, nothing
            is similar to a truth without labelled points.

    Attributes:
        shape: How many predictions and truths it knows, (N, M).

    Raises:
        MetricsError: Something has another shape.
    """

    def __init__(
        self, predicted: Any, true: Any, true_areas: Any, sigmas: Any, true_boxes: Any = None
    ) -> None:
        sigmas = numbers(sigmas, (-1,), "sigmas")
        points = numbers(predicted, (-1, -1, -1), "predicted keypoints")
        if len(points) and (points.shape[1] != len(sigmas) or points.shape[2] not in (2, 3)):
            raise MetricsError(
                f"Predicted keypoints have the shape {points.shape}, where it must be "
                f"(-1, {len(sigmas)}, 2) or (-1, {len(sigmas)}, 3).",
            )
        self._points = points[:, :, :2].reshape(len(points), len(sigmas), 2)
        self._true = numbers(true, (-1, len(sigmas), 3), "true keypoints")
        self.shape = len(points), len(self._true)
        count = len(self._true)
        areas = numbers(true_areas, (count,), "true areas")
        self._scale = 2 * (areas[:, None] + np.spacing(1)) * (2 * sigmas) ** 2
        self._is_labelled = self._true[:, :, 2] > 0
        self._boxes = None
        if true_boxes is not None:
            self._boxes = _tripled(numbers(true_boxes, (count, 4), "true boxes"))

    def __call__(self, predicted: Ints, true: Ints) -> Floats:
        """Return the OKS of pairs. See `Similarity`."""
        found = np.zeros(len(predicted))
        for start in range(0, len(predicted), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            found[part] = self._of_part(predicted[part], true[part])
        return found

    def _of_part(self, predicted: Ints, true: Ints) -> Floats:
        counted = self._is_labelled[true]
        apart = self._points[predicted] - self._true[true, :, :2]
        unlabelled = np.flatnonzero(~counted.any(axis=1))
        if len(unlabelled) and self._boxes is not None:
            low, high = np.split(self._boxes[true[unlabelled], None], 2, axis=2)
            points = self._points[predicted[unlabelled]]
            apart[unlabelled] = np.maximum(low - points, 0) + np.maximum(points - high, 0)
            counted[unlabelled] = True
        with np.errstate(over="ignore", invalid="ignore"):
            alike = np.exp(-(apart**2).sum(axis=2) / self._scale[true])
        sums = np.where(counted, alike, 0).sum(axis=1)
        return np.asarray(sums / np.maximum(counted.sum(axis=1), 1), np.float64)


def _tripled(boxes: Floats) -> Floats:
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([2 * low - high, 2 * high - low], axis=1)
