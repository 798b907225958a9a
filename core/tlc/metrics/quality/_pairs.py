"""Which predictions and ground truths may match: pairs of the same image and class, in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.metrics.quality.instances import Floats, GroundTruth, Ints, Predictions

_PAIRS_AT_ONCE = 1 << 15  # the arrays of one block stay in the caches of a processor
_WIDEST = 1 << 20


class Similarity(Protocol):
    """How alike predictions and ground truths are, from 0 to 1.

    If it has an attribute `shape`, this is how many of both it knows; `is_crowd`, which truths are
    crowds to it. These are held against what is matched.
    """

    def __call__(self, predicted: Ints, true: Ints) -> Floats:
        """Return how alike pairs are, as float64 of shape (pairs,).

        Args:
            predicted: Index of the prediction of each pair, among those of all images.
            true: Index of its ground truth.
        """
        ...


class Groups:
    """Instances sorted by image and class; predictions of one group by falling score.

    Positions are places in that order. Equal scores keep their order, so the result is that of a
    stable sort, as COCO's.

    Attributes:
        predictions: Index of the prediction at each position.
        truths: Index of the ground truth at each position.
        first: For the prediction at each position, the position of the first truth of its group.
        amounts: The number of truths in its group; 0 if the prediction is beyond the limit.
        is_beyond: Whether more predictions of its group come before than are allowed.
    """

    __slots__ = ("amounts", "first", "is_beyond", "predictions", "truths")

    def __init__(
        self,
        predictions: Predictions,
        ground_truth: GroundTruth,
        by_class: bool,
        max_detections: int | None,
    ) -> None:
        keys, true_keys = _keys(predictions, ground_truth, by_class)
        self.predictions: Ints = np.lexsort((-predictions.scores, keys))
        self.truths: Ints = np.argsort(true_keys, kind="stable")
        keys, true_keys = keys[self.predictions], true_keys[self.truths]
        self.first: Ints = np.searchsorted(true_keys, keys, "left")
        self.amounts: Ints = np.searchsorted(true_keys, keys, "right") - self.first
        starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
        rank = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
        self.is_beyond = rank >= (len(keys) if max_detections is None else max_detections)
        self.amounts[self.is_beyond] = 0

    def pairs(
        self, similarity: Similarity, least: float, at_once: int
    ) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Yield the pairs that are alike, by position of the prediction, then of the truth.

        Groups are whole in what is yielded.

        Args:
            similarity: How alike two are.
            least: What is less alike is left out.
            at_once: Roughly how many pairs to yield at once.
        """
        kept: list[tuple[Ints, Ints, Floats]] = []
        count, group = 0, -1
        for start, stop in self._blocks():
            if count >= at_once and self.first[start] != group:
                yield _joined(kept)
                kept, count = [], 0
            predicted, true = self._block(start, stop)
            values = similarity(self.predictions[predicted], self.truths[true])
            near = np.flatnonzero(values >= least)
            kept.append((predicted[near], true[near], values[near]))
            count, group = count + len(near), self.first[stop - 1]
        if kept:
            yield _joined(kept)

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Yield start and end of positions of predictions that together have enough pairs."""
        ends = np.cumsum(self.amounts)
        start, done = int(np.searchsorted(ends, 0, "right")), 0
        while start < len(ends):
            stop = max(int(np.searchsorted(ends, done + _PAIRS_AT_ONCE, "right")), start + 1)
            yield start, stop
            done = int(ends[stop - 1])
            start = int(np.searchsorted(ends, done, "right"))

    def _block(self, start: int, stop: int) -> tuple[Ints, Ints]:
        amounts = self.amounts[start:stop]
        predicted = np.repeat(np.arange(start, stop), amounts)
        before = np.cumsum(amounts) - amounts
        true = np.arange(len(predicted)) + np.repeat(self.first[start:stop] - before, amounts)
        return predicted, true


def images_of(offsets: Ints) -> Ints:
    """Return the image of each instance."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _keys(predictions: Predictions, ground_truth: GroundTruth, by_class: bool) -> tuple[Ints, Ints]:
    """Return a number for each instance that is the same in one group, ascending by image."""
    images, true_images = images_of(predictions.offsets), images_of(ground_truth.offsets)
    if not by_class:
        return images, true_images
    labels = np.concatenate([predictions.labels, ground_truth.labels])
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, 0)
    if high - low > _WIDEST:
        labels, low = np.unique(labels, return_inverse=True)[1], 0
        high = len(labels)
    span, labels = high - low + 1, labels - low
    count = len(images)
    return images * span + labels[:count], true_images * span + labels[count:]


def _joined(parts: list[tuple[Ints, Ints, Floats]]) -> tuple[Ints, Ints, Floats]:
    predicted, true, values = zip(*parts, strict=True)
    return np.concatenate(predicted), np.concatenate(true), np.concatenate(values)
