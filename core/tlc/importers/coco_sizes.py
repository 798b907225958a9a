"""Sizes of images that COCO files are silent about, or wrong about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from tlc.errors import ImageReadError
from tlc.importers.coco_arrays import as_arrow
from tlc.importers.image_headers import image_size, is_turned

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    from tlc.importers.coco_images import CocoImages, ImageReporter

    Flags = npt.NDArray[np.bool_]
    Found = tuple[int, int] | Exception

# Threads read ahead where a disk or a server is slow; where files are in memory they cost nothing.
_THREADS = 8
_READ_AT_ONCE = 256


def read_sizes(images: CocoImages, there: Flags, report: ImageReporter, *, check: bool) -> None:
    """Read sizes from the first bytes of images.

    Args:
        images: Gets the sizes that are not known.
        there: Which are files of this machine.
        report: Gets what is wrong.
        check: Whether to compare the sizes that are known, too.
    """
    unknown = np.isnan(images.widths) | np.isnan(images.heights)
    for row, found in _sizes(np.flatnonzero(unknown & there), images.urls):
        if isinstance(found, Exception):
            _report_unknown(images, row, found, report)
        else:
            _set(images, row, found)
    for row in np.flatnonzero(unknown & ~there).tolist():
        _report_unknown(images, row, None, report)
    if check:
        for row, found in _sizes(np.flatnonzero(~unknown & there), images.urls):
            _compare(images, row, found, report)
        for row in np.flatnonzero(~unknown & ~there).tolist():
            url = images.urls[row].as_py()
            if not url.startswith("/"):
                message = "its size was not checked, since the image is not on this machine"
                report.note(row, "IMG_UNCHECKED", message, url)


def _sizes(
    rows: npt.NDArray[np.int64], urls: pa.ChunkedArray
) -> Iterator[tuple[int, tuple[int, int] | Exception]]:
    """Yield rows with the size of each image, or why it cannot be read."""
    parts = [rows[start : start + _READ_AT_ONCE] for start in range(0, rows.size, _READ_AT_ONCE)]
    if len(parts) < 2:
        for part in parts:
            yield from zip(part.tolist(), _some_sizes(part, urls), strict=True)
        return
    with ThreadPoolExecutor(_THREADS) as threads:
        for part, found in zip(
            parts, threads.map(lambda part: _some_sizes(part, urls), parts), strict=True
        ):
            yield from zip(part.tolist(), found, strict=True)


def _some_sizes(rows: npt.NDArray[np.int64], urls: pa.ChunkedArray) -> list[Found]:
    found: list[Found] = []
    for path in urls.take(as_arrow(rows)).to_pylist():
        try:
            found.append(image_size(path))
        except (OSError, ValueError) as error:
            found.append(error)
    return found


def _report_unknown(
    images: CocoImages, row: int, error: Exception | None, report: ImageReporter
) -> None:
    reason = f": {error}" if isinstance(error, ImageReadError) else ""
    message = f"the file does not tell the size of the image, nor does the image{reason}"
    hint = "write width and height into the annotation file"
    report.add(row, "IMG_SIZE", message, images.names[row].as_py(), hint)


def _set(images: CocoImages, row: int, size: tuple[int, int]) -> None:
    for name, value in zip(("widths", "heights"), size, strict=True):
        values = getattr(images, name)
        if not values.flags.writeable:
            values = values.copy()
            setattr(images, name, values)
        values[row] = value


def _compare(images: CocoImages, row: int, found: Found, report: ImageReporter) -> None:
    name = images.names[row].as_py()
    if isinstance(found, Exception):
        message, hint = f"the image cannot be read: {found}".rstrip("."), "replace the image"
        report.add(row, "IMG_UNREADABLE", message, name, hint)
        return
    told = int(images.widths[row]), int(images.heights[row])
    if told == found:
        return
    if told == found[::-1] and is_turned(images.urls[row].as_py()):
        message = f"{told} is the size before it is turned as its EXIF data say"
        report.note(row, "SIZE_TURNED", message, name)
        return
    message = f"its size is not {told}, but {found}"
    hint = "boxes and masks are about an image of the size that the file tells"
    report.add(row, "SIZE_MISMATCH", message, name, hint)
