"""Annotations as the instances of Detectron2's records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc._optional import require
from tlc.data_types import (
    Annotation,
    BoundingBoxes2D,
    Keypoints2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.helpers import AnnotationType
from tlc.integration.detectron2._package import detectron2

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KEYPOINT_SHIFT", "cell_types", "coco_masks", "shapes_of"]

KEYPOINT_SHIFT = 0.5
"""What Detectron2 adds to the whole numbers that COCO has for points, and takes off predictions."""

_LEAST = 6
"""Numbers of a polygon with three corners."""

_box_mode: Any = detectron2("structures").BoxMode


def cell_types(mask_format: str) -> dict[AnnotationType, type[Annotation]]:
    """Return what `shapes_of` takes for each kind of annotations that Detectron2 trains on.

    Args:
        mask_format: ``"polygon"`` or ``"bitmask"``.
    """
    is_polygon = mask_format == "polygon"
    return {
        AnnotationType.SEGMENTATION: SegmentationPolygons if is_polygon else SegmentationMasks,
        AnnotationType.KEYPOINTS: Keypoints2D,
        AnnotationType.BOUNDING_BOXES: BoundingBoxes2D,
    }


def shapes_of(cell: Any) -> Iterator[dict[str, Any] | None]:
    """Yield the box of each instance, in absolute pixels, and its mask or its points.

    Args:
        cell: The annotations of an image, of one of `cell_types`.

    Yields:
        ``bbox`` and ``bbox_mode``, and ``segmentation`` or ``keypoints``; None for an instance
        without a polygon of three corners.
    """
    if isinstance(cell, BoundingBoxes2D):
        yield from map(_boxed, cell.bounding_boxes.tolist())
    elif isinstance(cell, Keypoints2D):
        yield from _posed(cell)
    elif isinstance(cell, SegmentationMasks):
        rles = cell.rles
        boxes = coco_masks().toBbox(rles).tolist() if rles else []
        for rle, (x, y, width, height) in zip(rles, boxes, strict=True):
            yield {**_boxed([x, y, x + width, y + height]), "segmentation": rle}
    else:
        yield from map(_outlined, cell.parts_of_instances)


def coco_masks() -> Any:
    """Return ``pycocotools.mask``, which Detectron2 needs itself."""
    return require("pycocotools.mask", extra="detectron2", purpose="to encode masks")


def _boxed(box: list[float]) -> dict[str, Any]:
    return {"bbox": box, "bbox_mode": _box_mode.XYXY_ABS}


def _outlined(parts: list[list[float]]) -> dict[str, Any] | None:
    kept = [part for part in parts if len(part) >= _LEAST]
    if not kept:
        return None
    x, y = (np.concatenate([np.asarray(part[axis::2]) for part in kept]) for axis in (0, 1))
    box = [float(x.min()), float(y.min()), float(x.max()), float(y.max())]
    return {**_boxed(box), "segmentation": kept}


def _posed(cell: Keypoints2D) -> Iterator[dict[str, Any]]:
    points = np.asarray(cell.keypoints, np.float64) + KEYPOINT_SHIFT
    seen = cell.keypoint_visibilities
    states = np.full(points.shape[:2], 2) if seen is None else np.asarray(seen)
    joined = np.concatenate([points, states[:, :, None]], axis=2)
    boxes = cell.bounding_boxes
    for number, pose in enumerate(joined):
        box = None if boxes is None else boxes[number]
        if box is None or np.isnan(box).any():
            box = _around(pose)
        yield {**_boxed(np.asarray(box).tolist()), "keypoints": pose.reshape(-1).tolist()}


def _around(pose: Any) -> Any:
    """Return the box around the points that are labelled, else around all."""
    labelled = pose[pose[:, 2] > 0, :2]
    points = labelled if len(labelled) else pose[:, :2]
    return np.concatenate([points.min(axis=0), points.max(axis=0)])
