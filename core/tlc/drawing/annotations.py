"""What to draw for a cell of each kind of annotation, in row form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types.rle import decode_masks
from tlc.drawing.palette import color_of, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tlc.drawing.canvas import Canvas
    from tlc.drawing.palette import Color
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import ValueMap

    Cell = Mapping[str, Any]

INSTANCES = "instances_additional_data"
PROPERTIES = "instance_properties"


def size_of(cell: Any) -> tuple[float, float] | None:
    """Return width and height of the image that a cell is about, as far as it says so."""
    if not isinstance(cell, dict):
        return None
    width, height = cell.get("image_width"), cell.get("image_height")
    width, height = width or cell.get("x_max"), height or cell.get("y_max")
    return (float(width), float(height)) if width and height else None


def drawer_of(schema: Schema) -> Callable[[Canvas, Cell, Schema], None] | None:
    """Return what draws the cells of a column; None if they are nothing to be drawn."""
    return _DRAWERS.get(schema.sample_type)


def _boxes(canvas: Canvas, cell: Cell, schema: Schema) -> None:
    for (x0, y0, x1, y1), text, color in _instances(cell, schema, "instances", INSTANCES):
        canvas.ring([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color)
        canvas.name(text, (x0, y0), color)


def _oriented_boxes(canvas: Canvas, cell: Cell, schema: Schema) -> None:
    for (cx, cy, width, height, angle), text, color in _instances(
        cell, schema, "instances", INSTANCES
    ):
        along = np.array([math.cos(angle), math.sin(angle)]) * width / 2
        across = np.array([-math.sin(angle), math.cos(angle)]) * height / 2
        corners = [
            (cx, cy) + a * along + b * across for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        canvas.ring(np.array(corners), color)
        canvas.name(text, min(corners, key=lambda corner: corner[1]).tolist(), color)


def _keypoints(canvas: Canvas, cell: Cell, schema: Schema) -> None:
    more = cell.get(INSTANCES) or {}
    boxes, visible = more.get("bounding_box") or [], more.get("keypoint_visibility") or []
    lines = np.reshape(schema.metadata.get("lines") or [], (-1, 2)).tolist()
    for number, (points, text, color) in enumerate(
        _instances(cell, schema, "instances", INSTANCES)
    ):
        seen = visible[number] if number < len(visible) else [2] * len(points)
        for start, end in lines:
            if max(start, end) < len(points) and seen[start] and seen[end]:
                canvas.line(points[start], points[end], color)
        for point, visibility in zip(points, seen, strict=False):
            if visibility:
                canvas.dot(point, color, hollow=visibility == 1)
        if number < len(boxes) and boxes[number] is not None:
            x0, y0, x1, y1 = boxes[number]
            canvas.ring([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], color)
            canvas.name(text, (x0, y0), color)


def _segmentations(canvas: Canvas, cell: Cell, schema: Schema) -> None:
    height, width = cell["image_height"], cell["image_width"]
    polygons = cell.get("polygons") or []
    for number, (counts, text, color) in enumerate(_instances(cell, schema, "rles", PROPERTIES)):
        mask = decode_masks([counts], height, width)[:, :, 0]
        if not mask.any():
            continue
        canvas.mask(mask, color)
        for part in polygons[number] if number < len(polygons) else ():
            canvas.ring(np.reshape(part, (-1, 2)), color)
        rows, columns = np.nonzero(mask)
        canvas.name(text, (float(columns[0]), float(rows[0])), color)


def _instances(
    cell: Cell, schema: Schema, values: str, properties: str
) -> Iterator[tuple[Any, str, Color]]:
    """Yield the value, the name and the colour of each instance in a cell."""
    more = cell.get(properties) or {}
    labels, confidences = more.get("label") or [], more.get("confidence") or []
    names = _names(schema, properties)
    for number, value in enumerate(cell.get(values) or ()):
        label = labels[number] if number < len(labels) else None
        text = "" if label is None else name_of(label, names)
        if number < len(confidences) and confidences[number] is not None:
            text = f"{text} {confidences[number]:.0%}".strip()
        yield value, text, color_of(label, names)


def _names(schema: Schema, properties: str) -> ValueMap | None:
    part = schema.values.get(properties)
    label = None if part is None else part.values.get("label")
    return None if label is None else label.get_value_map()


_DRAWERS: dict[str, Callable[[Any, Any, Any], None]] = {
    "bounding_boxes_2d": _boxes,
    "oriented_bounding_boxes_2d": _oriented_boxes,
    "keypoints_2d": _keypoints,
    "segmentation_masks": _segmentations,
    "segmentation_polygons": _segmentations,
    "semantic_segmentation": _segmentations,
}
