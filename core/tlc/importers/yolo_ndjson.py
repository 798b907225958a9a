"""YOLO data sets in one file: a line of JSON about the data set, then one for each image."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from tlc.errors import ImageReadError
from tlc.importers.image_headers import image_size
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.source import LateFingerprint, Source
from tlc.importers.text_file import refused
from tlc.importers.yolo import check_task
from tlc.importers.yolo_lines import Lines, finite
from tlc.importers.yolo_parts import Part, Seen, YoloRows, keys_of
from tlc.importers.yolo_records import YoloRecords
from tlc.importers.yolo_schema import PoseLengths, known_classes, told_points, yolo_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.yolo_columns import Points
    from tlc.importers.yolo_records import Annotations, DataSet, Image, Records
    from tlc.url import Url

_MEMBERS = {"detect": "boxes", "segment": "segments", "pose": "pose", "obb": "obb"}


def from_yolo_ndjson(
    url: Url,
    image_folder: Url | None,
    split: str | None,
    *,
    task: str | None,
    on_error: str,
) -> Source:
    """Read the images of one split.

    Args:
        url: The file.
        image_folder: Folder that file names begin at; without it images are at their urls, or
            beside the file if they have none.
        split: Name of the split; None for all images.
        task: ``"detect"``, ``"segment"``, ``"pose"`` or ``"obb"``; None for what the file says.
        on_error: ``"raise"`` or ``"skip"``.

    Raises:
        UrlNotFoundError: There is no such file.
        AnnotationFileError: It is no such file, or with ``on_error="raise"`` a record is wrong.
        OptionError: There is no such split, or an option is none of those that there are.
    """
    place = url.to_absolute()
    records = YoloRecords(place)
    data_set = records.data_set
    if task is None:
        task = _task_of(data_set, records.file)
    check_task(task)
    if split is not None:
        records.check_split(split)
    folder = image_folder.to_absolute() if image_folder is not None else None
    known = known_classes(data_set.class_names)
    points = _points(records, split) if task == "pose" else None

    def parts(problems: Problems) -> Iterator[Part]:
        reader = _PartReader(records.file, task, problems, place.parent, folder)
        return map(reader.part, records.images(split, problems))

    rows = YoloRows(task, known, points, on_error, parts)
    schema = yolo_schema(task, data_set.class_names, points, {})
    told = {
        "url": place.to_relative().to_str(),
        "split": split or "",
        "task": task,
        "images": folder.to_str() if folder else "",
    }
    fingerprint = LateFingerprint(lambda: {**told, "digest": records.digest()})
    return Source("yolo_ndjson", rows.batches, schema, fingerprint, rows.report)


def _task_of(data_set: DataSet, file: str) -> str:
    task = data_set.task or "detect"
    if task not in _MEMBERS:
        raise refused(
            *("NDJSON_DATASET", file, "", "there is no such task"),
            value=repr(task),
            hint=f"pass task=, one of {', '.join(map(repr, _MEMBERS))}.",
        )
    return task


def _points(records: YoloRecords, split: str | None) -> Points:
    """Return the points of poses, for which all records may have to be read."""
    count, dimensions = records.data_set.kpt_shape or (None, None)
    if (points := told_points(count, dimensions)) is not None:
        return points
    lengths = PoseLengths()
    for found in records.images(split, problems := Problems("skip")):
        lengths.add(_label_lines(found, "pose", records.file, problems))
    return lengths.points(count, dimensions)


def _label_lines(records: Records, task: str, file: str, problems: Problems) -> Lines:
    """Return the annotations of the task as lines of labels, as far as they are finite."""
    rows: list[list[float]] = []
    owners: list[int] = []
    for position, image in enumerate(records.images):
        own = getattr(image.annotations, _MEMBERS[task], None) or []
        rows += own
        owners += [position] * len(own)
    start = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in rows], out=start[1:])
    owner = np.array(owners, np.int64)
    lines = Lines(
        [file] * len(records.images),
        owner,
        np.array(records.lines, np.int64)[owner],
        start,
        np.array([value for row in rows for value in row], np.float64),
    )
    return finite(lines, problems)


class _PartReader:
    """Makes parts of records.

    Args:
        file: What to call their file.
        task: Which of their annotations are wanted.
        problems: Gets what is wrong.
        beside: Folder of the file.
        folder: As for `from_yolo_ndjson`.
    """

    def __init__(
        self, file: str, task: str, problems: Problems, beside: Url, folder: Url | None
    ) -> None:
        self._file = file
        self._task = task
        self._problems = problems
        self._beside = beside
        self._folder = folder
        self._seen = Seen()

    def part(self, records: Records) -> Part:
        """Return the part that follows those before."""
        for image, line in zip(records.images, records.lines, strict=True):
            if image.annotations is not None:
                self._check_annotations(image.annotations, line)
        lines = _label_lines(records, self._task, self._file, self._problems)
        places = [self._place(image) for image in records.images]
        sizes, kept = np.ones((len(places), 2)), np.zeros(len(places), bool)
        keys, new = keys_of(places), set[str]()
        was_seen = self._seen.has(keys)
        for position, (image, place) in enumerate(zip(records.images, places, strict=True)):
            line = records.lines[position]
            if was_seen[position] or place in new:
                self._add("DUP_ID", line, "the image is listed twice", place)
            elif size := self._size(image, place, line):
                new.add(place)
                sizes[position] = size
                kept[position] = True
        self._seen.add(keys[kept])
        return Part(places, lines, sizes, kept)

    def _check_annotations(self, annotations: Annotations, line: int) -> None:
        member = _MEMBERS[self._task]
        rows: list[list[float]] | None = getattr(annotations, member)
        if rows is not None:
            if len(set(map(tuple, rows))) < len(rows):
                self._note_repeated(rows, line)
        elif there := [name for name in _MEMBERS.values() if getattr(annotations, name)]:
            message = f"its annotations have {', '.join(there)}, but no {member}"
            self._add("LABEL_FORMAT", line, message)

    def _note_repeated(self, rows: list[list[float]], line: int) -> None:
        seen: set[tuple[float, ...]] = set()
        for number, row in enumerate(map(tuple, rows)):
            if row in seen:
                message = f"annotation {number} repeats one before it, and is kept"
                value = " ".join(f"{each:g}" for each in row)
                self._problems.note(self._problem("DUP_ROW", line, message, value))
            seen.add(row)

    def _place(self, image: Image) -> str:
        """Return where an image is."""
        if self._folder is None:
            named = image.url or image.file.replace("\\", "/")
            return named if "://" in named else (self._beside / named).to_str()
        name = (image.file or os.path.basename(image.url)).replace("\\", "/")
        folders = (self._folder, self._folder / image.split, self._folder / "images" / image.split)
        places = (str((folder / name).to_absolute()) for folder in folders)
        first = next(places)
        if "://" in first or os.path.isfile(first):
            return first
        return next(filter(os.path.isfile, places), first)

    def _size(self, image: Image, place: str, line: int) -> tuple[int, int] | None:
        """Return width and height of an image, None if it cannot be a row."""
        if not (image.file or image.url):
            self._add("IMG_MISSING", line, "the record names no image")
        elif "://" not in place and not os.path.isfile(place):
            self._add("IMG_MISSING", line, f"there is no image {place!r}")
        elif image.width is None or image.height is None:
            return self._size_of_file(place, line)
        elif 0 < image.width < 1 << 31 and 0 < image.height < 1 << 31:
            return image.width, image.height
        else:
            message = f"width and height are {image.width} and {image.height}"
            self._add("IMG_SIZE", line, message)
        return None

    def _size_of_file(self, place: str, line: int) -> tuple[int, int] | None:
        if "://" in place:
            self._add("IMG_SIZE", line, "the record has no width and height")
            return None
        try:
            return image_size(place)
        except (ImageReadError, OSError) as error:
            self._add("IMG_UNREADABLE", line, str(error).rstrip("."))
            return None

    def _add(self, code: str, line: int, message: str, value: str = "") -> None:
        self._problems.add(self._problem(code, line, message, value))

    def _problem(self, code: str, line: int, message: str, value: str) -> Problem:
        return Problem(
            code=code,
            file=self._file,
            record=f"line {line}",
            value=shortened(value),
            message=message,
        )
