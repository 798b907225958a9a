"""Matching predictions with ground truth as COCO does it, for very many images at once.

COCO takes the predictions of one image and class by falling score; each gets the most similar truth
that is left. Here all of them ask at once: each asks for the best that it wants, each truth keeps
the one that comes first and turns the others away, who ask for their next best, until nobody is
turned away (Gale and Shapley, "College Admissions and the Stability of Marriage", 1962). As all
truths rank the predictions alike, by score, the outcome is the one of taking turns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import MetricsError
from tlc.metrics.quality._pairs import Groups
from tlc.metrics.quality.instances import numbers
from tlc.metrics.quality.matches import Matches

if TYPE_CHECKING:
    from tlc.metrics.quality._pairs import Similarity
    from tlc.metrics.quality.instances import Bools, Floats, GroundTruth, Ints, Predictions

__all__ = ["COCO_THRESHOLDS", "match"]

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
"""The ten similarities over which COCO's AP is a mean: 0.5, 0.55, ... 0.95."""

_HIGHEST = 1 - 1e-10  # a threshold of 1 lets through what is 1 but for rounding, as COCO's
_SIMILAR_AT_ONCE = 1 << 18


def match(
    predictions: Predictions,
    ground_truth: GroundTruth,
    similarity: Similarity,
    thresholds: Any = 0.5,
    *,
    by_class: bool = True,
    max_detections: int | None = None,
    area_range: tuple[float, float] | None = None,
) -> Matches:
    """Match predictions with ground truth, as `pycocotools.cocoeval.COCOeval` does.

    In each image, and for each class, predictions take their turns by falling score, equal ones in
    the order given. Each takes the most similar truth of those that nobody has taken and that are
    at least as similar as the threshold; of equally similar ones the last. Only if there is none,
    it takes an ignored one in the same way, and is ignored itself; a crowd can be taken by many.

    Args:
        predictions: The predicted instances of all images.
        ground_truth: The true ones of the same images.
        similarity: How alike a prediction and a truth are, such as `BoxIou`.
        thresholds: The least similarity of a match, more than 0; or several, of shape (T,), each of
            which gives a matching of its own.
        by_class: Whether only instances of the same class match.
        max_detections: How many predictions of an image take part, for each class if `by_class`:
            those of the highest scores. The others are ignored. None for all.
        area_range: Smallest and largest area in square pixels: truths outside are ignored, and so
            are predictions outside that match nothing.

    Raises:
        MetricsError: The numbers of images differ, a threshold is not more than 0, areas are
            missing, or the similarity is one of other instances.
    """
    levels = numbers(np.atleast_1d(thresholds), (-1,), "thresholds")
    _check(predictions, ground_truth, levels, area_range)
    _check_similarity(predictions, ground_truth, similarity)
    is_ignored = ground_truth.is_ignored | _outside(ground_truth.areas, area_range)
    groups = Groups(predictions, ground_truth, by_class, max_detections)
    matches = Matches(predictions, ground_truth, levels, is_ignored)
    least = min(float(levels.min(initial=1.0)), _HIGHEST)
    crowd, ignored = ground_truth.is_crowd[groups.truths], is_ignored[groups.truths]
    for predicted, true, values in groups.pairs(similarity, least, _SIMILAR_AT_ONCE):
        order = _preferences(predicted, true, values, ignored)
        predicted, true, values = predicted[order], true[order], values[order]
        for level, threshold in enumerate(levels.tolist()):
            near = np.flatnonzero(values >= min(threshold, _HIGHEST))
            taken = near[_taken(predicted[near], true[near], crowd)]
            pairs = groups.predictions[predicted[taken]], groups.truths[true[taken]]
            matches.add(level, *pairs, values[taken])
    unmatched = matches.truth_of_prediction < 0
    matches.is_ignored |= unmatched & _outside(predictions.areas, area_range)
    matches.is_ignored[:, groups.predictions[groups.is_beyond]] = True
    return matches


