"""What has to hold for annotations of a COCO file, checked for many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types.rle import decompress
from tlc.errors import SchemaError
from tlc.importers.coco_arrays import as_arrow, as_numbers, known, offsets_of, starts_of
from tlc.importers.coco_boxes import checked_boxes
from tlc.importers.identifiers import Places
from tlc.importers.report import Problem, shortened

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from tlc.importers.coco_images import CocoImages
    from tlc.importers.report import Problems

    Array = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]

LEAST = 6
"""Numbers of a triangle, the least polygon that has an area."""

_FARTHEST = 2.0**31
_RANGE_HINT = "a box is x, y, width, height in pixels, inside of its image"


class AnnotationChecks:
    """Checks batches of annotations, as `tlc.importers.coco_arrays.annotation_batch` makes them.

    Args:
        images: The images of the file.
        categories: Ids of its categories.
        repeated: Numbers of annotations whose id another one has, in ascending order.
        file: What to call the file.
        problems: Gets what is wrong.
    """

    def __init__(
        self,
        images: CocoImages,
        categories: npt.NDArray[np.int64],
        repeated: npt.NDArray[np.int64],
        file: str,
        problems: Problems,
    ) -> None:
        self._images, self._repeated = images, repeated
        self._rows, self._categories = Places(images.ids), Places(categories)
        self._file, self._problems = file, problems

    def references(self, batch: pa.RecordBatch) -> tuple[Flags, Array]:
        """Return which annotations have an image and a category, and the row of the image."""
        images, categories = as_numbers(batch["image_id"]), as_numbers(batch["category_id"])
        rows = self._rows.of(images)
        no_image, no_category = rows < 0, self._categories.of(categories) < 0
        for kind, missing, ids in (
            ("image", no_image, images),
            ("category", no_category & ~no_image, categories),
        ):
            message = f"it names the {kind} {{}}, which the file does not have"
            hint = f"add the {kind} to the file, or take the annotation out"
            self._add(batch, missing, "DANGLING_REF", message, ids, hint)
        return ~(no_image | no_category), rows

    def ids(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the ids of annotations, null for those that another one has."""
        if not self._repeated.size:
            return batch["id"]
        again = np.isin(as_numbers(batch["number"]), self._repeated)
        ids = as_numbers(batch["id"])
        message, hint = "another annotation has the same id {}", "give each an id of its own"
        self._add(batch, again, "DUP_ID", message, ids, hint, left_out=False)
        return as_arrow(ids, known(batch["id"]) & ~again)

    def boxes(self, batch: pa.RecordBatch, rows: Array) -> tuple[Flags, Array]:
        """Return which boxes are right, and the corners of all."""
        given = as_numbers(batch["bbox"])
        widths, heights = self._images.widths[rows], self._images.heights[rows]
        boxes = checked_boxes(given, widths, heights)
        self._problems.clipped += int(boxes.clipped.sum())
        message = "the box has no area, and was left as it is"
        self._note(batch, boxes.empty, "BOX_EMPTY", message, given)
        if boxes.wrong.any() or boxes.far.any():
            message = "the box is outside of its image, or no box at all"
            self._add(batch, boxes.wrong, "BOX_RANGE", message, given, _RANGE_HINT)
            message = "the box reaches out of its image, and was left as it is"
            self._note(batch, boxes.far, "BOX_OUTSIDE", message, given)
        if boxes.swapped:
            message = "the boxes look like x_min, y_min, x_max, y_max, not x, y, width, height"
            self._note(batch, boxes.wrong | boxes.far, "BOX_FORMAT", message, given)
        return ~boxes.wrong, boxes.corners

    def polygons(self, batch: pa.RecordBatch) -> Flags:
        """Return which annotations have polygons of numbers, or none."""
        polygons = batch["polygons"]
        parts, owners = polygons.flatten(), _owners(polygons)
        numbers = as_numbers(parts.flatten())
        part_of = _owners(parts)
        lengths = np.bincount(part_of, minlength=len(parts))
        wrong = np.zeros(batch.num_rows, np.bool_)
        wrong[owners[part_of[~(np.abs(numbers) < _FARTHEST)]]] = True
        wrong[owners[lengths % 2 == 1]] = True
        message = "a polygon has an odd amount of numbers, or one that is no place in an image"
        self._add(batch, wrong, "POLYGON_RANGE", message, None, "give x and y of each corner")
        drawn = np.zeros(batch.num_rows, np.bool_)
        drawn[owners[lengths >= LEAST]] = True
        empty = ~drawn & ~known(batch["counts"]) & ~wrong
        self._note(batch, empty, "NO_MASK", "there is no mask: no polygon has three corners", None)
        return ~wrong

    def runs(self, batch: pa.RecordBatch, rows: Array) -> Flags:
        """Return which annotations have a mask as runs that fit their image, or none."""
        given = np.flatnonzero(known(batch["counts"]))
        right = np.ones(batch.num_rows, np.bool_)
        if not given.size:
            return right
        sizes = as_numbers(batch["size"])[given]
        counts = batch["counts"].take(as_arrow(given))
        fits = _sums_up(counts, sizes)
        right[given] = fits
        message = "the counts of the mask are damaged, or not those of a mask of its size {}"
        shown = np.zeros((batch.num_rows, 2), np.int64)
        shown[given] = sizes
        hint = "counts add up to height x width; size is [height, width]"
        self._add(batch, ~right, "RLE_SIZE", message, shown, hint)
        widths, heights = self._images.widths[rows[given]], self._images.heights[rows[given]]
        other = (sizes[:, 0] != heights) | (sizes[:, 1] != widths)
        other &= fits & ~np.isnan(widths) & ~np.isnan(heights)
        differs = np.zeros(batch.num_rows, np.bool_)
        differs[given] = other
        message = "the mask is not as large as its image: its size is {}"
        self._add(batch, differs, "SIZE_MISMATCH", message, shown, hint)
        return right & ~differs

    def keypoints(self, batch: pa.RecordBatch, count: int) -> Flags:
        """Return which annotations have `count` points, or none."""
        points = batch["keypoints"]
        lengths = np.diff(starts_of(points))
        numbers, owners = as_numbers(points.flatten()), _owners(points)
        wrong = (lengths != 3 * count) & (lengths != 0)
        message = f"there are {{}} numbers, where {count} keypoints have {3 * count}"
        hint = "each keypoint is x, y and a visibility"
        self._add(batch, wrong, "KEYPOINT_COUNT", message, lengths, hint)
        place = np.arange(len(numbers)) - starts_of(points)[:-1][owners]
        no_state = (place % 3 == 2) & ~np.isin(numbers, (0, 1, 2))
        odd = np.zeros(batch.num_rows, np.bool_)
        odd[owners[~np.isfinite(numbers) | no_state]] = True
        odd &= ~wrong
        message = "a keypoint is not finite, or its visibility neither 0, 1 nor 2"
        self._add(batch, odd, "KEYPOINT_RANGE", message, None, hint)
        return ~(wrong | odd)

    def _add(
        self,
        batch: pa.RecordBatch,
        wrong: Flags,
        code: str,
        message: str,
        values: Array | None,
        hint: str,
        *,
        left_out: bool = True,
    ) -> None:
        found = np.flatnonzero(wrong)
        if found.size:
            self._problems.add_all(
                code,
                len(found),
                lambda n: self._problem(batch, int(found[n]), code, message, values, hint),
                left_out=left_out,
            )

    def _note(
        self, batch: pa.RecordBatch, odd: Flags, code: str, message: str, values: Array | None
    ) -> None:
        found = np.flatnonzero(odd)
        self._problems.note_all(
            code,
            len(found),
            lambda n: self._problem(batch, int(found[n]), code, message, values, ""),
        )

    def _problem(
        self,
        batch: pa.RecordBatch,
        row: int,
        code: str,
        message: str,
        values: Array | None,
        hint: str,
    ) -> Problem:
        id_ = batch["id"][row].as_py()
        value = None if values is None else values[row].tolist()
        shown = "{}" in message
        return Problem(
            code=code,
            file=self._file,
            record=f"annotations[{batch['number'][row]}]" + ("" if id_ is None else f" (id {id_})"),
            value="" if value is None or shown else shortened(value),
            message=message.format(value) if shown else message,
            hint=hint,
        )


def _owners(lists: pa.Array) -> Array:
    """Return which list each item belongs to."""
    return np.repeat(np.arange(len(lists)), np.diff(starts_of(lists)))


def _sums_up(counts: pa.Array, sizes: Array) -> Flags:
    """Return which compressed counts are those of a mask of their size."""
    texts = counts.to_pylist()
    try:
        return _all_sum_up(texts, sizes)
    except SchemaError:
        return np.array([_one_sums_up(text, size) for text, size in zip(texts, sizes, strict=True)])


def _one_sums_up(text: bytes, size: Array) -> bool:
    try:
        return bool(_all_sum_up([text], size[None])[0])
    except SchemaError:
        return False


def _all_sum_up(texts: list[bytes], sizes: Array) -> Flags:
    places = offsets_of(np.array([len(text) for text in texts], np.int64))
    lengths, offsets = decompress(np.frombuffer(b"".join(texts), np.uint8), places)
    sums = offsets_of(lengths)[offsets]
    negative = offsets_of(lengths < 0)[offsets]
    within = ((sizes > 0) & (sizes < 1 << 31)).all(axis=1)
    return within & (np.diff(sums) == sizes[:, 0] * sizes[:, 1]) & (np.diff(negative) == 0)
