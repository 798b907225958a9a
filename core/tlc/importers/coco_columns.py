"""Columns of a table, one row per image, from annotations of COCO files that were found right."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc import constants
from tlc.data_types.rasterize import rles_of_polygons
from tlc.importers.annotation_arrays import flags, lists
from tlc.importers.coco_arrays import as_arrow, as_numbers, known, offsets_of, starts_of
from tlc.importers.coco_checks import LEAST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tlc.importers.coco_checks import AnnotationChecks
    from tlc.importers.coco_images import CocoImages

    Array = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]

SHAPES = {
    "detect": ("boxes",),
    "segment": ("polygons", "counts"),
    "pose": ("boxes", "keypoints"),
}
"""Names of the columns that are the shape of an instance, by task."""

# So many polygons are drawn at a time: their crossings fit the processor's cache.
_DRAWN_AT_ONCE = 256
_THREADS = 2


def checked_shapes(
    task: str, checks: AnnotationChecks, batch: pa.RecordBatch, rows: Array, keypoints: int
) -> tuple[Flags, dict[str, pa.Array]]:
    """Return which annotations have a right shape for their task, and the shapes as columns.

    Args:
        task: ``"detect"``, ``"segment"`` or ``"pose"``.
        checks: Says what is right.
        batch: The annotations.
        rows: The row of the image of each.
        keypoints: How many keypoints an instance has.
    """
    if task == "segment":
        right = checks.polygons(batch) & checks.runs(batch, rows)
        return right, {"polygons": batch["polygons"], "counts": batch["counts"]}
    if task == "detect":
        right, corners = checks.boxes(batch, rows)
        return right, {"boxes": pa.FixedSizeListArray.from_arrays(as_arrow(corners.ravel()), 4)}
    right = checks.keypoints(batch, keypoints)
    has_box: Flags = ~np.asarray(np.isnan(as_numbers(batch["bbox"])).all(axis=1))
    right_box = np.ones(len(right), np.bool_)
    corners = np.zeros((len(right), 4), np.float32)
    if has_box.any():
        places = np.flatnonzero(has_box)
        some = batch.take(as_arrow(places))
        right_box[places], corners[places] = checks.boxes(some, rows[places])
    boxes = pa.FixedSizeListArray.from_arrays(as_arrow(corners.ravel()), 4, mask=flags(~has_box))
    return right & right_box, {"boxes": boxes, "keypoints": batch["keypoints"]}


@dataclass(frozen=True)
class Shapes:
    """Instances of some images in a row, in the order of the images.

    Attributes:
        images: All images.
        first: Row of the first image.
        stop: Row after the last.
        offsets: Where the instances of each of these images start, and the last ends.
        batch: Shapes, labels and further members of the instances.
        properties: Name in the table to name in the batch, of all but the shapes.
        keypoints: How many keypoints an instance has.
        kind: Type of the cells.
    """

    images: CocoImages
    first: int
    stop: int
    offsets: Array
    batch: pa.Table
    properties: Mapping[str, str]
    keypoints: int
    kind: Any

    def cells(self, task: str) -> pa.Array:
        """Return the cells of the column of annotations."""
        if task == "segment":
            return self._segmentations()
        more = self._properties()
        instances = self._column("boxes")
        if task == "pose":
            more[constants.BOUNDING_BOX] = lists(instances, self.offsets)
            instances, states = self._points()
            more[constants.KEYPOINT_VISIBILITY] = lists(states, self.offsets)
        return self._struct(
            {
                constants.X_MAX: as_arrow(self._sizes("widths", np.float32)),
                constants.Y_MAX: as_arrow(self._sizes("heights", np.float32)),
                constants.INSTANCES: lists(instances, self.offsets),
                constants.INSTANCES_ADDITIONAL_DATA: more,
            }
        )

    def _struct(self, parts: Mapping[str, Any], kind: Any = None) -> pa.Array:
        """Return the parts of cells in the order that their type has."""
        fields = list(kind or self.kind)
        arrays = [parts[field.name] for field in fields]
        pairs = zip(arrays, fields, strict=True)
        arrays = [self._struct(a, f.type) if isinstance(a, dict) else a for a, f in pairs]
        return pa.StructArray.from_arrays(arrays, fields=fields)

    def _properties(self) -> dict[str, pa.Array]:
        return {
            name: lists(self._column(column), self.offsets)
            for name, column in self.properties.items()
        }

    def _column(self, name: str) -> pa.Array:
        return self.batch.column(name).combine_chunks()

    def _sizes(self, name: str, kind: type) -> Array:
        values = getattr(self.images, name)[self.first : self.stop]
        return values.astype(kind)

    def _points(self) -> tuple[pa.Array, pa.Array]:
        points = self._column("keypoints")
        found = np.zeros((len(points), self.keypoints, 3), np.float32)
        there = np.diff(starts_of(points)) > 0
        found[there] = as_numbers(points.flatten()).reshape(-1, self.keypoints, 3)
        places = pa.FixedSizeListArray.from_arrays(as_arrow(found[..., :2].ravel()), 2)
        states = as_arrow(found[..., 2].astype(np.int32).ravel())
        return (
            pa.FixedSizeListArray.from_arrays(places, self.keypoints),
            pa.FixedSizeListArray.from_arrays(states, self.keypoints),
        )

    def _segmentations(self) -> pa.Array:
        heights, widths = (self._sizes(name, np.float64) for name in ("heights", "widths"))
        owners = np.repeat(np.arange(self.stop - self.first), np.diff(self.offsets))
        polygons, counts = self._column("polygons"), self._column("counts")
        rles = _rles(polygons, counts, heights[owners], widths[owners])
        unknown = np.isnan(heights) | np.isnan(widths)
        sizes = [
            as_arrow(np.where(unknown, 0, each).astype(np.int32), ~unknown)
            for each in (heights, widths)
        ]
        return self._struct(
            {
                constants.IMAGE_HEIGHT: sizes[0],
                constants.IMAGE_WIDTH: sizes[1],
                constants.RLES: lists(rles, self.offsets),
                constants.INSTANCE_PROPERTIES: self._properties(),
                constants.POLYGONS: lists(polygons, self.offsets),
            }
        )


def _rles(polygons: pa.Array, counts: pa.Array, heights: Array, widths: Array) -> pa.Array:
    """Return compressed masks: those that are there, and those of polygons."""
    there = known(counts)
    drawn = np.flatnonzero(~there)
    starts = range(0, len(drawn), _DRAWN_AT_ONCE)
    parts = [drawn[start : start + _DRAWN_AT_ONCE] for start in starts]
    with ThreadPoolExecutor(_THREADS) as threads:
        found = list(
            threads.map(lambda rows: _draw(polygons, rows, heights[rows], widths[rows]), parts)
        )
    lengths = np.zeros(len(counts), np.int64)
    if there.all():
        return counts
    lengths[drawn] = np.concatenate([np.diff(offsets) for _, offsets in found])
    characters = np.concatenate([each for each, _ in found])
    made = _binary(characters, offsets_of(lengths))
    if not there.any():
        return made
    return pa.compute.if_else(flags(there), counts, made)


def _draw(polygons: pa.Array, rows: Array, heights: Array, widths: Array) -> tuple[Array, Array]:
    """Return the compressed masks of some instances, all after each other, and where they start."""
    chosen = polygons.take(as_arrow(rows))
    parts = chosen.flatten()
    lengths = np.diff(starts_of(parts))
    owners = np.repeat(np.arange(len(chosen)), np.diff(starts_of(chosen)))
    large = lengths >= LEAST
    points = as_numbers(parts.flatten())
    if not large.all():
        points = points[np.repeat(large, lengths)]
    amounts = np.bincount(owners[large], minlength=len(chosen))
    return rles_of_polygons(
        points.reshape(-1, 2),
        offsets_of(lengths[large] // 2),
        offsets_of(amounts),
        np.nan_to_num(heights).astype(np.int64),
        np.nan_to_num(widths).astype(np.int64),
    )


def _binary(characters: Array, offsets: Array) -> pa.Array:
    return pa.Array.from_buffers(
        pa.binary(),
        len(offsets) - 1,
        [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(characters.tobytes())],
    )
