"""From what a COCO file says to the rows of a table."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc import constants
from tlc.importers.coco_arrays import (
    EXTRA,
    as_arrow,
    as_numbers,
    image_batch,
    offsets_of,
)
from tlc.importers.coco_checks import AnnotationChecks
from tlc.importers.coco_columns import SHAPES, Shapes, checked_shapes
from tlc.importers.coco_duplicates import note_duplicates
from tlc.importers.coco_extras import ImageExtras, extra_columns
from tlc.importers.coco_file import no_annotations
from tlc.importers.coco_images import coco_images, find_files, no_texts
from tlc.importers.coco_schemas import (
    ANNOTATION_ID,
    AREA,
    IMAGE,
    IMAGE_ID,
    MEMBER,
    annotation_name,
    annotation_schema,
    extra_schema,
    free_name,
    image_schemas,
)
from tlc.importers.report import Problem
from tlc.importers.spill import Spill
from tlc.schemas import BoolSchema, Float64Schema, Int64Schema, Schema
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tlc.importers.coco_file import CocoFile
    from tlc.importers.coco_images import CocoImages
    from tlc.importers.coco_records import Category
    from tlc.importers.coco_schemas import Options
    from tlc.importers.report import Problems
    from tlc.importers.source import Batch

_WHOLE, _PART, _WAITING = 64 << 20, 8 << 20, 8 << 20
_MASKS_AT_ONCE = 8192
_SCORE = "score"
_SURROGATE = re.compile("[\ud800-\udfff]")
_PER_KEYPOINT = 3
_TAKEN = frozenset(
    {
        *(constants.LABEL, constants.CONFIDENCE, constants.BOUNDING_BOX, constants.IS_CROWD),
        *(constants.KEYPOINT_VISIBILITY, constants.KEYPOINT_CONFIDENCE, ANNOTATION_ID, AREA),
    }
)


class CocoTable:
    """The table that a COCO file makes.

    Args:
        coco: The file, which has been read.
        options: What the caller wants.
        problems: Gets what is wrong.
        folder: Path of a folder for temporary files.

    Attributes:
        images: The rows; known after `check`.
        schema: Schemas of the columns; known after `check`.
    """

    images: CocoImages
    schema: dict[str, Schema]

    def __init__(self, coco: CocoFile, options: Options, problems: Problems, folder: str) -> None:
        self._coco, self._options, self._problems, self._folder = coco, options, problems, folder
        self._categories: list[Category] = []
        self._extras = coco.extras("annotations")
        self._properties: dict[str, str] = {}
        self._keypoints = 0
        self._parts: list[tuple[int, int, Spill]] = []

    def check(self, folder: str, local: str | None) -> None:
        """Check everything, and find the images.

        Args:
            folder: Absolute url of the folder that file names begin at.
            local: Its path, None if it is not on this machine.

        Raises:
            AnnotationFileError: Records are wrong and the caller does not want to go on, or too
                many are.
        """
        self._check_images(folder, local)
        self._check_categories()
        self._keypoints = self._number_of_keypoints()
        self._name_columns()
        self._check_annotations()
        self._problems.check()

    def batches(self) -> Iterator[Batch]:
        """Yield the columns of some images after those of others."""
        name = annotation_name(self._options.task)
        kind = arrow_type(self.schema[name])
        for first, stop, spill in self._parts:
            for shapes in self._shapes(first, stop, spill, kind):
                images = self._image_columns(shapes.first, shapes.stop)
                yield {**images, name: shapes.cells(self._options.task)}
                del shapes, images  # before the next are made

    def _shapes(self, first: int, stop: int, spill: Spill, kind: Any) -> Iterator[Shapes]:
        """Yield the instances of a part of the images."""
        batch = self._part(spill)
        note_duplicates(batch, SHAPES[self._options.task], self._coco.name, self._problems)
        rows = as_numbers(batch.column("row").combine_chunks())
        offsets = offsets_of(np.bincount(rows - first, minlength=stop - first))
        for start, end in self._cut(offsets):
            yield Shapes(
                self.images,
                first + start,
                first + end,
                offsets[start : end + 1] - offsets[start],
                batch.slice(offsets[start], offsets[end] - offsets[start]),
                self._properties,
                self._keypoints,
                kind,
            )

    def _cut(self, offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """Yield which images to take at a time; masks can be much larger than their polygons."""
        last = len(offsets) - 1
        if self._options.task != "segment" or not last:
            yield 0, last
            return
        ends = np.searchsorted(offsets, np.arange(_MASKS_AT_ONCE, offsets[-1], _MASKS_AT_ONCE))
        yield from pairwise(sorted({0, *ends.tolist(), last}))

    def _check_images(self, folder: str, local: str | None) -> None:
        batches = self._coco.images or [image_batch([], [], [])]
        name, problems = self._coco.name, self._problems
        self.images, kept = coco_images(pa.Table.from_batches(batches), name, problems)
        batches.clear()
        kinds = self._coco.extras("images")
        self._image_extras = ImageExtras(self._coco.image_extras, kinds, kept)
        check = self._options.check_images
        find_files(self.images, folder, local, name, problems, check=check)
        self.images.names = no_texts()

    def _check_categories(self) -> None:
        known: dict[int, Category] = {}
        for number, category in self._coco.categories:
            other = known.get(category.id)
            if other is not None:
                message = f"another category, {other.name!r}, has the same id"
                self._category_problem(number, category, "DUP_ID", message)
            elif _SURROGATE.search(category.name + (category.supercategory or "")):
                self._category_problem(number, category, "BAD_RECORD", "its name is no text")
            elif not -(1 << 31) <= category.id < 1 << 31:
                self._category_problem(number, category, "ID_RANGE", "its id is too large")
            else:
                known[category.id] = category
        self._categories = list(known.values())

    def _category_problem(self, number: int, category: Category, code: str, message: str) -> None:
        problem = Problem(
            code=code,
            file=self._coco.name,
            record=f"categories[{number}] (id {category.id})",
            value=repr(category.name),
            message=message,
            hint="give each category a name, and an id of its own of at most 31 bits",
        )
        self._problems.add(problem)

    def _number_of_keypoints(self) -> int:
        if self._options.task != "pose":
            return 0
        skeleton = self._options.skeleton
        per_point = ("points", "point_attributes", "flip_indices", "oks_sigmas")
        given = [skeleton[name] for name in per_point if skeleton.get(name) is not None]
        if given:
            return len(given[0])
        named = [len(each.keypoints) for each in self._categories if each.keypoints]
        if named:
            return named[0]
        for batch in self._coco.annotations:
            longest = max((len(points) for points in batch["keypoints"]), default=0)
            if longest >= _PER_KEYPOINT:
                return longest // _PER_KEYPOINT
        raise self._coco.refused(
            "KEYPOINT_COUNT",
            "categories",
            "nothing tells how many keypoints an instance has",
            "pass point_attributes with a name for each, or another task",
        )

    def _name_columns(self) -> None:
        schemas: dict[str, Schema] = {}
        self._properties = {constants.LABEL: "label"}
        if self._extras.get(_SCORE) in (pa.float64(), pa.int64()):
            self._properties[constants.CONFIDENCE] = f"{EXTRA}{_SCORE}"
        own = {
            ANNOTATION_ID: (self._coco.id_count > 0, "id", Int64Schema()),
            AREA: (self._coco.has_areas, "area", Float64Schema()),
            constants.IS_CROWD: (self._options.include_iscrowd, "iscrowd", BoolSchema()),
        }
        for name, (there, column, schema) in own.items():
            if there:
                schemas[name], self._properties[name] = schema, column
        taken = set(_TAKEN)
        for member, kind in self._extras.items():
            if f"{EXTRA}{member}" not in self._properties.values():
                name = free_name(member, taken)
                schemas[name] = extra_schema(kind, name, member)
                self._properties[name] = f"{EXTRA}{member}"
        self.schema = self._schemas(schemas)

    def _schemas(self, extras: dict[str, Schema]) -> dict[str, Schema]:
        annotations = annotation_name(self._options.task)
        taken = {IMAGE, IMAGE_ID, annotations, constants.SAMPLE_WEIGHT}
        kinds = self._coco.extras("images")
        self._image_names = {member: free_name(member, taken) for member in kinds}
        columns = {
            name: extra_schema(kinds[member], name, member)
            for member, name in self._image_names.items()
        }
        for member, name in self._image_names.items():
            columns[name].sample_type = "hidden"
            columns[name].metadata[MEMBER] = member
        first = image_schemas(columns)
        first[IMAGE_ID].metadata["coco"] = self._coco.others
        confidence = constants.CONFIDENCE in self._properties
        return {
            **first,
            annotations: annotation_schema(
                self._options, self._categories, self._keypoints, extras, confidence=confidence
            ),
        }

    def _check_annotations(self) -> None:
        again = self._coco.repeated()
        known = np.array([category.id for category in self._categories], np.int64)
        checks = AnnotationChecks(self.images, known, again, self._coco.name, self._problems)
        self._divide()
        self._none = self._checked(checks, no_annotations(self._options.task))
        for batch in self._coco.annotations.taken():
            self._distribute(self._checked(checks, batch))

    def _checked(self, checks: AnnotationChecks, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return those annotations that are right, with the rows of their images."""
        kept, rows = checks.references(batch)
        if not self._options.keep_crowd_annotations:
            kept &= ~as_numbers(batch["iscrowd"])
        if not kept.all():
            batch, rows = batch.filter(pa.array(kept)), rows[kept]
        right, shapes = checked_shapes(self._options.task, checks, batch, rows, self._keypoints)
        areas = as_numbers(batch["area"])
        columns = {
            "row": as_arrow(rows.astype(np.int32)),
            "number": as_arrow(as_numbers(batch["number"]).astype(np.uint32)),
            "label": as_arrow(as_numbers(batch["category_id"]).astype(np.int32)),
            "id": checks.ids(batch),
            "area": as_arrow(areas, ~np.isnan(areas)),
            "iscrowd": batch["iscrowd"],
            **shapes,
            **extra_columns(batch, self._extras),
        }
        if constants.CONFIDENCE in self._properties:
            score = f"{EXTRA}{_SCORE}"
            columns[score] = columns[score].cast(pa.float32(), safe=False)
        found = pa.RecordBatch.from_pydict(columns)
        return found if right.all() else found.filter(pa.array(right))

    def _divide(self) -> None:
        """Make as many parts of all images as each of them fits memory."""
        count = len(self.images.ids)
        size = self._coco.annotations.size
        parts = 1 if size <= _WHOLE else max(1, min(count, -(-size // _PART)))
        bounds = [count * part // parts for part in range(parts + 1)]
        limit = _WHOLE * 2 if parts == 1 else _WAITING // parts
        self._parts = [
            (first, stop, Spill(self._folder, f"part-{first}", limit))
            for first, stop in pairwise(bounds)
        ]

    def _distribute(self, batch: pa.RecordBatch) -> None:
        """Give each part the annotations of its images."""
        if len(self._parts) == 1:
            self._parts[0][2].add(batch)
            return
        order = _grouped(as_numbers(batch["row"]))
        rows = as_numbers(batch["row"])[order]
        batch = batch.take(as_arrow(order))
        starts = np.searchsorted(rows, [first for first, _, _ in self._parts]).tolist()
        stops = [*starts[1:], len(rows)]
        for (_, _, spill), start, stop in zip(self._parts, starts, stops, strict=True):
            if stop > start:
                spill.add(batch.slice(start, stop - start))

    def _part(self, spill: Spill) -> pa.Table:
        """Return annotations in the order of their images."""
        table = pa.Table.from_batches([*spill.taken()] or [self._none]).combine_chunks()
        rows = as_numbers(table.column("row").combine_chunks())
        if (np.diff(rows) >= 0).all():
            return table
        return table.take(as_arrow(_grouped(rows)))

    def _image_columns(self, first: int, stop: int) -> dict[str, Any]:
        """Return the columns of the images that come next, and let go of them."""
        images, count = self.images, stop - first
        extras = self._image_extras.take(count)
        urls = images.urls.slice(0, count).combine_chunks()
        images.urls = images.urls.slice(count)
        return {
            IMAGE: urls,
            IMAGE_ID: as_arrow(images.ids[first:stop]),
            **{name: extras[member] for member, name in self._image_names.items() if extras},
        }


def _grouped(rows: Any) -> Any:
    """Return the order that brings equal rows together and else changes nothing."""
    # Row and position in one number: NumPy sorts numbers many times faster than it finds an order.
    keys = (rows.astype(np.int64) << 32) | np.arange(rows.size)
    keys.sort()
    return keys & 0xFFFF_FFFF
