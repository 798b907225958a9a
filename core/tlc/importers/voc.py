"""Pascal VOC: a folder of XML files, each about an image and the boxes in it.

Each file is read once. Which classes there are is known after the last one; until then the rows
wait as Arrow batches, beyond a limit in temporary files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import TYPE_CHECKING, Any

from tlc.importers.folders import find_files, local_folder, read_file
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.source import LateFingerprint, Source
from tlc.importers.spill import LATER, Spill
from tlc.importers.text_file import MARK, SAVE_AS_UTF8, check_start
from tlc.importers.voc_boxes import FLAGS, POSE, VocBoxes, voc_batch
from tlc.importers.voc_images import VocImages
from tlc.importers.voc_xml import VocAnnotation, VocXmlError, read_voc_xml
from tlc.importers.yolo_images import shown
from tlc.schemas import BoolSchema, ImageSchema, StringSchema
from tlc.schemas.value_maps import make_value_map
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import Classes

_AT_ONCE = 1 << 15
"""Images and objects that become a batch."""


def from_voc(
    annotations: Url,
    images: Url | None,
    categories: Classes | None,
    *,
    image_set: Url | None,
    on_error: str,
) -> Source:
    """Find annotation files, which are read with the headers of their images for the first batch.

    Args:
        annotations: Folder of XML files.
        images: Folder of the images; None for ``JPEGImages`` beside the annotations, or else the
            folder of the annotations.
        categories: Classes by which names get their ids; None for all names that there are, sorted.
        image_set: Text file with the names of annotation files to read, without their ending.
        on_error: ``"raise"`` or ``"skip"``.

    Raises:
        OptionError: `on_error` is neither.
        UrlNotFoundError: A folder or file does not exist.
        AnnotationFileError: The file of names is no text.
        SchemaError: The categories are none.
    """
    Problems(on_error)  # refuses what is no option, before anything is read
    folder = local_folder(annotations, "annotations")
    place = local_folder(images, "images") if images is not None else _images_beside(folder)
    files = _Files(folder, image_set)
    reading = _Reading(files, place, categories, on_error)
    return Source("voc", reading.batches, reading.schema, reading.fingerprint, reading.report)


def _images_beside(folder: str) -> str:
    beside = os.path.join(os.path.dirname(folder), "JPEGImages")
    return beside if os.path.isdir(beside) else folder


class _Files:
    """The annotation files to read.

    Args:
        folder: Path of the folder that they are in.
        image_set: Text file with their names; None for all.

    Attributes:
        folder: The same path.
        are_all: Whether they are all files in the folder.
    """

    def __init__(self, folder: str, image_set: Url | None) -> None:
        self.folder, self.are_all = folder, image_set is None
        self._listed, self._lines = "", b""
        if image_set is not None:
            self._listed = shown(str(image_set.to_absolute().to_local_path()))
            text = image_set.to_absolute().read_bytes()
            check_start(text, self._listed, None, SAVE_AS_UTF8)
            self._lines = text.removeprefix(MARK)

    def read(self, digest: Any, problems: Problems) -> Iterator[tuple[str, VocAnnotation]]:
        """Yield what the files say, with a path to show of each.

        Args:
            digest: Is updated with the paths and contents of all files.
            problems: Gets files that are not there (``LABEL_MISSING``), that cannot be read
                (``LABEL_UNREADABLE``) and that are no annotations.
        """
        for path in self._paths(problems):
            try:
                data = read_file(path)
            except OSError as error:
                message = f"the annotations cannot be read: {error.strerror}"
                problems.add(_problem("LABEL_UNREADABLE", shown(path), "", message))
                continue
            digest.update(f"{path}\n{len(data)}\n".encode("utf-8", "surrogateescape"))
            digest.update(data)
            try:
                found = read_voc_xml(data)
            except VocXmlError as error:
                record = f"line {error.line}"
                problems.add(_problem(error.code, shown(path), record, str(error)))
                continue
            yield shown(path), found

    def _paths(self, problems: Problems) -> Iterator[str]:
        if self.are_all:
            yield from find_files(self.folder, (".xml",))
        for number, line in enumerate(self._lines.splitlines(), 1):
            # Sets of one class say with a number whether the class is there: -1, 0 or 1.
            name = os.fsdecode(line.split()[0]) if line.split() else ""
            file = os.path.join(self.folder, f"{name}.xml")
            if name and "\0" not in name and os.path.isfile(file):
                yield file
            elif name:
                missing = os.path.join(shown(self.folder), f"{shortened(shown(name))}.xml")
                message = f"there is no annotation file {missing}"
                problems.add(_problem("LABEL_MISSING", self._listed, f"line {number}", message))


class _Reading:
    """One import.

    Attributes:
        schema: Filled when the first batch is taken.
        fingerprint: What the table is made of.
    """

    def __init__(
        self, files: _Files, images: str, categories: Classes | None, on_error: str
    ) -> None:
        self.schema: dict[str, Schema] = {}
        self.fingerprint = LateFingerprint(self._look)
        self._files, self._images, self._on_error = files, images, on_error
        self._categories = categories
        self._given = None if categories is None else _ids(categories)
        self._report: ImportReport | None = None

    def report(self) -> ImportReport | None:
        """Return what was found; None before the first batch was taken."""
        return self._report

    def batches(self) -> Iterator[Batch]:
        """Yield the columns of some images after those of others.

        Raises:
            AnnotationFileError: Files, images or objects are wrong, and may not be.
        """
        problems = Problems(self._on_error)
        boxes = VocBoxes(self._given, problems)
        digest, names = hashlib.sha256(), set[str]()
        with tempfile.TemporaryDirectory(prefix="tlc-voc-") as folder:
            spill = Spill(folder, "rows", LATER)
            rows = self._read(boxes, names, digest, problems, spill)
            problems.check()
            self._report = problems.report(rows)
            self.fingerprint.note(self._told(digest.hexdigest(), names))
            extras = [name for name in (*FLAGS, POSE) if name in boxes.extras]
            self.schema.update(self._schema(names, extras))
            ids = _ids(self._classes(names))
            places = [ids[name] for name in boxes.names]
            for batch in spill:
                yield voc_batch(batch, places, extras)

    def _told(self, digest: str, names: set[str]) -> dict[str, Any]:
        classes = make_value_map(self._classes(names))
        return {
            "url": Url(shown(self._files.folder)).to_relative().to_str(),
            "images": Url(shown(self._images)).to_relative().to_str(),
            "digest": digest,
            "classes": {str(id_): element.name for id_, element in classes.items()},
        }

    def _look(self) -> dict[str, Any]:
        """Read the files for their digest and the names in them only."""
        digest, names = hashlib.sha256(), set[str]()
        for _, annotation in self._files.read(digest, Problems("skip")):
            names |= annotation.names
        return self._told(digest.hexdigest(), names)

    def _read(
        self, boxes: VocBoxes, names: set[str], digest: Any, problems: Problems, spill: Spill
    ) -> int:
        """Put all rows into `spill`, and return how many there are."""
        images, rows = VocImages(self._images, problems), 0
        for path, annotation in self._files.read(digest, problems):
            names |= annotation.names
            image = images.find(path, annotation.values)
            if image is None:
                continue
            boxes.add(path, annotation.objects, image)
            rows += 1
            if len(boxes) >= _AT_ONCE:
                spill.add(boxes.taken())
        if len(boxes) or not rows:  # a table without rows has columns, too
            spill.add(boxes.taken())
        if self._files.are_all:
            images.note_unlisted()
        return rows

    def _classes(self, names: set[str]) -> Classes:
        return sorted(names) if self._categories is None else self._categories

    def _schema(self, names: set[str], extras: list[str]) -> dict[str, Schema]:
        from tlc.data_types import BoundingBoxes2D  # late: not all importers need it

        kinds: dict[str, Schema] = {
            name: StringSchema() if name == POSE else BoolSchema() for name in extras
        }
        boxes = BoundingBoxes2D.schema(classes=self._classes(names), per_instance_schemas=kinds)
        return {"image": ImageSchema(), "bbs": boxes}


def _ids(classes: Classes) -> dict[str, int]:
    return {element.name: int(id_) for id_, element in make_value_map(classes).items()}


def _problem(code: str, file: str, record: str, message: str) -> Problem:
    return Problem(code=code, file=file, record=record, message=message)
