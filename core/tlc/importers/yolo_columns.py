"""Columns of a table made of YOLO shapes, a batch of images at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc.importers import annotation_arrays as arrays
from tlc.importers import yolo_shapes as shapes
from tlc.importers.yolo_checks import BEFORE_POINTS, with_class, with_shape

if TYPE_CHECKING:
    from collections.abc import Collection

    from tlc.importers.report import Problems
    from tlc.importers.yolo_lines import Floats, Integers, Lines
    from tlc.importers.yolo_shapes import Shapes

COLUMNS = {
    "detect": "bbs",
    "segment": "segmentations",
    "pose": "keypoints_2d",
    "obb": "obbs",
}
"""Task to the column that its instances are in."""


@dataclass(frozen=True)
class Points:
    """What an instance of a pose has: how many points, each of two numbers, or three."""

    count: int
    dimensions: int

    @property
    def columns(self) -> int:
        """How many numbers a line has."""
        return BEFORE_POINTS + self.count * self.dimensions


def usable_shapes(
    lines: Lines,
    sizes: Floats,
    task: str,
    known: Collection[int],
    problems: Problems,
    points: Points | None = None,
) -> Shapes:
    """Return the shapes of the lines that are right; the others are reported.

    Args:
        lines: Lines of labels, those of an image together and in the order of the images.
        sizes: Width and height of each image, shape `(images, 2)`.
        task: One of `tlc.importers.yolo_checks.TASKS`.
        known: Ids of classes.
        problems: Gets what is wrong.
        points: Of a pose.
    """
    lines = with_shape(lines, task, problems, points.columns if points else None)
    lines = with_class(lines, known, problems)
    if task == "detect":
        return shapes.boxes(lines, sizes, problems)
    if task == "obb":
        return shapes.oriented_boxes(lines, sizes, problems)
    if task == "segment":
        return shapes.polygons(lines, sizes, problems)
    assert points is not None
    return shapes.poses(lines, sizes, problems, points)


class YoloColumn:
    """The column of instances.

    Args:
        task: One of `tlc.importers.yolo_checks.TASKS`.
        found: Shapes, those of an image together and in the order of the images.
        images: The images that become rows, as positions, ascending.
        sizes: Width and height of each image, shape `(images, 2)`; also of those left out.
    """

    def __init__(self, task: str, found: Shapes, images: Integers, sizes: Floats) -> None:
        self._task = task
        self._found = found
        self._sizes = sizes[images]
        counts = np.bincount(found.lines.file, minlength=len(sizes))[images]
        self._offsets = np.concatenate([[0], np.cumsum(counts)])
        self._labels = found.lines.values[found.lines.start[:-1]]

    def batch(self, start: int, stop: int) -> pa.Array:
        """Return the cells of some rows."""
        first, last = int(self._offsets[start]), int(self._offsets[stop])
        offsets = self._offsets[start : stop + 1] - first
        properties = {"label": arrays.numbers(self._labels[first:last], pa.int32())}
        sizes = self._sizes[start:stop]
        if self._task == "segment":
            return self._segmentations(sizes, offsets, first, last, properties)
        instances: Any = self._found.boxes[first:last]
        if self._task == "pose":
            assert self._found.points is not None
            properties["bounding_box"] = arrays.vectors(instances, pa.float32())
            if self._found.visibility is not None:
                visibility = self._found.visibility[first:last]
                properties["keypoint_visibility"] = arrays.vectors(visibility, pa.int32())
            instances = self._found.points[first:last]
        cells = arrays.vectors(instances, pa.float32())
        return arrays.shapes_2d(sizes, offsets, cells, properties)

    def _segmentations(
        self,
        sizes: Floats,
        offsets: Integers,
        first: int,
        last: int,
        properties: dict[str, pa.Array],
    ) -> pa.Array:
        from tlc.data_types.rasterize import rles_of_polygons

        assert self._found.points is not None
        assert self._found.offsets is not None
        starts = self._found.offsets[first : last + 1]
        vertices = self._found.points[starts[0] : starts[-1]].astype(np.float32)
        starts = starts - starts[0]
        each = np.arange(last - first + 1)
        owners = sizes[np.repeat(np.arange(len(sizes)), np.diff(offsets))].astype(np.int64)
        rles = rles_of_polygons(vertices, starts, each, owners[:, 1], owners[:, 0])
        flat = arrays.lists(arrays.numbers(vertices.reshape(-1), pa.float32()), starts * 2)
        polygons = arrays.lists(flat, each)
        return arrays.segmentations(sizes, offsets, arrays.texts(*rles), polygons, properties)
