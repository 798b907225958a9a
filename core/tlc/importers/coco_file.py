"""A COCO file as it is: its lists as arrays, and what else it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tlc.errors import AnnotationFileError
from tlc.importers.coco_arrays import (
    EXTRA,
    annotation_batch,
    as_numbers,
    image_batch,
    known,
    unified,
)
from tlc.importers.coco_records import (
    Category,
    DetectAnnotation,
    Image,
    PoseAnnotation,
    RecordReader,
    SegmentAnnotation,
)
from tlc.importers.identifiers import repeated
from tlc.importers.json_stream import BrokenJsonError, JsonObject
from tlc.importers.report import Problem
from tlc.importers.spill import Spill

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from tlc.importers.coco_bytes import Bytes
    from tlc.importers.report import Problems

_KINDS: dict[str, type[Any]] = {
    "detect": DetectAnnotation,
    "segment": SegmentAnnotation,
    "pose": PoseAnnotation,
}
MOST_WAITING = 8 << 20
"""Bytes of what can wait in files that stay in memory while large files are read."""

_LISTS = ("images", "annotations", "categories")
_BAD = "BAD_FILE"
_HINT = 'it is an object with the lists "images", "annotations" and "categories", as JSON'


class CocoFile:
    """What a COCO file says, as far as its records have the right members.

    Args:
        name: What to call the file.
        task: Which members of annotations are wanted.
        problems: Gets the records that are wrong.
        folder: Path of a folder for temporary files.
        in_memory: Bytes of annotations that need not go to files.

    Attributes:
        images: Batches of images.
        image_extras: The same, with their extra members only.
        annotations: Batches of annotations.
        categories: Categories, with their places in the list.
        has_areas: Whether some annotation has an area.
        id_count: How many annotations have an id.
        others: Other members of the file that are short, as JSON values.
    """

    def __init__(
        self, name: str, task: str, problems: Problems, folder: str, in_memory: int
    ) -> None:
        self.name, self.task = name, task
        self.images: list[pa.RecordBatch] = []
        self.image_extras = Spill(folder, "images", MOST_WAITING)
        self.annotations = Spill(folder, "annotations", in_memory)
        self.categories: list[tuple[int, Category]] = []
        self.others: dict[str, Any] = {}
        self.has_areas, self.id_count = False, 0
        self._problems = problems
        self._kinds: dict[str, list[pa.DataType]] = {}

    def read(self, file: Bytes) -> None:
        """Read the file, open at its start.

        Raises:
            AnnotationFileError: It is not JSON, or not of this kind; or too many records are wrong.
        """
        try:
            self._read(JsonObject(file))
        except UnicodeError as error:
            message = f"the text is no text in its encoding: {error}"
            hint = "pass the encoding of the file, none for UTF-8"
            raise self.refused("ENCODING", "", message, hint) from error
        except BrokenJsonError as error:
            message = f"it is no COCO file: {error}"
            raise self.refused(_BAD, f"byte {error.offset}", message) from error

    def repeated(self) -> npt.NDArray[np.int64]:
        """Return the numbers of annotations whose id another one before has, in ascending order."""
        ids = np.empty(self.id_count, np.int64)
        start = 0
        for batch in self.annotations:
            found = as_numbers(batch["id"].drop_null())
            ids[start : start + found.size] = found
            start += found.size
        ids.sort()
        again = np.unique(ids[1:][ids[1:] == ids[:-1]])
        del ids
        found, numbers = [np.empty(0, np.int64)] * 2
        if again.size:
            pairs = [_with_ids(batch, again) for batch in self.annotations]
            found, numbers = (np.concatenate(each) for each in zip(*pairs, strict=True))
        return numbers[repeated(found)]

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
                self._add_images(image_batch(numbers, records, reader.extras))
            elif name == "annotations":
                self._add(annotation_batch(numbers, records, reader.extras))
            else:
                self.categories += zip(numbers, records, strict=True)

    def _add_images(self, batch: pa.RecordBatch) -> None:
        self._note_kinds("images", batch)
        extras = [name for name in batch.schema.names if name.startswith(EXTRA)]
        self.images.append(batch.drop_columns(extras))
        self.image_extras.add(batch.select(["number", *extras]))

    def _add(self, batch: pa.RecordBatch) -> None:
        self.annotations.add(batch)
        self._note_kinds("annotations", batch)
        self.has_areas |= not np.isnan(as_numbers(batch["area"])).all()
        self.id_count += batch.num_rows - batch["id"].null_count

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


def _with_ids(batch: pa.RecordBatch, ids: npt.NDArray[np.int64]) -> tuple[Any, Any]:
    """Return the ids of the annotations that have one of these, and their numbers."""
    chosen = np.isin(as_numbers(batch["id"]), ids) & known(batch["id"])
    return as_numbers(batch["id"])[chosen], as_numbers(batch["number"])[chosen]


def no_annotations(task: str) -> pa.RecordBatch:
    """Return a batch of no annotations, with all columns that batches for a task have."""
    bbox: Any = {"bbox": (0.0, 0.0, 1.0, 1.0)} if task == "detect" else {}
    record = _KINDS[task](image_id=0, category_id=0, **bbox)
    return annotation_batch([0], [record], []).slice(0, 0)
