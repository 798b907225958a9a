"""YOLO data sets in one file: a line of JSON about the data set, then one for each image."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tlc.errors import ImageReadError, OptionError
from tlc.format.manifest import digest
from tlc.importers.image_headers import image_size
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.source import Source
from tlc.importers.text_file import refused, utf8_text
from tlc.importers.yolo import YoloOptions, check_task, yolo_batches
from tlc.importers.yolo_columns import Points, YoloColumn, usable_shapes
from tlc.importers.yolo_images import image_urls, shown
from tlc.importers.yolo_lines import Lines, finite
from tlc.importers.yolo_schema import known_classes, pose_points, yolo_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.url import Url

_MEMBERS = {"detect": "boxes", "segment": "segments", "pose": "pose", "obb": "obb"}


class _DataSet(msgspec.Struct, gc=False):
    type: str = ""
    task: str = ""
    class_names: dict[int, str] | list[str] = []
    kpt_shape: tuple[int, int] | None = None


class _Annotations(msgspec.Struct, gc=False):
    boxes: list[list[float]] | None = None
    segments: list[list[float]] | None = None
    pose: list[list[float]] | None = None
    obb: list[list[float]] | None = None


class _Image(msgspec.Struct, gc=False):
    type: str = ""
    file: str = ""
    url: str = ""
    width: int | None = None
    height: int | None = None
    split: str = ""
    annotations: _Annotations | None = None


@dataclass
class _Records:
    """Images of a file, with the number of the line of each."""

    images: list[_Image] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    splits: set[str] = field(default_factory=set)


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
    data = place.read_bytes()
    problems = Problems(on_error)
    file = shown(place.to_str())
    lines = utf8_text(data, file).splitlines()
    about, first = _data_set(lines, file)
    if task is None:
        task = _task_of(about, file)
    check_task(task)
    records = _records(lines, first, file, split, problems, cut=not data.endswith(b"\n"))
    if split is not None and not records.images and split not in records.splits:
        raise OptionError(
            f"{file} has no split {split!r}.",
            hint=f"it has {', '.join(map(repr, sorted(records.splits))) or 'none'}.",
        )
    count, values = about.kpt_shape or (None, None)
    options = YoloOptions(about.class_names, task, on_error, count, values)
    folder = image_folder.to_absolute() if image_folder is not None else None
    made = _Ndjson(records, options, problems, file, place.parent, folder)
    known = {"split": split or "", "task": task, "images": folder.to_str() if folder else ""}
    fingerprint = {"url": place.to_relative().to_str(), "digest": digest(data), **known}
    return Source("yolo_ndjson", made.batches, made.schema, fingerprint, made.report)


def _data_set(lines: list[bytes], file: str) -> tuple[_DataSet, int]:
    """Return the record of the data set, and the position of the line after it."""
    for position, line in enumerate(lines):
        if line.strip():
            about = _decoded(line, _DataSet, file, position + 1)
            if about.type == "dataset":
                return about, position + 1
            break
    raise refused(
        *("NDJSON_DATASET", file, "", "it does not begin with the record of a data set"),
        hint='the first line is {"type": "dataset", "task": "detect", "class_names": {"0": ...}}.',
    )


def _task_of(about: _DataSet, file: str) -> str:
    task = about.task or "detect"
    if task not in _MEMBERS:
        raise refused(
            *("NDJSON_DATASET", file, "", "there is no such task"),
            value=repr(task),
            hint=f"pass task=, one of {', '.join(map(repr, _MEMBERS))}.",
        )
    return task


def _decoded(line: bytes, type_: type, file: str, number: int) -> _DataSet:
    try:
        return msgspec.json.decode(line, type=type_, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refused(
            *(_rule(error), file, f"line {number}", str(error)),
            hint="each line is one JSON object.",
        ) from error


def _rule(error: Exception) -> str:
    return "JSON_TYPE" if isinstance(error, msgspec.ValidationError) else "JSON_SYNTAX"


def _records(
    lines: list[bytes], first: int, file: str, split: str | None, problems: Problems, *, cut: bool
) -> _Records:
    found = _Records()
    decoder = msgspec.json.Decoder(_Image)
    for position in range(first, len(lines)):
        if not lines[position].strip():
            continue
        try:
            image = decoder.decode(lines[position])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            is_cut = cut and position == len(lines) - 1
            problems.add(_broken(lines, position, file, error, is_cut=is_cut))
            continue
        found.splits.add(image.split)
        if split is None or image.split == split:
            found.images.append(image)
            found.lines.append(position + 1)
    return found


def _broken(
    lines: list[bytes], position: int, file: str, error: Exception, *, is_cut: bool
) -> Problem:
    record = f"line {position + 1}"
    if is_cut:
        start = sum(len(line) + 1 for line in lines[:position])
        record = f"{record}, byte {start}"
    text = lines[position].decode("utf-8", "backslashreplace")
    return Problem(
        code="NDJSON_TRUNCATED" if is_cut else _rule(error),
        file=file,
        record=record,
        value=shortened(text),
        message="the file ends in the middle of a record" if is_cut else str(error),
        hint="each line is one JSON object.",
    )


class _Ndjson:
    """Records of images, and the columns made of them."""

    def __init__(
        self,
        records: _Records,
        options: YoloOptions,
        problems: Problems,
        file: str,
        beside: Url,
        folder: Url | None,
    ) -> None:
        self._records = records
        self._options = options
        self._problems = problems
        self._file = file
        self._beside = beside
        self._folder = folder
        self._lines = finite(self._all_lines(), problems)
        classes = options.classes or {}
        self._known = known_classes(classes)
        self._points: Points | None = None
        if options.task == "pose":
            self._points = pose_points(
                self._lines, options.num_keypoints, options.values_per_keypoint
            )
        self.schema = yolo_schema(options.task, classes, self._points, options.pose)

    def batches(self) -> Iterator[Batch]:
        return yolo_batches(self._options.task, *self._columns)

    def report(self) -> ImportReport:
        return self._problems.report(len(self._columns[0]))

    @cached_property
    def _columns(self) -> tuple[pa.Array, YoloColumn]:
        urls, sizes, kept = self._images()
        lines = self._lines.kept(kept[self._lines.file])
        task = self._options.task
        found = usable_shapes(lines, sizes, task, self._known, self._problems, self._points)
        self._problems.check()
        images = np.flatnonzero(kept)
        return image_urls(urls), YoloColumn(task, found, images, sizes)

    def _all_lines(self) -> Lines:
        """Return the annotations of the task, of all images."""
        member = _MEMBERS[self._options.task]
        rows: list[list[float]] = []
        owners: list[int] = []
        for position, image in enumerate(self._records.images):
            own = getattr(image.annotations, member, None)
            if own is None and image.annotations is not None:
                self._check_member(position, image.annotations)
            if own and len(set(map(tuple, own))) < len(own):
                self._note_repeated(position, own)
            rows += own or []
            owners += [position] * len(own or [])
        counts = [len(row) for row in rows]
        file = np.array(owners, np.int64)
        numbers = np.array(self._records.lines, np.int64)[file] if owners else file
        return Lines(
            [self._file] * len(self._records.images),
            file,
            numbers,
            np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
            np.array([value for row in rows for value in row], np.float64),
        )

    def _note_repeated(self, position: int, rows: list[list[float]]) -> None:
        seen: set[tuple[float, ...]] = set()
        for number, row in enumerate(map(tuple, rows)):
            if row in seen:
                message = f"annotation {number} repeats one before it, and is kept"
                value = " ".join(f"{each:g}" for each in row)
                self._problems.note(self._problem("DUP_ROW", position, message, value))
            seen.add(row)

    def _check_member(self, position: int, annotations: _Annotations) -> None:
        there = [name for name in _MEMBERS.values() if getattr(annotations, name)]
        if there:
            member = _MEMBERS[self._options.task]
            message = f"its annotations have {', '.join(there)}, but no {member}"
            self._add("LABEL_FORMAT", position, message)

    def _images(self) -> tuple[list[str], npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        urls: list[str] = []
        records = self._records.images
        sizes, kept = np.ones((len(records), 2)), np.zeros(len(records), bool)
        seen: set[str] = set()
        for position, image in enumerate(records):
            url = self._place(image)
            if url in seen:
                self._add("DUP_ID", position, "the image is listed twice", url)
            elif size := self._size(position, image, url):
                seen.add(url)
                urls.append(url)
                sizes[position] = size
                kept[position] = True
        return urls, sizes, kept

    def _place(self, image: _Image) -> str:
        """Return where an image is."""
        if self._folder is None:
            return image.url or (self._beside / image.file.replace("\\", "/")).to_str()
        name = image.file or os.path.basename(image.url)
        folders = (self._folder, self._folder / image.split, self._folder / "images" / image.split)
        places = [str((folder / name.replace("\\", "/")).to_absolute()) for folder in folders]
        if "://" in places[0] or "\0" in name:
            return places[0]
        return next((place for place in places if os.path.exists(place)), places[0])

    def _size(self, position: int, image: _Image, url: str) -> tuple[int, int] | None:
        """Return width and height of an image, None if it cannot be a row."""
        if not (image.file or image.url):
            self._add("IMG_MISSING", position, "the record names no image")
        elif "://" not in url and ("\0" in url or not os.path.exists(url)):
            self._add("IMG_MISSING", position, f"there is no image {url!r}")
        elif image.width is None or image.height is None:
            return self._size_of_file(position, url)
        elif 0 < image.width < 1 << 31 and 0 < image.height < 1 << 31:
            return image.width, image.height
        else:
            message = f"width and height are {image.width} and {image.height}"
            self._add("IMG_SIZE", position, message)
        return None

    def _size_of_file(self, position: int, url: str) -> tuple[int, int] | None:
        if "://" in url:
            self._add("IMG_SIZE", position, "the record has no width and height")
            return None
        try:
            return image_size(url)
        except (ImageReadError, OSError) as error:
            self._add("IMG_UNREADABLE", position, str(error).rstrip("."))
            return None

    def _add(self, code: str, position: int, message: str, value: str = "") -> None:
        self._problems.add(self._problem(code, position, message, value))

    def _problem(self, code: str, position: int, message: str, value: str) -> Problem:
        return Problem(
            code=code,
            file=self._file,
            record=f"line {self._records.lines[position]}",
            value=shortened(value),
            message=message,
        )