def _check(
    predictions: Predictions, ground_truth: GroundTruth, levels: Floats, area_range: Any
) -> None:
    images = [len(each.offsets) - 1 for each in (predictions, ground_truth)]
    if images[0] != images[1]:
        raise MetricsError(
            f"There are predictions of {images[0]} images, and ground truth of {images[1]}.",
            hint="An image without any has the same offset twice.",
        )
    if not (levels > 0).all():
        raise MetricsError(f"Thresholds must be more than 0: {levels.tolist()}.")
    if area_range and (predictions.areas is None or ground_truth.areas is None):
        raise MetricsError(
            "A range of areas needs the areas of instances.",
            hint="Give areas to Predictions and to GroundTruth.",
        )


def _check_similarity(
    predictions: Predictions, ground_truth: GroundTruth, similarity: Similarity
) -> None:
    count = len(predictions), len(ground_truth)
    known = getattr(similarity, "shape", count)
    if known != count:
        raise MetricsError(
            f"The similarity is of {known[0]} predictions and {known[1]} truths, where there are "
            f"{count[0]} and {count[1]}."
        )
    crowd = ground_truth.is_crowd
    if not np.array_equal(getattr(similarity, "is_crowd", crowd), crowd):
        raise MetricsError(
            "The crowds of the similarity are not those of the ground truth.",
            hint="Give is_crowd to both.",
        )


def _outside(areas: Floats | None, area_range: tuple[float, float] | None) -> Bools:
    if areas is None or area_range is None:
        return np.zeros(1, bool)
    return (areas < area_range[0]) | (areas > area_range[1])


def _preferences(predicted: Ints, true: Ints, values: Floats, ignored: Bools) -> Ints:
    """Return an order of pairs in which each prediction has its best truths first."""
    order: Ints = np.arange(len(predicted))
    same = predicted[1:] == predicted[:-1]
    has_choice = np.zeros(len(predicted), bool)
    has_choice[1:] = same
    has_choice[:-1] |= same
    some = np.flatnonzero(has_choice)
    keys = -true[some], -values[some], ignored[true[some]], predicted[some]
    order[some] = some[np.lexsort(keys)]
    return order


def _taken(predicted: Ints, true: Ints, crowd: Bools) -> Ints:
    """Return the pairs that match, ascending.

    Args:
        predicted: Position of the prediction of each pair, ascending; earlier ones come first.
        true: Position of its truth; earlier ones of the same prediction are wanted more.
        crowd: Whether the truth at each position can be taken many times.
    """
    if not len(predicted):
        return predicted
    starts = np.flatnonzero(np.diff(predicted, prepend=-1))
    ends = np.append(starts[1:], len(predicted))
    low = int(true.min())
    takers: Ints = np.full(int(true.max()) - low + 1, len(starts))
    asked = starts.copy()
    active: Ints = np.arange(len(starts))
    while len(active):
        wanted = true[asked[active]]
        single = ~crowd[wanted]
        active, wanted = active[single], wanted[single] - low
        active = _turned_away(active, wanted, takers, len(starts))
        asked[active] += 1
        active = active[asked[active] < ends[active]]
    return asked[asked < ends]


def _turned_away(active: Ints, wanted: Ints, takers: Ints, nobody: int) -> Ints:
    """Let each truth keep the first that asks; return who has none now, ascending.

    Args:
        active: Who asks, ascending.
        wanted: What each asks for.
        takers: Who has each truth so far; changed.
        nobody: What stands there if nobody does.
    """
    earlier = active < takers[wanted]
    comers, places = active[earlier], wanted[earlier]
    before = takers[places]
    takers[places[::-1]] = comers[::-1]  # of several the last one written stays: the first comer
    displaced = before[takers[places] == comers]
    refused = active[takers[wanted] != active]
    return np.sort(np.concatenate([refused, displaced[displaced < nobody]]))
