"""The boxes of Pascal VOC annotations: checked one by one, and kept as columns."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tlc.importers import annotation_arrays as arrays
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.voc_xml import as_number
from tlc.importers.yolo_images import image_urls

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tlc.importers.source import Batch
    from tlc.importers.voc_images import VocImage
    from tlc.importers.voc_xml import VocObject

    Box = tuple[float, ...]

FLAGS = ("difficult", "truncated", "occluded")
"""What an object may be, in the order of the columns."""

POSE = "pose"
"""What an object may have, as text."""

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_YES = frozenset(("1", "true", "yes"))
_KNOWN = frozenset(("", "0", "false", "no", "unspecified")) | _YES
_TOLERANCE = 1e-3
_FARTHEST = 1e7


class VocBoxes:
    """Collects images and their objects until they are taken as a batch.

    Args:
        classes: Names of the classes; None if any name is one.
        problems: Gets objects that lack something (``LABEL_FORMAT``), of a class that is not known
            (``DANGLING_REF``), with a box that has no area or lies outside of the image
            (``BOX_RANGE``), and notes of boxes that reach out of it (``BOX_OUTSIDE``) and of
            objects that a file repeats (``DUP_ROW``). Boxes that reach out of it a little are cut
            at the border, and counted.

    Attributes:
        names: The names of classes, in the order of their numbers in batches.
        extras: Which of `FLAGS` and `POSE` objects have, in one of the files at least.
    """

    def __init__(self, classes: Collection[str] | None, problems: Problems) -> None:
        self.names: dict[str, int] = {}
        self.extras: set[str] = set()
        self._classes = None if classes is None else frozenset(classes)
        self._problems = problems
        self._clear()

    def __len__(self) -> int:
        """Return how many images and objects there are."""
        return len(self._paths) + len(self._labels)

    def add(self, file: str, objects: Sequence[VocObject], image: VocImage) -> None:
        """Add an image, and those of its objects that are right."""
        seen: set[tuple[str, Box]] = set()
        for each in objects:
            try:
                written = self._checked(each)
                box = self._placed(file, each, written, image.size)
            except _WrongObjectError as error:
                self._problems.add(_problem(error.code, file, each, str(error), error.value))
                continue
            name = each.values["name"]
            if (name, written) in seen:
                message = "it repeats an object before it, and is kept"
                self._problems.note(_problem("DUP_ROW", file, each, message))
            seen.add((name, written))
            self._corners.extend(box)
            self._labels.append(self.names.setdefault(name, len(self.names)))
            for flag in FLAGS:
                self._flags[flag].append(each.values.get(flag, "").lower() in _YES)
            self._poses.append(each.values.get(POSE, ""))
        self._paths.append(image.path)
        self._sizes.extend(image.size)
        self._offsets.append(len(self._labels))

    def taken(self) -> pa.RecordBatch:
        """Return what there is, and let go of it.

        Returns:
            A row for each image: ``image``, ``width`` and ``height``, and lists with an element for
            each object: ``box``, ``label``, `FLAGS` and `POSE`. A label is the place of a name in
            `names`.
        """
        offsets = np.array(self._offsets, np.int32)
        sizes = np.array(self._sizes, np.int64).reshape(-1, 2)
        boxes = np.array(self._corners, np.float64).reshape(-1, 4)
        objects = {
            "box": arrays.vectors(boxes, pa.float32()),
            "label": arrays.numbers(np.array(self._labels), pa.int32()),
            **{flag: arrays.flags(np.array(self._flags[flag], bool)) for flag in FLAGS},
            POSE: pa.array(self._poses, pa.string()),
        }
        columns = {
            "image": image_urls(self._paths),
            "width": arrays.numbers(sizes[:, 0], pa.int64()),
            "height": arrays.numbers(sizes[:, 1], pa.int64()),
            **{name: arrays.lists(values, offsets) for name, values in objects.items()},
        }
        self._clear()
        return pa.RecordBatch.from_pydict(columns)

    def _clear(self) -> None:
        self._paths: list[str] = []
        self._sizes, self._offsets = array("q"), array("q", [0])
        self._corners, self._labels = array("d"), array("q")
        self._flags = {flag: array("b") for flag in FLAGS}
        self._poses: list[str] = []

    def _checked(self, each: VocObject) -> Box:
        """Return the corners of an object as they are written: left, top, right, bottom."""
        name = each.values.get("name", "")
        if not name:
            raise _WrongObjectError("LABEL_FORMAT", "the object has no name")
        if self._classes is not None and name not in self._classes:
            raise _WrongObjectError("DANGLING_REF", "its class is none of the categories", name)
        for flag in FLAGS:
            text = each.values.get(flag, "")
            if text.lower() not in _KNOWN:
                raise _WrongObjectError("LABEL_FORMAT", f"<{flag}> is not 0 or 1", text)
        box = tuple(_corner(each, corner) for corner in _CORNERS)
        self.extras.update(name for name in (*FLAGS, POSE) if name in each.values)
        return box

    def _placed(self, file: str, each: VocObject, box: Box, size: tuple[int, int]) -> Box:
        """Return a box as it is to be kept: cut at the border if it is slightly outside."""
        limits = size * 2
        if 0 <= box[0] < box[2] <= min(size[0], _FARTHEST) and (
            0 <= box[1] < box[3] <= min(size[1], _FARTHEST)
        ):
            return box
        inside = tuple(min(max(at, 0.0), limit) for at, limit in zip(box, limits, strict=True))
        if not _has_area(box):
            message = "a box has no area: its corners are swapped or the same"
            raise _WrongObjectError("BOX_RANGE", message, _text(each))
        if not _has_area(inside) or max(map(abs, box)) > _FARTHEST:
            message = f"a box lies outside of its image, of {size}"
            raise _WrongObjectError("BOX_RANGE", message, _text(each))
        for at, limit in zip(box, limits, strict=True):
            slack = max(1.0, limit * _TOLERANCE)
            if not -slack <= at <= limit + slack:
                message = "a box reaches out of its image, and is left as it is"
                self._problems.note(_problem("BOX_OUTSIDE", file, each, message, _text(each)))
                return box
        self._problems.clipped += 1
        return inside


def voc_batch(batch: pa.RecordBatch, ids: Sequence[int], extras: Collection[str]) -> Batch:
    """Return rows of a table.

    Args:
        batch: What `VocBoxes.taken` returned, not a slice of it.
        ids: Ids of the classes, in the order of `VocBoxes.names`.
        extras: Columns to keep beside the label.
    """
    labels = batch["label"].values.to_numpy()
    properties: Mapping[str, pa.Array] = {
        "label": arrays.numbers(np.array(ids, np.int32)[labels], pa.int32()),
        **{name: batch[name].values for name in extras},
    }
    sizes = np.stack([batch["width"].to_numpy(), batch["height"].to_numpy()], axis=1)
    boxes = batch["box"]
    return {
        "image": batch["image"],
        "bbs": arrays.shapes_2d(sizes, boxes.offsets.to_numpy(), boxes.values, properties),
    }


class _WrongObjectError(ValueError):
    """An object breaks the rule `code`; `value` is what stands there."""

    def __init__(self, code: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.code, self.value = code, value


def _corner(each: VocObject, corner: str) -> float:
    text = each.values.get(corner, "")
    number = as_number(text)
    if number is None:
        raise _WrongObjectError("LABEL_FORMAT", f"<{corner}> is no number", text)
    if not math.isfinite(number):
        raise _WrongObjectError("BOX_RANGE", f"<{corner}> is not finite", text)
    return number + 0.0  # which makes 0 of -0


def _has_area(box: Box) -> bool:
    left, top, right, bottom = box
    return left < right and top < bottom


def _text(each: VocObject) -> str:
    return " ".join(each.values[corner] for corner in _CORNERS)


def _problem(code: str, file: str, each: VocObject, message: str, value: str = "") -> Problem:
    record = f"line {each.line}"
    return Problem(code=code, file=file, record=record, value=shortened(value), message=message)
