"""A COCO file as it is: its lists as arrays, and what else it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec
import numpy as np

from tlc.errors import AnnotationFileError
from tlc.importers.coco_arrays import EXTRA, annotation_batch, as_numbers, image_batch, unified
from tlc.importers.coco_records import (
    Category,
    DetectAnnotation,
    Image,
    PoseAnnotation,
    RecordReader,
    SegmentAnnotation,
)
from tlc.importers.json_stream import BrokenJsonError, JsonObject
from tlc.importers.report import Problem
from tlc.importers.spill import Spill

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.importers.report import Problems

_KINDS: dict[str, type[Any]] = {
    "detect": DetectAnnotation,
    "segment": SegmentAnnotation,
    "pose": PoseAnnotation,
}
_LISTS = ("images", "annotations", "categories")
_MARK = b"\xef\xbb\xbf"
_ENCODINGS = {
    b"\xff\xfe": "it is UTF-16",
    b"\xfe\xff": "it is UTF-16",
    b"\0": "it is UTF-16 or UTF-32",
    b"\x1f\x8b": "it is compressed with gzip",
    b"PK": "it is a zip file",
}
_BAD = "BAD_FILE"
_HINT = 'it is an object with the lists "images", "annotations" and "categories", as UTF-8 JSON'


class CocoFile:
    """What a COCO file says, as far as its records have the right members.

    Args:
        name: What to call the file.
        task: Which members of annotations are wanted.
        problems: Gets the records that are wrong.
        folder: Path of a folder for temporary files.

    Attributes:
        images: Batches of images, with their extra members.
        annotations: Batches of annotations.
        categories: Categories, with their places in the list.
        has_areas: Whether some annotation has an area.
        others: Other members of the file that are short, as JSON values.
    """

    def __init__(self, name: str, task: str, problems: Problems, folder: str) -> None:
        self.name, self.task = name, task
        self.images: list[pa.RecordBatch] = []
        self.annotations = Spill(folder, "annotations")
        self.categories: list[tuple[int, Category]] = []
        self.others: dict[str, Any] = {}
        self.has_areas = False
        self._problems = problems
        self._ids: list[tuple[Any, Any]] = []
        self._kinds: dict[str, list[pa.DataType]] = {}

    def read(self, file: BinaryIO) -> None:
        """Read the file, open at its start.

        Raises:
            AnnotationFileError: It is not JSON, or not of this kind; or too many records are wrong.
        """
        self._skip_mark(file)
        try:
            self._read(JsonObject(file))
        except BrokenJsonError as error:
            message = f"it is no COCO file: {error}"
            raise self.refused(_BAD, f"byte {error.offset}", message) from error

    def ids(self) -> tuple[Any, Any]:
        """Return the ids of annotations that have one, and the numbers of these."""
        none = np.empty(0, np.int64)
        pairs = self._ids or [(none, none)]
        return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])

    def extras(self, batches: str) -> dict[str, pa.DataType]:
        """Return the type of each extra member of ``"images"`` or ``"annotations"``."""
        start = f"{batches}:"
        return {
            name.removeprefix(start): unified(kinds)
            for name, kinds in self._kinds.items()
            if name.startswith(start)
        }

    def refused(
        self, code: str, record: str, message: str, hint: str = _HINT
    ) -> AnnotationFileError:
        """Return an error of the file as a whole, which nothing can be left out for."""
        problem = Problem(code=code, file=self.name, record=record, message=message, hint=hint)
        return AnnotationFileError(str(problem), hint=f"{hint}.", problems=[problem])

    def _read(self, source: JsonObject) -> None:
        seen: set[str] = set()
        for name in source.names():
            if name in seen:
                raise self.refused(_BAD, "", f"it has the member {name!r} twice")
            seen.add(name)
            if name not in _LISTS:
                self._keep(name, source.skip())
            elif source.is_list():
                self._read_list(name, source)
            else:
                raise self.refused(_BAD, name, "it is not a list")
        source.check_end()
        missing = {"images", "categories"} - seen
        if missing:
            listed = " and ".join(sorted(missing))
            raise self.refused(_BAD, "", f"it is no COCO file: {listed} are missing")

    def _read_list(self, name: str, source: JsonObject) -> None:
        lists: dict[str, type[msgspec.Struct]] = {"images": Image, "categories": Category}
        kind = lists.get(name, _KINDS[self.task])
        reader = RecordReader(kind, name, self.name, self._problems)
        for numbers, records in reader.read(source):
            if not records:
                continue
            if name == "images":
                self.images.append(image_batch(numbers, records, reader.extras))
                self._note_kinds(name, self.images[-1])
            elif name == "annotations":
                self._add(annotation_batch(numbers, records, reader.extras))
            else:
                self.categories += zip(numbers, records, strict=True)

    def _add(self, batch: pa.RecordBatch) -> None:
        self.annotations.add(batch)
        self._note_kinds("annotations", batch)
        self.has_areas |= not np.isnan(as_numbers(batch["area"])).all()
        ids, numbers = batch["id"], batch["number"]
        if ids.null_count:
            there = ids.is_valid()
            ids, numbers = ids.filter(there), numbers.filter(there)
        if len(ids):
            self._ids.append((as_numbers(ids), as_numbers(numbers)))

    def _note_kinds(self, name: str, batch: pa.RecordBatch) -> None:
        for field in batch.schema:
            if field.name.startswith(EXTRA):
                kinds = self._kinds.setdefault(f"{name}:{field.name.removeprefix(EXTRA)}", [])
                if field.type not in kinds:
                    kinds.append(field.type)

    def _keep(self, name: str, text: bytes | None) -> None:
        try:
            value = msgspec.json.decode(text or b"")
            msgspec.json.encode({name: value})  # half a character can be read, but not written
            self.others[name] = value
        except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError):
            message = "the member is not kept: it is long, or no JSON"
            self._problems.note(
                Problem(code="MEMBER_LEFT_OUT", file=self.name, record=name, message=message)
            )

    def _skip_mark(self, file: BinaryIO) -> None:
        start = file.read(4)
        for mark, message in _ENCODINGS.items():
            if start.startswith(mark) or (mark == b"\0" and mark in start):
                raise self.refused(_BAD, "", f"{message}, not UTF-8 JSON")
        file.seek(len(_MARK) if start.startswith(_MARK) else 0)


def no_annotations(task: str) -> pa.RecordBatch:
    """Return a batch of no annotations, with all columns that batches for a task have."""
    bbox: Any = {"bbox": (0.0, 0.0, 1.0, 1.0)} if task == "detect" else {}
    record = _KINDS[task](image_id=0, category_id=0, **bbox)
    return annotation_batch([0], [record], []).slice(0, 0)
