"""YOLO data sets: images, and beside them a label file for each."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import ImageReadError, OptionError
from tlc.importers.folders import read_file
from tlc.importers.image_headers import image_size
from tlc.importers.report import Problem, Problems
from tlc.importers.source import Source
from tlc.importers.yolo_checks import TASKS
from tlc.importers.yolo_columns import COLUMNS, Points, YoloColumn, usable_shapes
from tlc.importers.yolo_images import (
    check_listed,
    image_urls,
    label_file,
    list_images,
    origin,
    shown,
)
from tlc.importers.yolo_lines import read_lines
from tlc.importers.yolo_schema import found_classes, known_classes, pose_points, yolo_schema
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.importers.yolo_images import Listed
    from tlc.importers.yolo_lines import Floats, Lines
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import Classes

_BATCH = 8192
# To draw polygons takes much room for a moment, and is faster where that fits a cache.
_BATCH_OF_POLYGONS = 128


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
    """Images with label files: read at once, but for the images' sizes."""

    def __init__(self, listed: Listed, options: YoloOptions) -> None:
        self._listed = listed
        self._options = options
        self._problems = Problems(options.on_error)
        labels = [label_file(image) for image in listed.images]
        self._keep = check_listed(listed, labels, self._problems)
        contents = [_content(label, self._problems) for label in labels]
        files = [shown(label) for label in labels]
        self._lines: Lines = read_lines(contents, files, self._problems)
        self._classes = found_classes(self._lines) if options.classes is None else options.classes
        self._known = known_classes(self._classes)
        self._digest = _digest(listed.images, contents, repr(self._known))
        self._points: Points | None = None
        if options.task == "pose":
            self._points = pose_points(
                self._lines, options.num_keypoints, options.values_per_keypoint
            )

    def source(self, kind: str) -> Source:
        place = os.path.commonpath(self._listed.images)
        fingerprint = {
            "url": Url(shown(place)).to_relative().to_str(),
            "images": len(self._listed.images),
            "digest": self._digest,
            "task": self._options.task,
        }
        return Source(kind, self._batches, self._schema(), fingerprint, self._report)

    def _schema(self) -> dict[str, Schema]:
        options = self._options
        return yolo_schema(options.task, self._classes, self._points, options.pose)

    def _batches(self) -> Iterator[Batch]:
        return yolo_batches(self._options.task, *self._columns)

    def _report(self) -> ImportReport:
        return self._problems.report(len(self._columns[0]))

    @cached_property
    def _columns(self) -> tuple[pa.Array, YoloColumn]:
        sizes, kept = self._sizes()
        lines = self._lines.kept(kept[self._lines.file])
        found = usable_shapes(
            lines, sizes, self._options.task, self._known, self._problems, self._points
        )
        self._problems.check()
        images = np.flatnonzero(kept)
        urls = image_urls([self._listed.images[image] for image in images.tolist()])
        return urls, YoloColumn(self._options.task, found, images, sizes)

    def _sizes(self) -> tuple[Floats, Any]:
        images = self._listed.images
        kept = np.array(self._keep, bool)
        sizes = np.ones((len(images), 2))
        for number, image in enumerate(images):
            if kept[number] and (size := self._size(number, image)):
                sizes[number] = size
            else:
                kept[number] = False
        return sizes, kept

    def _size(self, number: int, image: str) -> tuple[int, int] | None:
        try:
            return image_size(image)
        except FileNotFoundError:
            code, message = "IMG_MISSING", f"there is no image {image!r}"
        except (ImageReadError, OSError) as error:
            code, message = "IMG_UNREADABLE", str(error).rstrip(".")
        file, record = origin(self._listed, number)
        self._problems.add(Problem(code=code, file=file, record=record, message=message))
        return None


def yolo_batches(task: str, urls: pa.Array, column: YoloColumn) -> Iterator[Batch]:
    """Return rows of images and their instances, as batches of columns."""
    size = _BATCH_OF_POLYGONS if task == "segment" else _BATCH
    for start in range(0, len(urls), size):
        stop = min(start + size, len(urls))
        yield {"image": urls[start:stop], COLUMNS[task]: column.batch(start, stop)}


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


def _digest(images: Sequence[str], contents: Sequence[bytes | None], classes: str) -> str:
    """Return what tells this input from others: classes, names and sizes of images, all labels."""
    digest = hashlib.sha256(classes.encode("utf-8", "surrogatepass"))
    for image, content in zip(images, contents, strict=True):
        try:
            size = os.stat(image).st_size
        except (OSError, ValueError):
            size = -1
        known = "none" if content is None else str(len(content))
        digest.update(f"{image}\n{size} {known}\n".encode("utf-8", "surrogateescape"))
        digest.update(content or b"")
    return digest.hexdigest()
