"""YOLO data sets: images, and beside them a label file for each."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import ImageReadError, OptionError
from tlc.importers.folders import read_file
from tlc.importers.image_headers import image_size
from tlc.importers.report import Problem, Problems
from tlc.importers.source import LateFingerprint, Source
from tlc.importers.yolo_checks import TASKS
from tlc.importers.yolo_images import check_listed, label_file, list_images, origin, shown
from tlc.importers.yolo_lines import read_lines
from tlc.importers.yolo_parts import Part, YoloRows
from tlc.importers.yolo_schema import (
    PoseLengths,
    found_ids,
    known_classes,
    told_points,
    yolo_schema,
)
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tlc.importers.yolo_checks import Flags
    from tlc.importers.yolo_columns import Points
    from tlc.importers.yolo_images import Listed
    from tlc.schemas.value_maps import Classes

PART = 8192
"""Images that are read at a time,"""

PART_BYTES = 8 << 20
"""or fewer, if so many bytes of labels are reached."""

_Contents = list[bytes | None]


@dataclass(frozen=True)
class YoloOptions:
    """What to read of a YOLO data set.

    Attributes:
        classes: The categories; None for those that there are.
        task: ``"detect"``, ``"segment"``, ``"pose"`` or ``"obb"``.
        on_error: ``"raise"`` or ``"skip"``.
        num_keypoints: How many points an instance of a pose has; None to find out.
        values_per_keypoint: 2, or 3 with visibilities; None to find out.
        pose: Further arguments of the schema of poses.
    """

    classes: Classes | None
    task: str = "detect"
    on_error: str = "raise"
    num_keypoints: int | None = None
    values_per_keypoint: int | None = None
    pose: Mapping[str, Any] = field(default_factory=dict)


def from_yolo_url(places: Sequence[Url], options: YoloOptions) -> Source:
    """Read images and their label files.

    Args:
        places: Folders, text files that list images, or images, on this machine.
        options: What to read.

    Raises:
        UrlNotFoundError: A place does not exist, or there is no image.
        OptionError: An option is none of those that there are.
        AnnotationFileError: With ``on_error="raise"``, there are problems.
    """
    paths = [place.to_absolute().to_local_path().as_posix() for place in places]
    return yolo_source("yolo_url", list_images(paths), options)


def yolo_source(kind: str, listed: Listed, options: YoloOptions) -> Source:
    """Return the source of listed images; see `from_yolo_url`."""
    check_task(options.task)
    return _Labelled(listed, options).source(kind)


def check_task(task: str) -> None:
    """Refuse what is no task.

    Raises:
        OptionError: It is none.
    """
    if task not in TASKS:
        listed = ", ".join(map(repr, TASKS))
        raise OptionError(f"task is {task!r}.", hint=f"it is one of {listed}.")


class _Labelled:
    """Images with label files.

    They are read part by part, each once, and once more before to find out what nobody told.
    """

    def __init__(self, listed: Listed, options: YoloOptions) -> None:
        self._listed = listed
        self._options = options
        self._labels = [label_file(image) for image in listed.images]
        self._classes, self._points = self._told_or_found()
        self._known = known_classes(self._classes)
        self._digest = ""

    def source(self, kind: str) -> Source:
        options = self._options
        rows = YoloRows(options.task, self._known, self._points, options.on_error, self._parts)
        schema = yolo_schema(options.task, self._classes, self._points, options.pose)
        told = {
            "url": Url(shown(os.path.commonpath(self._listed.images))).to_relative().to_str(),
            "images": len(self._listed.images),
            "task": options.task,
        }
        fingerprint = LateFingerprint(lambda: {**told, "digest": self._known_digest()})
        return Source(kind, rows.batches, schema, fingerprint, rows.report)

    def _told_or_found(self) -> tuple[Classes, Points | None]:
        """Return the classes and the points of a pose, for which all labels may have to be read."""
        options = self._options
        classes, points, is_pose = options.classes, None, options.task == "pose"
        if is_pose:
            points = told_points(options.num_keypoints, options.values_per_keypoint)
        if classes is not None and (points is not None or not is_pose):
            return classes, points
        ids: set[int] = set()
        lengths = PoseLengths()
        for _, contents in self._contents(Problems("skip")):
            lines = read_lines(contents, [""] * len(contents), Problems("skip"))
            ids |= found_ids(lines)
            if is_pose:
                lengths.add(lines)
        if classes is None:
            classes = {each: str(each) for each in sorted(ids)}
        if is_pose and points is None:
            points = lengths.points(options.num_keypoints, options.values_per_keypoint)
        return classes, points

    def _known_digest(self) -> str:
        if not self._digest:
            for _ in self._hashed(Problems("skip")):
                pass
        return self._digest

    def _parts(self, problems: Problems) -> Iterator[Part]:
        kept = np.array(check_listed(self._listed, self._labels, problems), bool)
        for start, contents in self._hashed(problems):
            yield self._part(start, contents, kept[start : start + len(contents)], problems)

    def _part(self, start: int, contents: _Contents, kept: Flags, problems: Problems) -> Part:
        """Return images that begin at a position, of which some are not kept from the outset."""
        images = self._listed.images[start : start + len(contents)]
        files = [shown(label) for label in self._labels[start : start + len(contents)]]
        # What is wrong with labels of an image that is listed twice is told once.
        wanted = [content if keep else None for content, keep in zip(contents, kept, strict=True)]
        lines = read_lines(wanted, files, problems)
        kept, sizes = kept.copy(), np.ones((len(images), 2))
        for number in np.flatnonzero(kept).tolist():
            if size := self._size(start + number, problems):
                sizes[number] = size
            else:
                kept[number] = False
        return Part(images, lines, sizes, kept)

    def _size(self, number: int, problems: Problems) -> tuple[int, int] | None:
        image = self._listed.images[number]
        try:
            return image_size(image)
        except FileNotFoundError:
            code, message = "IMG_MISSING", f"there is no image {image!r}"
        except (ImageReadError, OSError) as error:
            code, message = "IMG_UNREADABLE", str(error).rstrip(".")
        file, record = origin(self._listed, number)
        problems.add(Problem(code=code, file=file, record=record, message=message))
        return None

    def _hashed(self, problems: Problems) -> Iterator[tuple[int, _Contents]]:
        """Yield what `_contents` yields, and note the digest of all at the end.

        It tells this input from others: classes, names and sizes of images, all labels.
        """
        digest = hashlib.sha256(repr(self._known).encode("utf-8", "surrogatepass"))
        for start, contents in self._contents(problems):
            for number, content in enumerate(contents, start):
                image = self._listed.images[number]
                known = "none" if content is None else str(len(content))
                line = f"{image}\n{_length(image)} {known}\n"
                digest.update(line.encode("utf-8", "surrogateescape"))
                digest.update(content or b"")
            yield start, contents
        self._digest = digest.hexdigest()

    def _contents(self, problems: Problems) -> Iterator[tuple[int, _Contents]]:
        """Yield the content of some label files after those of others, with where they begin."""
        start, size = 0, 0
        contents: _Contents = []
        for label in self._labels:
            content = _content(label, problems)
            contents.append(content)
            size += len(content or b"")
            if len(contents) >= PART or size >= PART_BYTES:
                yield start, contents
                start, size, contents = start + len(contents), 0, []
        if contents:
            yield start, contents


def _content(label: str, problems: Problems) -> bytes | None:
    try:
        return read_file(label)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"the labels cannot be read: {error.strerror}"
        problems.add(
            Problem(code="LABEL_UNREADABLE", file=shown(label), record="", message=message)
        )
        return None


def _length(file: str) -> int:
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return -1
