"""Average precision, from columns that say of each prediction whether it is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import MetricsError
from tlc.metrics.quality._pairs import images_of
from tlc.metrics.quality.instances import Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.metrics.quality.instances import Bools, Floats, Ints

__all__ = ["AveragePrecision", "average_precision"]

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True, eq=False)
class AveragePrecision:
    """Average precision of K classes at T thresholds, from 0 to 1.

    Attributes:
        classes: The classes that have ground truth or predictions, ascending: int64 of shape (K,).
        per_class: AP of each threshold and class; NaN for a class without ground truth. float64 of
            shape (T, K).
        recall: Share of the ground truth that is found, in the same form.
    """

    classes: Ints
    per_class: Floats
    recall: Floats

    @property
    def per_threshold(self) -> Floats:
        """Mean of each threshold over the classes with ground truth: float64 of shape (T,).

        NaN if there are none.
        """
        return _mean_of_known(self.per_class)

    @property
    def mean(self) -> float:
        """Mean over thresholds and classes: COCO's AP if the thresholds are `COCO_THRESHOLDS`."""
        return float(_mean_of_known(self.per_class.reshape(1, -1))[0])

    @property
    def mean_recall(self) -> float:
        """Mean of the recalls over thresholds and classes: COCO's AR."""
        return float(_mean_of_known(self.recall.reshape(1, -1))[0])


def average_precision(
    scores: Any,
    labels: Any,
    offsets: Any,
    is_true_positive: Any,
    is_ignored: Any,
    truth_counts: Mapping[int, int],
    *,
    max_detections: int | None = 100,
) -> AveragePrecision:
    """Return the average precision of each class, as `pycocotools.cocoeval.COCOeval` has it.

    The predictions of a class are sorted by falling score, equal ones by image. After each of them,
    the precision is TP / (TP + FP) and the recall TP / truths; ignored ones count in neither. The
    AP is the mean, over the recalls 0, 0.01, ... 1, of the highest precision at that or a higher
    recall, which is 0 for a recall that is not reached (Lin et al., "Microsoft COCO: Common Objects
    in Context", 2014, and its evaluation code).

    Args:
        scores: Confidence of each prediction, shape (N,).
        labels: Class of each, integers of shape (N,). For an AP that is blind to classes give 0 for
            all, and to `truth_counts` too.
        offsets: Where the predictions of each image start, and the end of the last.
        is_true_positive: Whether each is right, shape (T, N), or (N,) for a single threshold.
        is_ignored: Whether each does not count, in the same form.
        truth_counts: Class to the number of its ground truths that are not ignored.
        max_detections: How many predictions of each image and class count, those of the highest
            scores; None for all.

    Raises:
        MetricsError: Arrays do not fit each other.
    """
    known = Predictions(scores, labels, offsets)
    hits, ignored = (
        np.atleast_2d(np.asarray(each, bool)) for each in (is_true_positive, is_ignored)
    )
    if hits.shape != ignored.shape or hits.shape[1:] != (len(known),):
        raise MetricsError(
            f"The flags of {len(known)} predictions have the shapes {hits.shape} and "
            f"{ignored.shape}.",
            hint="Give both for all thresholds and predictions, of shape (T, N).",
        )
    order = _by_class(known, max_detections)
    labels = known.labels[order]
    present = [label for label, count in truth_counts.items() if count]
    classes = np.union1d(np.asarray(present, np.int64), labels)
    per_class = np.full((2, len(hits), len(classes)), np.nan)
    bounds = np.searchsorted(labels, classes, "left"), np.searchsorted(labels, classes, "right")
    for place, (label, start, stop) in enumerate(zip(classes.tolist(), *bounds, strict=True)):
        if count := truth_counts.get(label, 0):
            own = order[start:stop]
            per_class[:, :, place] = _of_class(hits[:, own], ignored[:, own], count)
    return AveragePrecision(classes, per_class[0], per_class[1])


def _by_class(known: Predictions, max_detections: int | None) -> Ints:
    """Return the predictions that count, by class, then falling score, then image."""
    order: Ints = np.lexsort((-known.scores, known.labels))
    if max_detections is None:
        return order
    images = images_of(known.offsets)[order]
    inner = np.lexsort((images, known.labels[order]))  # the two sorts are stable
    groups = np.stack([known.labels[order][inner], images[inner]])
    is_first = np.ones(len(inner), bool)
    is_first[1:] = (groups[:, 1:] != groups[:, :-1]).any(axis=0)
    starts = np.flatnonzero(is_first)
    rank = np.empty(len(inner), np.int64)
    rank[inner] = np.arange(len(inner)) - starts[np.cumsum(is_first) - 1]
    return order[rank < max_detections]


def _of_class(hits: Bools, ignored: Bools, count: int) -> Floats:
    """Return AP and recall of one class for each threshold: shape (2, T)."""
    tp = np.cumsum(hits & ~ignored, axis=1)
    counted = np.cumsum(~ignored, axis=1)
    precision = tp / np.maximum(counted, 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    envelope = np.pad(envelope, ((0, 0), (0, 1)))  # what a recall that is not reached gets
    recall = tp / count
    places = [np.searchsorted(row, _RECALLS, "left") for row in recall]
    means = [row[at].mean() for row, at in zip(envelope, places, strict=True)]
    reached = recall[:, -1] if recall.shape[1] else np.zeros(len(hits))
    return np.stack([np.asarray(means, np.float64), reached])


def _mean_of_known(values: Floats) -> Floats:
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    sums = np.where(known, values, 0).sum(axis=1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
