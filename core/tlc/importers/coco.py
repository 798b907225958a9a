"""COCO annotation files: detection, segmentation and keypoints, of any size.

The file is read once, in pieces. What it says goes to arrays, beyond a limit to temporary files;
then to parts of as many images as memory should hold, which become the rows of the table.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError
from tlc.format.manifest import digest
from tlc.importers.coco_bytes import arriving, as_utf8
from tlc.importers.coco_file import MOST_WAITING, CocoFile
from tlc.importers.coco_tables import CocoTable
from tlc.importers.report import Problems
from tlc.importers.source import LateFingerprint, Source
from tlc.importers.spill import IN_MEMORY
from tlc.importers.text_file import known_encoding
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.importers.coco_bytes import Arriving
    from tlc.importers.coco_schemas import Options
    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.schemas import Schema

_SMALL = 512 << 20
_HASHED_AT_ONCE = 1 << 20
_TASKS = ("detect", "segment", "pose")
_FORMATS = ("polygons", "masks")


def from_coco(
    annotations_file: Url, image_folder: Url | None, options: Options, *, on_error: str
) -> Source:
    """Read a COCO annotation file.

    Args:
        annotations_file: The file.
        image_folder: Folder that file names begin at; None for that of the annotation file.
        options: What the caller wants of it.
        on_error: As of `tlc.importers.report.Problems`.

    Raises:
        OptionError: One of the options is none of the words that it can be, or the encoding is not
            known.
        UrlNotFoundError: There is no such file.
    """
    _check("task", options.task, _TASKS)
    _check("segmentation_format", options.segmentation_format, _FORMATS)
    if options.encoding is not None:
        known_encoding(options.encoding)
    Problems(on_error)
    file = annotations_file.to_absolute()
    folder = image_folder.to_absolute() if image_folder is not None else file.parent
    reading = _Reading(file, folder, options, on_error)
    arriving(file).close()
    return Source("coco", reading.batches, reading.schema, reading.fingerprint, reading.report)


def _check(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        known = ", ".join(map(repr, words))
        raise OptionError(f"{name} is {value!r}.", hint=f"it is one of {known}.")


class _Reading:
    """One import of a file.

    Attributes:
        file: The file.
        schema: Filled when the first batch is taken.
        fingerprint: What the table is made of.
    """

    def __init__(self, file: Url, folder: Url, options: Options, on_error: str) -> None:
        self.schema: dict[str, Schema] = {}
        self.file, self._folder, self._options, self._on_error = file, folder, options, on_error
        self._report: ImportReport | None = None
        self.fingerprint = LateFingerprint(self._look)

    def report(self) -> ImportReport | None:
        """Return what was found; None before all batches were taken."""
        return self._report

    def _look(self) -> dict[str, Any]:
        """Read the file for its digest only."""
        with arriving(self.file) as file:
            while file.read(_HASHED_AT_ONCE):
                pass
            return self._told(file)

    def _told(self, file: Arriving) -> dict[str, Any]:
        """Return what the table is made of: of a file that was read to its end."""
        return {
            "url": self.file.to_relative().to_str(),
            "image_folder": self._folder.to_relative().to_str(),
            "options": digest(repr((self._options, self._on_error)).encode()),
            "length": file.length,
            "digest": file.digest,
        }

    def batches(self) -> Iterator[Batch]:
        """Yield the columns of some images after those of others.

        Raises:
            AnnotationFileError: The file cannot be read, or records are wrong and may not be.
        """
        problems = Problems(self._on_error)
        with tempfile.TemporaryDirectory(prefix="tlc-coco-") as folder:
            in_memory = IN_MEMORY if _is_small(self.file) else MOST_WAITING
            coco = CocoFile(str(self.file), self._options.task, problems, folder, in_memory)
            with arriving(self.file) as file:
                coco.read(as_utf8(file, self._options.encoding, self.file))
                self.fingerprint.note(self._told(file))
            table = CocoTable(coco, self._options, problems, folder)
            table.check(self._folder.to_str(), _local_path(self._folder))
            self.schema.update(table.schema)
            yield from table.batches()
        self._report = problems.report(len(table.images.ids))


def _is_small(file: Url) -> bool:
    path = _local_path(file)
    return path is not None and os.path.getsize(path) <= _SMALL


def _local_path(url: Url) -> str | None:
    adapter, resolved = UrlAdapterRegistry.resolve(url)
    path = adapter.local_path(resolved)
    return None if path is None else str(path)
