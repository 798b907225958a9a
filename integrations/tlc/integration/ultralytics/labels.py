"""Labels as data sets of `ultralytics` hold them, from the cells of a table."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tlc._wording import some
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationPolygons,
)
from tlc.errors import CellError, TlcWarning
from tlc.helpers import AnnotationType
from tlc.sample_types.image_sizes import shown_size
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.helpers import AnnotationColumn
    from tlc.integration.ultralytics.split import Split
    from tlc.table import Table

Floats: TypeAlias = np.ndarray[Any, Any]
_PIECE = 1024
_NAMED = 20


def image_classes(table: Table, column: str, indices: Mapping[int, int]) -> list[int]:
    """Return the index of the class of each row.

    Args:
        table: The table.
        column: Its column of class ids.
        indices: Class id to index.

    Raises:
        CellError: A row has no class, or one that there is not.
    """
    found = table.get_column_as_pyarrow_array(column).to_pylist()
    return [_index(indices, each, row, column) for row, each in enumerate(found)]


def instance_labels(
    split: Split, column: AnnotationColumn, indices: Mapping[int, int]
) -> list[dict[str, Any]]:
    """Return the labels of each row.

    Each has ``im_file``, ``shape`` (height, width), ``cls`` of shape (N, 1), ``bboxes`` of shape
    (N, 4) as centre, width and height, ``segments`` of shape (points, 2) each, ``keypoints`` of
    shape (N, K, 3) with visibilities, all float32 and as fractions of the image, and
    ``example_id``.

    Args:
        split: The table, and its images.
        column: Its column of annotations.
        indices: Class id to index.

    Raises:
        CellError: An instance has no class, or one that there is not.
    """
    made: list[dict[str, Any]] = []
    empty = 0
    for start in range(0, len(split), _PIECE):
        rows = range(start, min(start + _PIECE, len(split)))
        for row, cell in zip(rows, _cells(split.table, column, rows), strict=True):
            label, left_out = _label(split, cell, row, indices)
            empty += left_out
            made.append(label)
    if empty:
        warnings.warn(
            f"{empty} instances of {split.table.url} have no outline, and are not trained on.",
            TlcWarning,
            stacklevel=2,
        )
    return made


def _cells(table: Table, column: AnnotationColumn, rows: range) -> list[Any]:
    if column.type is AnnotationType.SEGMENTATION:
        # Whatever the column shows: a data set has the outlines.
        parts = [table.table_rows[row][column.name] for row in rows]
        return [None if each is None else SegmentationPolygons.from_row(each) for each in parts]
    if column.type is AnnotationType.LEGACY_BOUNDING_BOXES:
        schema = table.rows_schema.values[column.name]
        parts = [table.table_rows[row][column.name] for row in rows]
        return [
            None if each is None else BoundingBoxes2D.from_legacy_row(each, schema)
            for each in parts
        ]
    return list(table.get_batch(rows, [column.name])[column.name])


def _label(
    split: Split, cell: Any, row: int, indices: Mapping[int, int]
) -> tuple[dict[str, Any], int]:
    """Return the labels of a row, and how many instances have no outline."""
    image = split.images[row]
    width, height = getattr(cell, "image_width", None), getattr(cell, "image_height", None)
    if not width or not height:
        width, height = shown_size(Url(image))
    size = np.array([width, height], np.float32)
    empty = 0
    if cell is None:
        parts = _no_parts(split)
    elif isinstance(cell, SegmentationPolygons):
        parts, is_kept = _of_polygons(cell, size)
        empty = int((~is_kept).sum())
        parts["labels"] = None if cell.labels is None else np.asarray(cell.labels)[is_kept]
    else:
        parts = {**_MAKERS[type(cell)](cell, size), "labels": cell.labels}
    ids = parts.pop("labels")
    count = len(parts["bboxes"])
    ids = [None] * count if ids is None else np.asarray(ids).tolist()
    classes = [_index(indices, each, row, split.label_column) for each in ids]
    return {
        "im_file": image,
        "shape": (int(height), int(width)),
        "cls": np.array(classes, np.float32).reshape(-1, 1),
        "segments": [],
        "keypoints": None,
        **parts,
        "normalized": True,
        "bbox_format": "xywh",
        "example_id": row,
    }, empty


def _index(indices: Mapping[int, int], number: Any, row: int, column: str) -> int:
    if number is None and len(indices) == 1:
        return 0
    if number is None or number not in indices:
        raise CellError(
            f"Column {column!r}, row {row}: the class {number!r} is none of "
            f"{some(sorted(indices), _NAMED)}.",
            column=column,
            row=row,
        )
    return indices[number]


def _no_parts(split: Split) -> dict[str, Any]:
    parts: dict[str, Any] = {"bboxes": np.zeros((0, 4), np.float32), "labels": ()}
    if split.task == "pose":
        parts["keypoints"] = np.zeros((0, split.skeleton["kpt_shape"][0], 3), np.float32)
    return parts


def _of_boxes(cell: BoundingBoxes2D, size: Floats) -> dict[str, Any]:
    return {"bboxes": _centred(cell.bounding_boxes, size)}


def _of_polygons(cell: SegmentationPolygons, size: Floats) -> tuple[dict[str, Any], Any]:
    outlines = [np.array(each, np.float32).reshape(-1, 2) for each in cell.polygons]
    is_kept = np.array([len(each) >= 3 for each in outlines], bool)
    segments = [np.clip(each / size, 0, 1) for each in outlines if len(each) >= 3]
    return {"segments": segments, "bboxes": _around(segments)}, is_kept


def _of_turned_boxes(cell: OrientedBoundingBoxes2D, size: Floats) -> dict[str, Any]:
    segments = list(cell.corners / size)
    return {"segments": segments, "bboxes": _around(segments)}


def _of_poses(cell: Keypoints2D, size: Floats) -> dict[str, Any]:
    points = np.asarray(cell.keypoints, np.float32) / size
    states = cell.keypoint_visibilities
    seen = np.full(points.shape[:2], 2, np.float32) if states is None else np.asarray(states)
    boxes = cell.bounding_boxes
    boxes = np.full((len(points), 4), np.nan, np.float32) if boxes is None else boxes.copy()
    for number in np.flatnonzero(np.isnan(boxes).any(1)):
        own = cell.keypoints[number][seen[number] > 0]
        boxes[number] = [*own.min(0), *own.max(0)] if len(own) else 0
    keypoints = np.concatenate([points, seen[..., None]], -1).astype(np.float32)
    return {"bboxes": _centred(boxes, size), "keypoints": keypoints}


_MAKERS: dict[type, Any] = {
    BoundingBoxes2D: _of_boxes,
    Keypoints2D: _of_poses,
    OrientedBoundingBoxes2D: _of_turned_boxes,
}


def _centred(boxes: Any, size: Floats) -> Floats:
    """Return boxes in pixels as centre, width and height, as fractions, cut at the border."""
    corners = np.clip(np.asarray(boxes, np.float32).reshape(-1, 2, 2) / size, 0, 1)
    low, high = corners[:, 0], corners[:, 1]
    return np.concatenate([(low + high) / 2, high - low], 1)


def _around(segments: list[Floats]) -> Floats:
    """Return the box around each outline, as centre, width and height."""
    if not segments:
        return np.zeros((0, 4), np.float32)
    low = np.array([each.min(0) for each in segments])
    high = np.array([each.max(0) for each in segments])
    return np.concatenate([(low + high) / 2, high - low], 1).astype(np.float32)
