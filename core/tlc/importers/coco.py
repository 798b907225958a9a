"""COCO annotation files: detection, segmentation and keypoints, of any size.

The file is read once, in pieces. What it says goes to arrays, beyond a limit to temporary files;
then to parts of as many images as memory should hold, which become the rows of the table.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

from tlc.errors import OptionError
from tlc.format.manifest import digest
from tlc.importers.coco_file import CocoFile
from tlc.importers.coco_tables import CocoTable
from tlc.importers.report import Problems
from tlc.importers.source import Source
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from tlc.importers.coco_schemas import Options
    from tlc.importers.report import ImportReport
    from tlc.importers.source import Batch
    from tlc.schemas import Schema

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
        OptionError: One of the options is none of the words that it can be.
        UrlNotFoundError: There is no such file.
    """
    _check("task", options.task, _TASKS)
    _check("segmentation_format", options.segmentation_format, _FORMATS)
    Problems(on_error)
    file = annotations_file.to_absolute()
    folder = image_folder.to_absolute() if image_folder is not None else file.parent
    reading = _Reading(file, folder, options, on_error)
    reading.open().close()
    return Source("coco", reading.batches, reading.schema, reading.fingerprint, reading.report)


def _check(name: str, value: str, words: tuple[str, ...]) -> None:
    if value not in words:
        known = ", ".join(map(repr, words))
        raise OptionError(f"{name} is {value!r}.", hint=f"it is one of {known}.")


class _Reading:
    """One import of a file.

    Attributes:
        schema: Filled when the first batch is taken.
        fingerprint: What the table is made of.
    """

    def __init__(self, file: Url, folder: Url, options: Options, on_error: str) -> None:
        self.schema: dict[str, Schema] = {}
        self._file, self._folder, self._options, self._on_error = file, folder, options, on_error
        self._report: ImportReport | None = None
        self.fingerprint = _Fingerprint(self)

    def report(self) -> ImportReport | None:
        """Return what was found; None before all batches were taken."""
        return self._report

    def told(self) -> dict[str, Any]:
        """Return what the caller said."""
        return {
            "url": self._file.to_relative().to_str(),
            "image_folder": self._folder.to_relative().to_str(),
            "options": digest(repr((self._options, self._on_error)).encode()),
        }

    def open(self) -> BinaryIO:
        """Open the file: on this machine as it is, from elsewhere as a whole.

        Raises:
            UrlNotFoundError: There is none.
        """
        path = _local_path(self._file)
        if path is None:
            return io.BytesIO(self._file.read_bytes())
        try:
            return open(path, "rb")
        except OSError:
            self._file.read_bytes()  # which says in our words what is wrong
            raise

    def batches(self) -> Iterator[Batch]:
        """Yield the columns of some images after those of others.

        Raises:
            AnnotationFileError: The file cannot be read, or records are wrong and may not be.
        """
        problems = Problems(self._on_error)
        self.fingerprint.start()
        with tempfile.TemporaryDirectory(prefix="tlc-coco-") as folder:
            with self.open() as file:
                coco = CocoFile(str(self._file), self._options.task, problems, folder)
                coco.read(file)
            table = CocoTable(coco, self._options, problems, folder)
            table.check(self._folder.to_str(), _local_path(self._folder))
            self.schema.update(table.schema)
            yield from table.batches()
        self._report = problems.report(len(table.images.ids))


class _Fingerprint(Mapping[str, Any]):
    """What a table is made of. The digest of the file is made beside the import, or when wanted."""

    def __init__(self, reading: _Reading) -> None:
        self._reading = reading
        self._digest: Any = None

    def start(self) -> None:
        """Let another thread make the digest."""
        if self._digest is None:
            threads = ThreadPoolExecutor(1)
            self._digest = threads.submit(self._hash)
            threads.shutdown(wait=False)

    def _hash(self) -> tuple[int, str]:
        hashed, length = hashlib.sha256(), 0
        with self._reading.open() as file:
            while part := file.read(_HASHED_AT_ONCE):
                hashed.update(part)
                length += len(part)
        return length, f"sha256:{hashed.hexdigest()}"

    def _content(self) -> dict[str, Any]:
        self.start()
        length, content = self._digest.result()
        return {**self._reading.told(), "length": length, "digest": content}

    def __getitem__(self, name: str) -> Any:
        return self._content()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._content())

    def __len__(self) -> int:
        return len(self._content())


def _local_path(url: Url) -> str | None:
    adapter, resolved = UrlAdapterRegistry.resolve(url)
    path = adapter.local_path(resolved)
    return None if path is None else str(path)
