"""Pascal VOC: a folder of XML files, each about an image and the boxes in it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tlc.importers import annotation_arrays as arrays
from tlc.importers.folders import find_files, local_folder, read_file
from tlc.importers.report import Problem, Problems
from tlc.importers.source import Source
from tlc.importers.text_file import MARK, SAVE_AS_UTF8, check_start
from tlc.importers.voc_boxes import VocBoxes
from tlc.importers.voc_images import VocImages
from tlc.importers.voc_xml import VocAnnotation, VocXmlError, read_voc_xml
from tlc.importers.yolo_images import image_urls, shown
from tlc.schemas import BoolSchema, ImageSchema, StringSchema
from tlc.schemas.value_maps import make_value_map
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import Classes

_BATCH = 8192


@dataclass
class _Files:
    """Annotation files that could be read."""

    paths: list[str] = field(default_factory=list)
    annotations: list[VocAnnotation] = field(default_factory=list)
    digest: str = ""


def from_voc(
    annotations: Url,
    images: Url | None,
    categories: Classes | None,
    *,
    image_set: Url | None,
    on_error: str,
) -> Source:
    """Read annotation files and look at the headers of their images.

    Args:
        annotations: Folder of XML files.
        images: Folder of the images; None for ``JPEGImages`` beside the annotations, or else the
            folder of the annotations.
        categories: Classes by which names get their ids; None for all names that there are, sorted.
        image_set: Text file with the names of annotation files to read, without their ending.
        on_error: ``"raise"`` or ``"skip"``.

    Raises:
        UrlNotFoundError: A folder or file does not exist.
        AnnotationFileError: With ``on_error="raise"``, there are problems.
    """
    problems = Problems(on_error)
    folder = local_folder(annotations, "annotations")
    place = local_folder(images, "images") if images is not None else _images_beside(folder)
    files = _read(_chosen(folder, image_set, problems), problems)
    made = _Voc(files, VocImages(place, problems), categories, problems)
    if image_set is None:
        made.images.note_unlisted()
    fingerprint = {
        "url": Url(shown(folder)).to_relative().to_str(),
        "images": Url(shown(place)).to_relative().to_str(),
        "digest": files.digest,
        "classes": {str(id_): element.name for id_, element in made.classes.items()},
    }
    return Source("voc", made.batches, made.schema(), fingerprint, made.report)


def _images_beside(folder: str) -> str:
    beside = os.path.join(os.path.dirname(folder), "JPEGImages")
    return beside if os.path.isdir(beside) else folder


def _chosen(folder: str, image_set: Url | None, problems: Problems) -> list[str]:
    """Return the annotation files to read."""
    if image_set is None:
        return find_files(folder, (".xml",))
    path = str(image_set.to_absolute().to_local_path())
    text = image_set.to_absolute().read_bytes()
    check_start(text, shown(path), None, SAVE_AS_UTF8)
    chosen = []
    for number, line in enumerate(text.removeprefix(MARK).splitlines(), 1):
        # Sets of one class say with a number whether the class is there: -1, 0 or 1.
        name = os.fsdecode(line.split()[0]) if line.split() else ""
        file = os.path.join(folder, f"{name}.xml")
        if name and "\0" not in name and os.path.isfile(file):
            chosen.append(file)
        elif name:
            message = f"there is no annotation file {shown(file)}"
            problems.add(
                Problem(
                    code="LABEL_MISSING",
                    file=shown(path),
                    record=f"line {number}",
                    message=message,
                )
            )
    return chosen


def _read(paths: list[str], problems: Problems) -> _Files:
    files, digest = _Files(), hashlib.sha256()
    for path in paths:
        try:
            data = read_file(path)
        except OSError as error:
            message = f"the annotations cannot be read: {error.strerror}"
            problems.add(
                Problem(code="LABEL_UNREADABLE", file=shown(path), record="", message=message)
            )
            continue
        digest.update(f"{path}\n{len(data)}\n".encode("utf-8", "surrogateescape"))
        digest.update(data)
        try:
            files.annotations.append(read_voc_xml(data))
            files.paths.append(shown(path))
        except VocXmlError as error:
            record = f"line {error.line}"
            problems.add(
                Problem(code=error.code, file=shown(path), record=record, message=str(error))
            )
    files.digest = digest.hexdigest()
    return files


class _Voc:
    """Annotations, and the columns made of them."""

    def __init__(
        self, files: _Files, images: VocImages, categories: Classes | None, problems: Problems
    ) -> None:
        self.images = images
        self._problems = problems
        names = {
            each.values["name"]
            for annotation in files.annotations
            for each in annotation.objects
            if each.values.get("name")
        }
        self._categories = categories if categories is not None else sorted(names)
        self.classes = make_value_map(self._categories)
        self._boxes = VocBoxes({e.name: int(id_) for id_, e in self.classes.items()}, problems)
        self._urls: list[str] = []
        for path, annotation in zip(files.paths, files.annotations, strict=True):
            if (found := images.find(path, annotation.values)) is not None:
                self._urls.append(found.path)
                self._boxes.add(path, annotation.objects, found.size)

    def schema(self) -> dict[str, Schema]:
        from tlc.data_types import BoundingBoxes2D  # late: not all importers need it

        kinds: dict[str, Schema] = {
            name: StringSchema() if name == "pose" else BoolSchema() for name in self._boxes.extras
        }
        boxes = BoundingBoxes2D.schema(classes=self._categories, per_instance_schemas=kinds)
        return {"image": ImageSchema(), "bbs": boxes}

    def batches(self) -> Iterator[Batch]:
        urls, cells = self._columns
        for start in range(0, len(urls), _BATCH):
            yield {"image": urls[start : start + _BATCH], "bbs": cells[start : start + _BATCH]}

    def report(self) -> ImportReport:
        return self._problems.report(len(self._urls))

    @cached_property
    def _columns(self) -> tuple[pa.Array, pa.Array]:
        found = self._boxes.checked()
        self._problems.check()
        properties: dict[str, Any] = {"label": arrays.numbers(found.labels, pa.int32())}
        for name, values in found.extras.items():
            is_text = name == "pose"
            properties[name] = (
                pa.array(values, pa.string()) if is_text else arrays.flags(np.array(values, bool))
            )
        boxes = arrays.vectors(found.boxes, pa.float32())
        return image_urls(self._urls), arrays.shapes_2d(
            found.sizes, found.offsets, boxes, properties
        )
