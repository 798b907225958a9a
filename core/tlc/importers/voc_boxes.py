"""The boxes of Pascal VOC annotations, checked all at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.importers.report import Problem, Problems, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from tlc.importers.voc_xml import VocObject

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_FLAGS = ("difficult", "truncated", "occluded")
_NO = frozenset(("", "0", "false", "no", "unspecified"))
_YES = frozenset(("1", "true", "yes"))
_TOLERANCE = 1e-3
_FARTHEST = 1e7


@dataclass(frozen=True)
class CheckedBoxes:
    """Boxes of all images, those of an image together.

    Attributes:
        sizes: Width and height of each image, shape `(images, 2)`.
        offsets: Where the boxes of each image begin, and the last ones end.
        boxes: x_min, y_min, x_max, y_max in pixels, shape `(boxes, 4)`.
        labels: Id of the class of each box.
        extras: What else is known of each box, by name.
    """

    sizes: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    extras: dict[str, list[Any]]


class VocBoxes:
    """Collects objects.

    Args:
        classes: Name to id.
        problems: Gets objects that lack something (``LABEL_FORMAT``), of a class that is not known
            (``DANGLING_REF``), with a box that has no area or lies outside of the image
            (``BOX_RANGE``), and notes of boxes that reach out of it (``BOX_OUTSIDE``) and of
            objects that a file repeats (``DUP_ROW``).
    """

    def __init__(self, classes: Mapping[str, int], problems: Problems) -> None:
        self._classes = classes
        self._problems = problems
        self._sizes: list[tuple[int, int]] = []
        self._files: list[str] = []
        self._owners: list[int] = []
        self._objects: list[VocObject] = []
        self._boxes: list[list[float]] = []

    @property
    def extras(self) -> list[str]:
        """Names of what else objects have, in one of the files at least."""
        names = {name for each in self._objects for name in each.values}
        return [name for name in (*_FLAGS, "pose") if name in names]

    def add(self, file: str, objects: Sequence[VocObject], size: tuple[int, int]) -> None:
        """Add the objects of an image."""
        seen: set[tuple[Any, ...]] = set()
        for each in objects:
            box = self._usable(file, each)
            if box is None:
                continue
            key = (each.values["name"], *box)
            if key in seen:
                message = "it repeats an object before it, and is kept"
                self._problems.note(_problem("DUP_ROW", file, each, message))
            seen.add(key)
            self._owners.append(len(self._files))
            self._objects.append(each)
            self._boxes.append(box)
        self._files.append(file)
        self._sizes.append(size)

    def checked(self) -> CheckedBoxes:
        """Return the boxes that are right, cut at the border if they are slightly outside."""
        sizes = np.array(self._sizes, np.int64).reshape(-1, 2)
        owners = np.array(self._owners, np.int64)
        boxes = np.array(self._boxes, np.float64).reshape(-1, 4)
        limits = np.tile(sizes[owners], 2)
        slack = np.maximum(1.0, limits * _TOLERANCE)
        turned = np.asarray((boxes[:, 2:] <= boxes[:, :2]).any(1))
        inside = np.clip(boxes, 0, limits)
        outside = np.asarray((inside[:, 2:] <= inside[:, :2]).any(1)) & ~turned
        outside |= np.asarray((np.abs(boxes) > _FARTHEST).any(1)) & ~turned
        keep = ~(turned | outside)
        for position in np.flatnonzero(~keep).tolist():
            self._report(position, is_turned=bool(turned[position]))
        near = np.asarray(((boxes >= -slack) & (boxes <= limits + slack)).all(1))
        for position in np.flatnonzero(keep & ~near).tolist():
            self._note(position)
        self._problems.clipped += int((inside != boxes).any(1)[keep & near].sum())
        boxes = np.where(near[:, None], inside, boxes)
        chosen = [self._objects[position] for position in np.flatnonzero(keep).tolist()]
        counts = np.bincount(owners[keep], minlength=len(sizes))
        ids = [self._classes[each.values["name"]] for each in chosen]
        return CheckedBoxes(
            sizes,
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            boxes[keep],
            np.array(ids, np.int64),
            {name: [_extra(name, each) for each in chosen] for name in self.extras},
        )

    def _usable(self, file: str, each: VocObject) -> list[float] | None:
        """Return the box of an object, None if the object lacks something."""
        wrong = self._wrong(each)
        if wrong is not None:
            self._problems.add(_problem(wrong[0], file, each, *wrong[1:]))
            return None
        return [float(each.values[corner]) for corner in _CORNERS]

    def _wrong(self, each: VocObject) -> tuple[str, ...] | None:
        """Return the rule that an object breaks, what is wrong with it, and the value if any."""
        name = each.values.get("name", "")
        if not name:
            return "LABEL_FORMAT", "the object has no name"
        if name not in self._classes:
            return "DANGLING_REF", "its class is none of the categories", name
        for flag in _FLAGS:
            text = each.values.get(flag, "")
            if text.lower() not in _NO | _YES:
                return "LABEL_FORMAT", f"<{flag}> is not 0 or 1", text
        for corner in _CORNERS:
            text = each.values.get(corner, "")
            if (number := _number(text)) is None:
                return "LABEL_FORMAT", f"<{corner}> is no number", text
            if not math.isfinite(number):
                return "BOX_RANGE", f"<{corner}> is not finite", text
        return None

    def _report(self, position: int, *, is_turned: bool) -> None:
        each = self._objects[position]
        message = (
            "a box has no area: its corners are swapped or the same"
            if is_turned
            else f"a box lies outside of its image, of {self._sizes[self._owners[position]]}"
        )
        text = " ".join(each.values[corner] for corner in _CORNERS)
        file = self._files[self._owners[position]]
        self._problems.add(_problem("BOX_RANGE", file, each, message, text))

    def _note(self, position: int) -> None:
        each, file = self._objects[position], self._files[self._owners[position]]
        message = "a box reaches out of its image, and is left as it is"
        text = " ".join(each.values[corner] for corner in _CORNERS)
        self._problems.note(_problem("BOX_OUTSIDE", file, each, message, text))


def _problem(code: str, file: str, each: VocObject, message: str, value: str = "") -> Problem:
    record = f"line {each.line}"
    return Problem(code=code, file=file, record=record, value=shortened(value), message=message)


def _extra(name: str, each: VocObject) -> Any:
    text = each.values.get(name, "")
    return text if name == "pose" else text.lower() in _YES


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
