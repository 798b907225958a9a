"""Cells of annotations as what is matched: predictions, ground truth, and how alike they are.

Predictions decide what is compared: boxes are held against the boxes of whatever is true, masks
against masks, poses against poses, and turned boxes against turned boxes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tlc import constants
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
    rle,
)
from tlc.data_types.coco_person import OKS_SIGMAS
from tlc.errors import MetricsError
from tlc.metrics.quality.boxes import BoxIou
from tlc.metrics.quality.instances import Bools, Floats, GroundTruth, Ints, Predictions
from tlc.metrics.quality.keypoints import KeypointSimilarity
from tlc.metrics.quality.masks import MaskIou
from tlc.metrics.quality.matching import match
from tlc.metrics.quality.oriented import OrientedBoxIou

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.metrics.quality._pairs import Similarity
    from tlc.metrics.quality.matches import Matches

__all__ = ["Instances", "match_cells"]

Instances: TypeAlias = (
    BoundingBoxes2D
    | Keypoints2D
    | OrientedBoundingBoxes2D
    | SegmentationMasks
    | SegmentationPolygons
)
"""A cell with instances that can be matched: those of one image."""

_AREA = "area"
_SEGMENTATION = (SegmentationMasks, SegmentationPolygons)


def match_cells(
    predicted: Sequence[Instances],
    true: Sequence[Instances | None],
    thresholds: Any = 0.5,
    *,
    by_class: bool = True,
    sigmas: Sequence[float] | None = None,
    max_detections: int | None = None,
) -> Matches:
    """Match the predicted instances of images with the true ones. See `match`.

    True instances whose extra ``iscrowd`` is set are crowds. True poses without a labelled point
    are ignored; their area is the extra ``area``, or that of their box.

    Args:
        predicted: The predictions of each image, all of one kind, with confidences.
        true: The ground truth of each image, of any kind that has what is compared; None for none.
        thresholds: The least similarity of a match, or several of shape (T,).
        by_class: Whether only instances of the same class match.
        sigmas: Of poses: how far apart two people place each point, see `KeypointSimilarity`. None
            for COCO's if there are 17 points, else ``1 / K``, as trainers have it.
        max_detections: How many predictions of an image and class take part.

    Raises:
        MetricsError: Numbers of images differ, kinds do not fit, or predictions lack confidences.
    """
    if len(predicted) != len(true):
        raise MetricsError(
            f"There are predictions of {len(predicted)} images, and ground truth of {len(true)}."
        )
    there = [each for each in true if each is not None]
    crowd = _flags(there, constants.IS_CROWD)
    similarity = _similarity(predicted, there, crowd, sigmas)
    offsets = _offsets([0 if each is None else _count(each) for each in true])
    ground_truth = GroundTruth(
        _labels(there), offsets, is_crowd=crowd, is_ignored=_without_points(predicted, there)
    )
    return match(
        _predictions(predicted),
        ground_truth,
        similarity,
        thresholds,
        by_class=by_class,
        max_detections=max_detections,
    )


def _predictions(cells: Sequence[Instances]) -> Predictions:
    for cell in cells:
        if cell.confidences is None and _count(cell):
            raise MetricsError(
                f"Predictions have no confidences: {cell!r}.",
                hint="give confidences: they decide which prediction comes first.",
            )
    scores = _joined([cell.confidences for cell in cells if _count(cell)], (0,))
    return Predictions(scores, _labels(cells), _offsets(list(map(_count, cells))))


def _similarity(
    predicted: Sequence[Instances],
    true: Sequence[Instances],
    crowd: Bools,
    sigmas: Sequence[float] | None,
) -> Similarity:
    kinds = {type(cell) for cell in predicted}
    if kinds <= set(_SEGMENTATION):
        return MaskIou(_masks(predicted), _masks(true), crowd)
    if kinds == {OrientedBoundingBoxes2D}:
        return OrientedBoxIou(_turned_boxes(predicted), _turned_boxes(true), crowd)
    if kinds == {Keypoints2D}:
        return _pose_similarity(predicted, true, sigmas)
    if kinds == {BoundingBoxes2D}:
        return BoxIou(_of_all(predicted, _boxes, (0, 4)), _of_all(true, _boxes, (0, 4)), crowd)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise MetricsError(
        f"Predictions of {names} cannot be matched.",
        hint="give BoundingBoxes2D, OrientedBoundingBoxes2D, Keypoints2D, SegmentationMasks or "
        "SegmentationPolygons, one kind for all images.",
    )


def _pose_similarity(
    predicted: Sequence[Any], true: Sequence[Any], sigmas: Sequence[float] | None
) -> KeypointSimilarity:
    if sigmas is None:
        sigmas = _usual_sigmas([cell for cell in (*predicted, *true) if _count(cell)])
    count = len(sigmas)
    boxes = _of_all(true, _boxes, (0, 4))
    areas = [cell.per_instance_extras.get(_AREA) for cell in true]
    own = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    if true and all(area is not None for area in areas):
        own = _joined(areas, (0,))
    points = _of_all(predicted, lambda cell: cell.keypoints, (0, count, 2))
    return KeypointSimilarity(points, _of_all(true, _points, (0, count, 3)), own, sigmas, boxes)


def _usual_sigmas(poses: Sequence[Any]) -> Sequence[float]:
    count = max((cell.keypoints.shape[1] for cell in poses), default=1)
    return OKS_SIGMAS if count == len(OKS_SIGMAS) else [1 / count] * count


def _points(cell: Any) -> Floats:
    """Return x, y and visibility; all points are visible where nothing is said of that."""
    seen = cell.keypoint_visibilities
    seen = np.full(cell.keypoints.shape[:2], 2) if seen is None else np.asarray(seen)
    return np.concatenate([cell.keypoints, seen[:, :, None]], axis=2, dtype=np.float64)


def _without_points(predicted: Sequence[Instances], true: Sequence[Any]) -> Bools | None:
    """Return which true poses have no labelled point, if poses are compared."""
    if not any(isinstance(cell, Keypoints2D) for cell in predicted):
        return None
    found = [~(_points(cell)[:, :, 2] > 0).any(axis=1) for cell in true if _count(cell)]
    return np.asarray(_joined(found, (0,)), bool)


def _masks(cells: Sequence[Any]) -> list[bytes]:
    if wrong := next((cell for cell in cells if not isinstance(cell, _SEGMENTATION)), None):
        raise MetricsError(f"Masks cannot be held against {type(wrong).__name__}.")
    return [each["counts"] for cell in cells for each in cell.rles]


def _turned_boxes(cells: Sequence[Any]) -> Floats:
    if wrong := next((c for c in cells if not isinstance(c, OrientedBoundingBoxes2D)), None):
        raise MetricsError(f"Turned boxes cannot be held against {type(wrong).__name__}.")
    return _of_all(cells, lambda cell: cell.obbs, (0, 5))


def _boxes(cell: Any) -> Floats:
    """Return upright boxes as x1, y1, x2, y2: those that there are, else those around instances."""
    if isinstance(cell, _SEGMENTATION):
        height = cell.image_height
        found = [rle.bounding_box(each["counts"], height) for each in cell.rles]
        sized = np.asarray(found, np.float64).reshape(-1, 4)
        return np.concatenate([sized[:, :2], sized[:, :2] + sized[:, 2:]], axis=1)
    if getattr(cell, "bounding_boxes", None) is not None:
        return np.asarray(cell.bounding_boxes, np.float64)
    if isinstance(cell, OrientedBoundingBoxes2D):
        corners = np.asarray(cell.corners, np.float64)
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    if not isinstance(cell, Keypoints2D):
        raise MetricsError(f"Boxes cannot be held against {type(cell).__name__}.")
    points = _points(cell)
    shown = np.where(points[:, :, 2:] > 0, points[:, :, :2], np.nan)
    nowhere = np.isnan(shown).all(axis=(1, 2))
    shown[nowhere] = 0
    return np.concatenate([np.nanmin(shown, axis=1), np.nanmax(shown, axis=1)], axis=1)


def _count(cell: Any) -> int:
    return int(cell.num_instances)


def _offsets(counts: list[int]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _labels(cells: Sequence[Instances]) -> Ints:
    labels = [
        np.zeros(_count(cell), np.int64) if cell.labels is None else np.asarray(cell.labels)
        for cell in cells
    ]
    return np.asarray(_joined(labels, (0,)), np.int64)


def _flags(cells: Sequence[Instances], name: str) -> Bools:
    flags = [cell.per_instance_extras.get(name, np.zeros(_count(cell))) for cell in cells]
    return np.asarray(_joined([np.ma.filled(each, 0) for each in flags], (0,)), bool)


def _of_all(cells: Sequence[Any], part: Callable[[Any], Any], shape: tuple[int, ...]) -> Floats:
    return _joined([part(cell) for cell in cells if _count(cell)], shape)


def _joined(parts: Sequence[Any], shape: tuple[int, ...]) -> Any:
    """Return arrays one after the other; of none an empty one of a shape."""
    return np.concatenate(parts) if parts else np.zeros(shape)
