"""The images of a COCO file: their ids, files and sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tlc.errors import ImageReadError
from tlc.importers.coco_arrays import as_numbers
from tlc.importers.identifiers import repeated
from tlc.importers.image_headers import image_size
from tlc.importers.image_paths import ImagePaths, is_elsewhere
from tlc.importers.report import Problem, shortened
from tlc.url.expansion import AliasTable

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.importers.report import Problems

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

_LARGEST = 1 << 31


@dataclass
class CocoImages:
    """The images of a file, in its order.

    Attributes:
        ids: As they are written; all different.
        numbers: Place of each in the list of the file.
        names: As they are written.
        urls: Where they are.
        widths: Pixels, NaN if that is not known.
        heights: Likewise.
        extras: Other members of their records.
    """

    ids: Integers
    numbers: Integers
    names: list[str]
    widths: Floats
    heights: Floats
    extras: dict[str, pa.Array]
    urls: list[str] = field(default_factory=list)

    def problem(
        self, row: int, code: str, message: str, value: object = "", **more: str
    ) -> Problem:
        """Return a problem of an image; `more` are ``file`` and ``hint``."""
        return Problem(
            code=code,
            record=f"images[{self.numbers[row]}] (id {self.ids[row]})",
            message=message,
            value=shortened(value),
            **more,
        )


def coco_images(
    batch: pa.RecordBatch, extras: dict[str, pa.Array], file: str, problems: Problems
) -> CocoImages:
    """Return the images of records, without those whose id another one has.

    Args:
        batch: As `tlc.importers.coco_arrays.image_batch` makes it.
        extras: Other members.
        file: What to call the annotation file.
        problems: Gets what is wrong.
    """
    images = CocoImages(
        as_numbers(batch.column("id")),
        as_numbers(batch.column("number")),
        batch.column("file_name").to_pylist(),
        as_numbers(batch.column("width")),
        as_numbers(batch.column("height")),
        extras,
    )
    again = repeated(images.ids)
    if not again.size:
        return images

    def problem(number: int) -> Problem:
        return images.problem(
            int(again[number]),
            "DUP_ID",
            "another image has the same id",
            file=file,
            hint="give each image an id of its own: nobody can tell what refers to which",
        )

    problems.add_all("DUP_ID", len(again), problem)
    kept = np.setdiff1d(np.arange(len(images.ids)), again)
    rows = pa.array(kept)
    return CocoImages(
        images.ids[kept],
        images.numbers[kept],
        [images.names[row] for row in kept],
        images.widths[kept],
        images.heights[kept],
        {name: cells.take(rows) for name, cells in extras.items()},
    )


def find_files(
    images: CocoImages, folder: str, local: str | None, file: str, problems: Problems
) -> None:
    """Find the files of images, and what size those are that the annotation file is silent about.

    Args:
        images: Gets `urls`, `widths` and `heights`.
        folder: Absolute url that names begin at.
        local: Path of that folder on this machine; None if it is elsewhere, where nothing is
            looked for.
        file: What to call the annotation file.
        problems: Gets what is wrong.
    """
    report = _Reporter(images, file, problems)
    _check_sizes(images, report)
    _check_names(images, report)
    paths = ImagePaths(local if local is not None else folder)
    urls: list[str] = []
    for row, name in enumerate(images.names):
        if is_elsewhere(name) or local is None:
            urls.append(paths.path(name))
            continue
        found = paths.find(name)
        if found is None:
            report.missing(row, local)
        elif found[1]:
            report.note(row, "PATH_MATCHED", f"the image was found when {found[1]}", name)
        urls.append(found[0] if found else paths.path(name))
    for row in np.flatnonzero(np.isnan(images.widths) | np.isnan(images.heights)).tolist():
        _read_size(images, row, urls[row], report)
    unlisted = paths.unlisted()
    problems.note_all("IMG_UNLISTED", len(unlisted), lambda n: _unlisted(unlisted[n], file))
    aliases = AliasTable()
    images.urls = [aliases.apply(url) for url in urls] if aliases else urls


class _Reporter:
    """Makes problems of images; the image stays in the table."""

    def __init__(self, images: CocoImages, file: str, problems: Problems) -> None:
        self._images, self._file, self._problems = images, file, problems

    def add(self, row: int, code: str, message: str, value: object, hint: str) -> None:
        more = {"file": self._file, "hint": hint}
        self._problems.add(self._images.problem(row, code, message, value, **more), left_out=False)

    def note(self, row: int, code: str, message: str, value: object) -> None:
        self._problems.note(self._images.problem(row, code, message, value, file=self._file))

    def missing(self, row: int, folder: str) -> None:
        self.add(
            row,
            "IMG_MISSING",
            f"there is no such image in {folder}",
            self._images.names[row],
            "image_folder is the folder that the file names begin at",
        )


def _unlisted(path: str, file: str) -> Problem:
    message = "the annotation file does not list this image"
    return Problem(code="IMG_UNLISTED", file=path, record="", message=message, value=file)


def _check_sizes(images: CocoImages, report: _Reporter) -> None:
    for name, values in (("width", images.widths), ("height", images.heights)):
        right = (values > 0) & (values < _LARGEST) & (np.floor(values) == values)
        wrong = np.flatnonzero(~np.isnan(values) & ~right)
        if wrong.size:
            fixed = values.copy()
            fixed[wrong] = np.nan
            setattr(images, f"{name}s", fixed)
        for row in wrong.tolist():
            message = f"{name} is no number of pixels"
            report.add(row, "IMG_SIZE", message, values[row], "correct it, or leave it out")


def _check_names(images: CocoImages, report: _Reporter) -> None:
    if len(set(images.names)) == len(images.names):
        return
    seen: set[str] = set()
    for row, name in enumerate(images.names):
        if name in seen:
            hint = "list each image once"
            report.add(row, "DUP_ID", "another image has the same file name", name, hint)
        seen.add(name)


def _read_size(images: CocoImages, row: int, url: str, report: _Reporter) -> None:
    try:
        if not url.startswith("/"):
            raise FileNotFoundError
        width, height = image_size(url)
    except (OSError, ValueError) as error:
        reason = f": {error}" if isinstance(error, ImageReadError) else ""
        message = f"the file does not tell the size of the image, nor does the image{reason}"
        hint = "write width and height into the annotation file"
        report.add(row, "IMG_SIZE", message, images.names[row], hint)
        return
    for name, value in (("widths", width), ("heights", height)):
        values = getattr(images, name)
        if not values.flags.writeable:
            values = values.copy()
            setattr(images, name, values)
        values[row] = value
