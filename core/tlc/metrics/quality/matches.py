"""What a matching says of each prediction, each ground truth and each image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.metrics.quality._pairs import images_of
from tlc.metrics.quality.precision import average_precision

if TYPE_CHECKING:
    from tlc.metrics.quality.instances import Bools, Floats, GroundTruth, Ints, Predictions
    from tlc.metrics.quality.precision import AveragePrecision

__all__ = ["ImageQuality", "Matches"]

Indexes: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ImageQuality:
    """How good the predictions of each image are, for each threshold: arrays of shape (T, images).

    Ignored predictions and ground truths count nowhere. A ratio whose denominator is 0 is NaN.

    Attributes:
        true_positives: Number of predictions that match, int64.
        false_positives: Number of predictions that match nothing, int64.
        false_negatives: Number of ground truths that match nothing, int64.
        precision: TP / (TP + FP), float64.
        recall: TP / (TP + FN), float64.
        f1: 2 TP / (2 TP + FP + FN), float64: the harmonic mean of precision and recall.
        mean_iou: Mean similarity of the pairs that match, float64.
    """

    true_positives: Ints
    false_positives: Ints
    false_negatives: Ints
    precision: Floats
    recall: Floats
    f1: Floats
    mean_iou: Floats


class Matches:
    """Which prediction goes with which ground truth, for each of T thresholds. See `match`.

    Args:
        predictions: N predicted instances of all images.
        ground_truth: M true instances of the same images.
        thresholds: Least similarity of a match, shape (T,).
        is_truth_ignored: Which ground truths do not count, shape (M,).

    Attributes:
        predictions: The predicted instances.
        ground_truth: The true ones.
        thresholds: float64 of shape (T,).
        truth_of_prediction: The ground truth that each prediction matches, as its index in the
            image; -1 for none. int32 of shape (T, N).
        similarity: How alike the two are; 0 for none. float32 of shape (T, N).
        is_ignored: Whether a prediction counts neither as true nor as false: it matches a crowd or
            another ignored truth, is beyond the limit of predictions, or matches nothing and is
            outside the range of areas. bool of shape (T, N).
        prediction_of_truth: The prediction that matches each ground truth, as its index in the
            image; -1 for none, of a crowd the one of the lowest score. int32 of shape (T, M).
        is_truth_ignored: Whether a ground truth does not count. bool of shape (M,).
    """

    def __init__(
        self,
        predictions: Predictions,
        ground_truth: GroundTruth,
        thresholds: Floats,
        is_truth_ignored: Bools,
    ) -> None:
        self.predictions, self.ground_truth = predictions, ground_truth
        self.thresholds, self.is_truth_ignored = thresholds, is_truth_ignored
        shape = len(thresholds), len(predictions)
        self.truth_of_prediction: Indexes = np.full(shape, -1, np.int32)
        self.similarity: npt.NDArray[np.float32] = np.zeros(shape, np.float32)
        self.is_ignored: Bools = np.zeros(shape, bool)
        shape = len(thresholds), len(ground_truth)
        self.prediction_of_truth: Indexes = np.full(shape, -1, np.int32)
        self._starts = predictions.offsets[:-1].repeat(np.diff(ground_truth.offsets))
        self._true_starts = ground_truth.offsets[:-1].repeat(np.diff(predictions.offsets))

    def add(self, level: int, predicted: Ints, true: Ints, values: Floats) -> None:
        """Note pairs that match.

        Args:
            level: Number of the threshold.
            predicted: Index of each prediction among all; of one crowd by falling score.
            true: Index of its ground truth among all.
            values: How alike they are.
        """
        self.truth_of_prediction[level, predicted] = true - self._true_starts[predicted]
        self.similarity[level, predicted] = values
        self.is_ignored[level, predicted] = self.is_truth_ignored[true]
        self.prediction_of_truth[level, true] = predicted - self._starts[true]

    @property
    def is_true_positive(self) -> Bools:
        """Whether each prediction matches a ground truth that counts: shape (T, N)."""
        return (self.truth_of_prediction >= 0) & ~self.is_ignored

    @property
    def is_false_positive(self) -> Bools:
        """Whether each prediction counts and matches nothing: shape (T, N)."""
        return (self.truth_of_prediction < 0) & ~self.is_ignored

    @property
    def is_false_negative(self) -> Bools:
        """Whether each ground truth counts and matches nothing: shape (T, M)."""
        return (self.prediction_of_truth < 0) & ~self.is_truth_ignored

    def per_image(self) -> ImageQuality:
        """Return counts and ratios of each image."""
        images, count = images_of(self.predictions.offsets), len(self.predictions.offsets) - 1
        true_images = images_of(self.ground_truth.offsets)
        hits = self.is_true_positive
        tp = _counts(hits, images, count)
        fp = _counts(self.is_false_positive, images, count)
        fn = _counts(self.is_false_negative, true_images, count)
        sums = [np.bincount(images, row, count) for row in np.where(hits, self.similarity, 0)]
        mean = _ratio(np.array(sums, np.float64).reshape(tp.shape), tp)
        ratios = _ratio(tp, tp + fp), _ratio(tp, tp + fn), _ratio(2 * tp, 2 * tp + fp + fn)
        return ImageQuality(tp, fp, fn, *ratios, mean)

    def average_precision(self, max_detections: int | None = 100) -> AveragePrecision:
        """Return COCO's average precision of each class. See the function `average_precision`.

        Args:
            max_detections: How many predictions of an image and class count.
        """
        counts = np.unique(self.ground_truth.labels[~self.is_truth_ignored], return_counts=True)
        return average_precision(
            self.predictions.scores,
            self.predictions.labels,
            self.predictions.offsets,
            self.is_true_positive,
            self.is_ignored,
            dict(zip(*(each.tolist() for each in counts), strict=True)),
            max_detections=max_detections,
        )


def _counts(flags: Bools, images: Ints, count: int) -> Ints:
    found = [np.bincount(images[row], minlength=count) for row in flags]
    return np.array(found, np.int64).reshape(len(flags), count)


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan), np.float64)
