"""How well one label map matches another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from tlc.errors import MetricsError
from tlc.metrics._tensors import is_tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SemanticSegmentationMetrics", "semantic_segmentation_metrics"]


class SemanticSegmentationMetrics(TypedDict):
    """What `semantic_segmentation_metrics` returns.

    Attributes:
        mean_iou: Mean of `per_class_iou` without its NaN; NaN if nothing is left.
        per_class_iou: Intersection over union of each of `class_ids`, 0 to 1; NaN for a class that
            occurs in neither map.
        class_ids: The classes that are scored.
        confusion_matrix: Numbers of pixels by true class (row) and predicted class (column), both
            in the order of `class_ids`.
    """

    mean_iou: float
    per_class_iou: list[float]
    class_ids: list[int]
    confusion_matrix: list[list[int]]


def semantic_segmentation_metrics(
    pred_map: Any,
    gt_map: Any,
    classes: Mapping[int, Any],
    background: int | None = None,
    void: int | None = None,
    include_background: bool = False,
) -> SemanticSegmentationMetrics:
    """Compare a predicted label map with the true one.

    Scored are the ids in `classes`, in their order and whether or not they occur, without `void`
    and, unless it is included, without `background`. A pixel counts if its true id is in `classes`
    or is the background; void pixels and those with any other true id do not. The IoU of a class is
    TP / (TP + FP + FN) over the pixels that count (Everingham et al., "The PASCAL Visual Object
    Classes Challenge", 2010), so a class predicted on background, or background predicted on a
    class, lowers it although the confusion matrix shows only pixels whose true and predicted ids
    are both scored.

    Args:
        pred_map: Predicted ids, of shape (H, W): an array, a tensor or an image.
        gt_map: True ids, of the same shape.
        classes: Id to name or `MapElement`.
        background: Id of what belongs to no class; None if every id is a class.
        void: Id of pixels that must not count.
        include_background: Score the background like a class.

    Raises:
        MetricsError: The maps are not two-dimensional or differ in shape.
    """
    predicted, true = _label_map(pred_map, "predicted"), _label_map(gt_map, "true")
    if predicted.shape != true.shape:
        raise MetricsError(
            f"The predicted map has shape {predicted.shape}, the true map {true.shape}.",
            hint="resize the prediction to the size of the labels.",
        )
    class_ids = _scored_ids(classes, background, void, include_background)
    known = class_ids if background is None or background in class_ids else [*class_ids, background]
    counts = _count_pairs(true, predicted, known)
    ious = _ious(counts)[: len(class_ids)]
    return SemanticSegmentationMetrics(
        mean_iou=float(np.nanmean(ious)) if not np.isnan(ious).all() else float("nan"),
        per_class_iou=ious.tolist(),
        class_ids=class_ids,
        confusion_matrix=counts[: len(class_ids), : len(class_ids)].tolist(),
    )


def _label_map(value: Any, which: str) -> np.ndarray[Any, Any]:
    array = value.detach().cpu().numpy() if is_tensor(value) else np.asarray(value)
    if array.ndim != 2:
        raise MetricsError(f"The {which} map has shape {array.shape}, expected (height, width).")
    return array.astype(np.int64, copy=False)


def _scored_ids(
    classes: Mapping[int, Any], background: int | None, void: int | None, include_background: bool
) -> list[int]:
    ids = [int(i) for i in classes if i != void and (i != background or include_background)]
    if include_background and background is not None and background not in ids:
        ids.insert(0, background)
    return ids


def _count_pairs(
    true: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any], ids: list[int]
) -> np.ndarray[Any, Any]:
    """Return numbers of pixels: true ids in rows, predicted ones, then any other, in columns."""
    size = len(ids) + 1
    pairs = _positions(true.ravel(), ids) * size + _positions(predicted.ravel(), ids)
    return np.bincount(pairs, minlength=size * size).reshape(size, size)[:-1]


def _positions(values: np.ndarray[Any, Any], ids: list[int]) -> np.ndarray[Any, Any]:
    """Return where in `ids` each value is, or `len(ids)`."""
    order = np.argsort(ids, kind="stable")
    ordered = np.append(np.asarray(ids, dtype=np.int64)[order], np.iinfo(np.int64).max)
    places = np.searchsorted(ordered[:-1], values)
    return np.where(ordered[places] == values, np.append(order, len(ids))[places], len(ids))


def _ious(counts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    hits = np.diagonal(counts).astype(np.float64)
    unions = counts.sum(axis=1) + counts.sum(axis=0)[:-1] - hits
    ious: np.ndarray[Any, Any] = np.full(len(hits), np.nan)
    np.divide(hits, unions, out=ious, where=unions > 0)
    return ious
