"""Shapes as COCO annotations have them: for each cell a list with a dictionary per instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tlc.constants import (
    BOUNDING_BOX,
    IMAGE_HEIGHT,
    IMAGE_WIDTH,
    INSTANCES,
    INSTANCES_ADDITIONAL_DATA,
    KEYPOINT_VISIBILITY,
    POLYGONS,
    RLES,
)
from tlc.data_types import rle
from tlc.export.cells import lengths_of, numbers_of, part_of, per_cell
from tlc.export.rows import shortest_numbers
from tlc.export.shortest import sized_boxes

if TYPE_CHECKING:
    import pyarrow as pa

Shapes: TypeAlias = list[list[dict[str, Any]]]

_LEAST = 6  # numbers of a triangle; readers take four for a box


def box_records(cells: pa.Array) -> Shapes:
    """Return ``bbox`` and ``area`` of boxes."""
    instances = part_of(cells, INSTANCES)
    boxes = _sized(instances)
    return per_cell([_box(box) for box in boxes], lengths_of(instances))


def mask_records(cells: pa.Array) -> Shapes:
    """Return ``segmentation``, ``bbox`` and ``area`` of masks."""
    rles = part_of(cells, RLES).to_pylist()
    polygons = shortest_numbers(part_of(cells, POLYGONS)).to_pylist()
    heights = part_of(cells, IMAGE_HEIGHT).to_pylist()
    widths = part_of(cells, IMAGE_WIDTH).to_pylist()
    counts = [each for row in rles for each in row or ()]
    areas = iter(rle.areas(counts).tolist())
    return [
        [
            _mask(own, parts, (height, width), next(areas))
            for own, parts in zip(row or (), given or [[]] * len(row or ()), strict=True)
        ]
        for row, given, height, width in zip(rles, polygons, heights, widths, strict=True)
    ]


def point_records(cells: pa.Array) -> Shapes:
    """Return ``keypoints``, ``num_keypoints``, ``bbox`` and ``area`` of skeletons."""
    points = shortest_numbers(part_of(cells, INSTANCES)).to_pylist()
    states = _property(cells, KEYPOINT_VISIBILITY).to_pylist()
    boxes = _property(cells, BOUNDING_BOX)
    sized = per_cell(_sized(boxes), lengths_of(boxes))
    found = []
    for row, seen, around in zip(points, states, sized, strict=True):
        row = row or []
        seen, around = seen or [None] * len(row), around or [None] * len(row)
        found.append([_skeleton(*each) for each in zip(row, seen, around, strict=True)])
    return found


def _sized(boxes: pa.Array) -> list[Any]:
    """Return boxes as x, y, width, height; None for those that are missing."""
    import pyarrow as pa

    flat = boxes.flatten() if pa.types.is_list(boxes.type) else boxes
    known = flat.is_valid().to_numpy(zero_copy_only=False)
    found = iter(sized_boxes(numbers_of(flat, (-1, 4))).tolist())
    return [next(found) if each else None for each in known]


def _property(cells: pa.Array, name: str) -> pa.Array:
    """Return what instances have besides their shape; nothing if the column has no such part."""
    import pyarrow as pa

    properties = part_of(cells, INSTANCES_ADDITIONAL_DATA)
    if properties.type.get_field_index(name) < 0:
        return pa.nulls(len(cells), pa.list_(pa.list_(pa.float32(), 4)))
    return part_of(properties, name)


def _box(box: list[float]) -> dict[str, Any]:
    return {"bbox": box, "area": box[2] * box[3]}


def _mask(counts: bytes, parts: Any, size: tuple[int, int], area: int) -> dict[str, Any]:
    if not parts:
        box = list(rle.bounding_box(counts, size[0]))
        mask = {"size": list(size), "counts": counts.decode()}
        return {"segmentation": mask, "bbox": box, "area": area}
    polygons = [part for part in parts if len(part) >= _LEAST]
    if not polygons:
        return {"segmentation": [], "bbox": [0.0] * 4, "area": area}
    points = np.concatenate([np.asarray(part, np.float32).reshape(-1, 2) for part in polygons])
    corners = np.concatenate([points.min(axis=0), points.max(axis=0)])[None]
    return {"segmentation": polygons, "bbox": sized_boxes(corners)[0].tolist(), "area": area}


def _skeleton(points: Any, states: Any, box: Any) -> dict[str, Any]:
    states = states or [2] * len(points)
    flat = [n for (x, y), v in zip(points, states, strict=True) for n in (x, y, v)]
    seen = [point for point, v in zip(points, states, strict=True) if v > 0]
    if box is None:
        places = np.asarray(seen or [[0.0, 0.0]], np.float32)
        corners = np.concatenate([places.min(axis=0), places.max(axis=0)])[None]
        box = sized_boxes(corners)[0].tolist()
    return {"keypoints": flat, "num_keypoints": len(seen), **_box(box)}
