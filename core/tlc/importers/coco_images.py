"""The images of a COCO file: their ids, files and sizes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tlc.importers.coco_arrays import as_numbers
from tlc.importers.coco_sizes import read_sizes
from tlc.importers.identifiers import repeated
from tlc.importers.image_paths import ImagePaths, is_elsewhere
from tlc.importers.report import Problem, shortened
from tlc.url.expansion import AliasTable

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.importers.report import Problems

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]

_LARGEST = 1 << 31
_NAMES_AT_ONCE = 1 << 14


def no_texts() -> pa.ChunkedArray:
    """Return a column without cells."""
    return pa.chunked_array([], pa.string())


@dataclass
class CocoImages:
    """The images of a file, in its order.

    Attributes:
        ids: As they are written; all different.
        numbers: Place of each in the list of the file.
        names: As they are written; let go of when they are not needed any more.
        urls: Where they are, of those rows that were not made yet; known after `find_files`.
        widths: Pixels, NaN if that is not known.
        heights: Likewise.
    """

    ids: Integers
    numbers: Integers
    names: pa.ChunkedArray
    widths: Floats
    heights: Floats
    urls: pa.ChunkedArray = field(default_factory=no_texts)

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
    table: pa.Table, file: str, problems: Problems
) -> tuple[CocoImages, npt.NDArray[np.bool_]]:
    """Return the images of records, without those whose id another one has; and which these are.

    Args:
        table: As `tlc.importers.coco_arrays.image_batch` makes it.
        file: What to call the annotation file.
        problems: Gets what is wrong.
    """
    numbers = {
        name: as_numbers(table.column(name).combine_chunks())
        for name in ("id", "number", "width", "height")
    }
    images = CocoImages(
        numbers["id"],
        numbers["number"],
        table.column("file_name"),
        numbers["width"],
        numbers["height"],
    )
    is_kept = np.ones(len(images.ids), np.bool_)
    again = repeated(images.ids)
    if not again.size:
        return images, is_kept

    def problem(number: int) -> Problem:
        return images.problem(
            int(again[number]),
            "DUP_ID",
            "another image has the same id",
            file=file,
            hint="give each image an id of its own: nobody can tell what refers to which",
        )

    problems.add_all("DUP_ID", len(again), problem)
    is_kept[again] = False
    kept = np.flatnonzero(is_kept)
    return CocoImages(
        images.ids[kept],
        images.numbers[kept],
        images.names.take(pa.array(kept)),
        images.widths[kept],
        images.heights[kept],
    ), is_kept


def find_files(
    images: CocoImages,
    folder: str,
    local: str | None,
    file: str,
    problems: Problems,
    *,
    check: bool,
) -> None:
    """Find the files of images, and what size those are that the annotation file is silent about.

    Args:
        images: Gets `urls`, `widths` and `heights`.
        folder: Absolute url that names begin at.
        local: Path of that folder on this machine; None if it is elsewhere, where nothing is
            looked for.
        file: What to call the annotation file.
        problems: Gets what is wrong.
        check: Whether to compare all sizes with those of the images.
    """
    report = ImageReporter(images, file, problems)
    _check_sizes(images, report)
    _check_names(images, report)
    paths = ImagePaths(local if local is not None else folder)
    there = np.zeros(len(images.names), np.bool_)
    parts = []
    for start in range(0, len(images.names), _NAMES_AT_ONCE):
        names = images.names.slice(start, _NAMES_AT_ONCE).to_pylist()
        parts.append(pa.array(_find(start, names, paths, local, there, report), pa.string()))
    images.urls = pa.chunked_array(parts, pa.string())
    read_sizes(images, there, report, check=check)
    unlisted = paths.unlisted()
    problems.note_all("IMG_UNLISTED", len(unlisted), lambda n: _unlisted(unlisted[n], file))
    aliases = AliasTable()
    if aliases:
        parts = [[aliases.apply(url) for url in part.to_pylist()] for part in images.urls.chunks]
        images.urls = pa.chunked_array(parts, pa.string())


def _find(
    start: int,
    names: list[str],
    paths: ImagePaths,
    local: str | None,
    there: npt.NDArray[np.bool_],
    report: ImageReporter,
) -> list[str]:
    """Return the urls of some images from row `start` on, and mark those that are `there`."""
    urls: list[str] = []
    plain = [None] * len(names) if local is None else paths.find_plain(names)
    for row, (name, path) in enumerate(zip(names, plain, strict=True), start):
        if path is not None:
            there[row] = True
            urls.append(path)
            continue
        if local is None or is_elsewhere(name):
            urls.append(paths.path(name))
            continue
        found = paths.find(name)
        there[row] = found is not None
        if found is None:
            report.missing(row, local)
        elif found[1]:
            report.note(row, "PATH_MATCHED", f"the image was found when {found[1]}", name)
        urls.append(found[0] if found else paths.path(name))
    return urls


class ImageReporter:
    """Makes problems of images; the image stays in the table."""

    def __init__(self, images: CocoImages, file: str, problems: Problems) -> None:
        self._images, self._file, self._problems = images, file, problems

    def add(self, row: int, code: str, message: str, value: object, hint: str) -> None:
        """Report what is wrong with the image of a row."""
        more = {"file": self._file, "hint": hint}
        self._problems.add(self._images.problem(row, code, message, value, **more), left_out=False)

    def note(self, row: int, code: str, message: str, value: object) -> None:
        """Report what is odd about it."""
        self._problems.note(self._images.problem(row, code, message, value, file=self._file))

    def missing(self, row: int, folder: str) -> None:
        """Report that there is no such image."""
        self.add(
            row,
            "IMG_MISSING",
            f"there is no such image in {folder}",
            self._images.names[row].as_py(),
            "image_folder is the folder that the file names begin at",
        )


def _unlisted(path: str, file: str) -> Problem:
    message = "the annotation file does not list this image"
    return Problem(code="IMG_UNLISTED", file=path, record="", message=message, value=file)


def _check_sizes(images: CocoImages, report: ImageReporter) -> None:
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


def _check_names(images: CocoImages, report: ImageReporter) -> None:
    if len(images.names.unique()) == len(images.names):
        return
    seen: set[str] = set()
    for row, name in enumerate(images.names.to_pylist()):
        if name in seen:
            hint = "list each image once"
            report.add(row, "DUP_ID", "another image has the same file name", name, hint)
        seen.add(name)
