"""Intersection over union of masks, from their run lengths: no mask is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types.rle import counts_of
from tlc.errors import MetricsError, SchemaError
from tlc.metrics.quality.instances import flags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.metrics.quality.instances import Floats, Ints

__all__ = ["MaskIou"]

_ENDS_AT_ONCE = 1 << 17


class MaskIou:
    """Intersection over union of masks, as `pycocotools.mask.iou` has it.

    The pixels that both cover, over those that either covers; for a crowd over those of the
    prediction. Masks that share no pixel have 0. `tlc.data_types.rasterize.rasterize` makes masks
    of polygons.

    Args:
        predicted: Predicted masks of all images: compressed COCO counts, as bytes or str, or dicts
            that have them under ``counts``. N of them.
        true: True masks in the same form, M of them.
        is_crowd: Whether each true mask is a crowd, shape (M,); None if none is.

    Attributes:
        shape: How many predictions and truths it knows, (N, M).
        is_crowd: bool of shape (M,).

    Raises:
        MetricsError: There is not one flag for each true mask; or, when pairs are compared, they
            are of different numbers of pixels.
        SchemaError: Counts are damaged.
    """

    def __init__(self, predicted: Sequence[Any], true: Sequence[Any], is_crowd: Any = None) -> None:
        self.shape = len(predicted), len(true)
        self.is_crowd = flags(is_crowd, self.shape[1], "is_crowd")
        counts, self._offsets = counts_of([_text(mask) for mask in (*predicted, *true)])
        if (counts < 0).any():
            raise SchemaError("The counts of a mask are damaged: a run is shorter than nothing.")
        lengths = np.diff(self._offsets)
        place = np.arange(len(counts)) - np.repeat(self._offsets[:-1], lengths)
        self._is_inside = (place & 1) == 1
        covered = np.where(self._is_inside, counts, 0)
        self._ends = _within(counts, self._offsets)
        self._covered = _within(covered, self._offsets)
        self._sizes = _at(self._ends, self._offsets[1:] - 1, lengths)
        self._areas = _at(self._covered, self._offsets[1:] - 1, lengths)
        # Runs outside and inside in turn: what is outside at the end bounds nothing.
        self._bounds = lengths - (lengths & 1)
        self._starts = _at(self._ends, self._offsets[:-1], lengths)
        self._stops = _at(self._ends, self._offsets[:-1] + self._bounds - 1, self._bounds)
        self._stride = int(self._sizes.max(initial=0)) + 1
        owner = np.repeat(np.arange(len(lengths)), lengths)
        self._keys = owner * self._stride + self._ends

    def __call__(self, predicted: Ints, true: Ints) -> Floats:
        """Return the IoU of pairs. See `Similarity`.

        Raises:
            MetricsError: The two masks of a pair are not of as many pixels.
        """
        masks = true + self.shape[0]
        wrong = np.flatnonzero(self._sizes[predicted] != self._sizes[masks])
        if len(wrong):
            one, other = int(predicted[wrong[0]]), int(true[wrong[0]])
            raise MetricsError(
                f"Predicted mask {one} has {self._sizes[one]} pixels and true mask {other} of the "
                f"same image has {self._sizes[masks[wrong[0]]]}.",
                hint="Give both the height and width of the image.",
            )
        ious = np.zeros(len(predicted))
        near = np.flatnonzero(self._may_overlap(predicted, masks))
        common = self._common(predicted[near], masks[near])
        areas = self._areas[predicted[near]]
        whole = areas + np.where(self.is_crowd[true[near]], 0, self._areas[masks[near]] - common)
        ious[near] = common / whole
        return ious

    def _may_overlap(self, one: Ints, other: Ints) -> Any:
        """Return whether each of two masks starts before the other ends, and neither is empty."""
        filled = self._areas > 0
        crossing = self._starts[one] < self._stops[other]
        crossing &= self._starts[other] < self._stops[one]
        return crossing & filled[one] & filled[other]

    def _common(self, one: Ints, other: Ints) -> Ints:
        """Return how many pixels pairs of masks share; none is empty."""
        swap = self._bounds[one] > self._bounds[other]  # ask for the ends of the simpler mask
        one, other = np.where(swap, other, one), np.where(swap, one, other)
        totals = np.cumsum(self._bounds[one])
        shared: Ints = np.zeros(len(one), np.int64)
        start = 0
        while start < len(one):
            done = totals[start] - self._bounds[one[start]]
            stop = max(int(np.searchsorted(totals, done + _ENDS_AT_ONCE, "right")), start + 1)
            shared[start:stop] = self._common_of(one[start:stop], other[start:stop])
            start = stop
        return shared

    def _common_of(self, one: Ints, other: Ints) -> Ints:
        """Sum over runs of the first what the second covers up to their ends, less their starts."""
        amounts = self._bounds[one]
        before = np.cumsum(amounts) - amounts
        ends = np.arange(int(amounts.sum())) + np.repeat(self._offsets[one] - before, amounts)
        others = np.repeat(other, amounts)
        at = self._ends[ends]
        run = np.searchsorted(self._keys, others * self._stride + at, "left")
        covered = self._covered[run] - np.where(self._is_inside[run], self._ends[run] - at, 0)
        signed = np.where(self._is_inside[ends], covered, -covered)
        return np.add.reduceat(signed, before) if len(before) else before


def _text(mask: Any) -> bytes:
    counts = mask["counts"] if isinstance(mask, Mapping) else mask
    return counts.encode() if isinstance(counts, str) else bytes(counts)


def _within(values: Ints, offsets: Ints) -> Ints:
    """Return running sums that start anew with each mask."""
    sums = np.concatenate([[0], np.cumsum(values)])
    return sums[1:] - np.repeat(sums[offsets[:-1]], np.diff(offsets))


def _at(values: Ints, places: Ints, lengths: Ints) -> Ints:
    """Return the number at a place of each mask; 0 if it has none."""
    found: Ints = np.zeros(len(places), np.int64)
    found[lengths > 0] = values[places[lengths > 0]]
    return found
