"""Instances as lines of YOLO labels: numbers that are fractions of the width and height."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
from tlc.data_types.polygons import as_ring, outline
from tlc.export.annotations import BOXES, MASKS, POINTS
from tlc.export.cells import lengths_of, numbers_of, part_of, per_cell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn

    Floats = npt.NDArray[np.float64]
    Sizes = Sequence[tuple[float, float]]

_LEAST = 6  # numbers of a triangle
_SEEN = 2
_SLACK = 1e-3


def yolo_values(cells: pa.Array, column: AnnotationColumn, sizes: Sizes) -> list[list[Any]]:
    """Return the numbers behind the class of each instance of each cell.

    Boxes and polygons are cut at the border of the image.

    Args:
        cells: The annotations.
        column: Their column.
        sizes: Width and height of each image.

    Returns:
        For each cell a list of lists of numbers; None for an instance of which nothing is left.
    """
    if column.kind == MASKS:
        return _polygons(cells, sizes)
    instances = part_of(cells, INSTANCES)
    lengths = lengths_of(instances)
    scale = np.repeat(np.asarray(sizes, np.float64).reshape(-1, 2), lengths, axis=0)
    if column.kind == BOXES:
        boxes = numbers_of(instances, (-1, 4)).astype(np.float64)
        values: list[Any] = _boxes(boxes / np.tile(scale, 2))
    elif column.kind == POINTS:
        values = _poses(cells, column, instances, scale)
    else:
        values = _corners(numbers_of(instances, (-1, 5)).astype(np.float64), scale)
    return per_cell(values, lengths)


def kpt_shape(column: AnnotationColumn) -> list[int]:
    """Return how many points an instance has, and how many numbers a point: 3 if it has a state."""
    count = column.schema.values[INSTANCES].shape[1]
    return [count, 3 if KEYPOINT_VISIBILITY in column.properties else 2]


def _boxes(boxes: Floats) -> list[Any]:
    """Return corners, as fractions, as centres and sizes of what is inside of the image."""
    inside = np.clip(boxes, 0, 1)
    size = inside[:, 2:] - inside[:, :2]
    found = np.hstack([(inside[:, :2] + inside[:, 2:]) / 2, size])
    empty: Any = (size <= 0).any(axis=1)
    return [None if gone else v for gone, v in zip(empty.tolist(), found.tolist(), strict=True)]


def _poses(
    cells: pa.Array, column: AnnotationColumn, instances: pa.Array, scale: Floats
) -> list[Any]:
    count, dimensions = kpt_shape(column)
    points = numbers_of(instances, (-1, count, 2)).astype(np.float64)
    states = _states(cells, column, len(points), count)
    boxes = _around(cells, column, points, states)
    places = points / scale[:, None]
    seen = states > 0
    places = np.where(seen[..., None], np.clip(places, 0, 1), places)
    if dimensions == 3:
        places = np.concatenate([places, states[..., None]], axis=2)
    flat = places.reshape(len(points), count * dimensions).tolist()
    found = _boxes(boxes / np.tile(scale, 2))
    return [None if box is None else box + rest for box, rest in zip(found, flat, strict=True)]


def _states(cells: pa.Array, column: AnnotationColumn, amount: int, count: int) -> Any:
    states = np.full((amount, count), _SEEN)
    for number, given in _told(cells, column, KEYPOINT_VISIBILITY):
        states[number] = given
    return states


def _told(cells: pa.Array, column: AnnotationColumn, name: str) -> Iterator[tuple[int, Any]]:
    """Yield number and value of all instances, of all cells, that have a value of that name."""
    if name not in column.properties:
        return
    given = part_of(cells, INSTANCES_ADDITIONAL_DATA, name).to_pylist()
    lengths = lengths_of(part_of(cells, INSTANCES))
    rows = [row or [None] * n for row, n in zip(given, lengths, strict=True)]
    for number, value in enumerate(value for row in rows for value in row):
        if value is not None:
            yield number, value


def _around(cells: pa.Array, column: AnnotationColumn, points: Floats, states: Any) -> Floats:
    """Return the boxes of instances; where one has none, that around the points that are seen."""
    seen = (states > 0)[..., None]
    low = np.where(seen, points, np.inf).min(axis=1)
    high = np.where(seen, points, -np.inf).max(axis=1)
    found = np.nan_to_num(np.hstack([low, high]), posinf=0, neginf=0)
    for number, box in _told(cells, column, BOUNDING_BOX):
        found[number] = box
    return found


def _corners(boxes: Floats, scale: Floats) -> list[Any]:
    half = boxes[:, None, 2:4] / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    cosine, sine = np.cos(boxes[:, 4:]), np.sin(boxes[:, 4:])
    x, y = half[..., 0], half[..., 1]
    turned = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=2)
    found = ((turned + boxes[:, None, :2]) / scale[:, None]).reshape(-1, 8)
    centre = boxes[:, :2] / scale
    away = (centre < -_SLACK) | (centre > 1 + _SLACK)
    gone: Any = (boxes[:, 2:4] <= 0).any(axis=1) | away.any(axis=1)
    return [None if out else v for out, v in zip(gone.tolist(), found.tolist(), strict=True)]


def _polygons(cells: pa.Array, sizes: Sizes) -> list[list[Any]]:
    rles, polygons = part_of(cells, RLES).to_pylist(), part_of(cells, POLYGONS).to_pylist()
    heights = part_of(cells, IMAGE_HEIGHT).to_pylist()
    widths = part_of(cells, IMAGE_WIDTH).to_pylist()
    return [
        [
            _ring(parts or outline(counts, height, width), size)
            for counts, parts in zip(row or (), given or [[]] * len(row or ()), strict=True)
        ]
        for row, given, height, width, size in zip(
            rles, polygons, heights, widths, sizes, strict=True
        )
    ]


def _ring(parts: Sequence[Any], size: tuple[float, float]) -> list[float] | None:
    ring = as_ring([part for part in parts if len(part) >= _LEAST])
    if not ring:
        return None
    fractions = np.asarray(ring, np.float64).reshape(-1, 2) / np.asarray(size)
    found: list[float] = np.clip(fractions, 0, 1).reshape(-1).tolist()
    return found
