"""Statistics of all images of a table, as columns."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tlc._wording import some
from tlc.drawing.picture import image_column
from tlc.dynamics.scores import Scores
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    ImageReadError,
    OptionError,
    TlcError,
    TlcWarning,
)
from tlc.images.pixels import pixel_statistics
from tlc.sample_types.content import fetched_content, read_content
from tlc.sample_types.images import read_image
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tlc.table import Table

__all__ = ["image_statistics", "images_column"]

_THREADS = 16
_AT_ONCE = 1024
_SHOWN = 3


class _Statistics(NamedTuple):
    """Statistics of one image, in the order of the columns."""

    brightness: float
    contrast: float
    sharpness: float
    colourfulness: float
    width: float
    height: float
    aspect_ratio: float
    file_size: float


_NOTHING = _Statistics(*[float("nan")] * len(_Statistics._fields))


def image_statistics(
    table: Table,
    column: str | None = None,
    *,
    threads: int | None = None,
    on_error: str = "nan",
) -> Scores:
    """Return brightness, contrast, sharpness, colourfulness and size of each image.

    Each image is decoded once, upright as its EXIF data say, from wherever it is; there are never
    more in memory than threads. See `tlc.images.pixels.pixel_statistics` for the formulas.

    Args:
        table: The table.
        column: The column of images; None for the first.
        threads: How many images to read at once; None for one for each processor, 16 at most.
        on_error: What becomes of images that are missing or cannot be read: ``"nan"``: they get
            NaN, and a `TlcWarning` counts them; or ``"raise"``.

    Returns:
        ``brightness``, ``contrast``, ``sharpness``, ``colourfulness``: of values from 0 to 255;
        ``width``, ``height`` in pixels; ``aspect_ratio``: width / height; ``file_size`` in bytes.
        All float64.

    Raises:
        ColumnNotFoundError: There is no such column, or none of images.
        ColumnError: The column holds no urls.
        ImageReadError: An image cannot be read, and `on_error` is ``"raise"``.
        OptionError: `on_error` is neither, or `threads` is not positive.
    """
    if on_error not in ("nan", "raise"):
        raise OptionError(f"on_error is {on_error!r}.", hint="it is 'nan' or 'raise'.")
    if threads is not None and threads < 1:
        raise OptionError(f"threads is {threads!r}.", hint="it is 1 or more.")
    name = images_column(table, column)
    made = np.empty((len(table), len(_Statistics._fields)))
    failed: list[int] = []
    reason = ""
    for row, found in enumerate(_of_all(_urls(table, name), threads)):
        if isinstance(found, TlcError):
            if on_error == "raise":
                found.add_note(f"It is the image of row {row} of {table.url}.")
                raise found
            reason = reason or str(found)
            failed.append(row)
        made[row] = _NOTHING if isinstance(found, TlcError) else found
    if failed:
        _tell(table, failed, reason)
    columns = {field: made[:, place] for place, field in enumerate(_Statistics._fields)}
    return Scores(table, columns, description=f"statistics of the images in {name!r}")


def images_column(table: Table, column: str | None = None) -> str:
    """Return the name of the column of images.

    Args:
        table: The table.
        column: Its name, if it is known.

    Raises:
        ColumnNotFoundError: There is no such column, or none of images.
    """
    name = image_column(table.rows_schema) if column is None else column
    if name is None or name not in table.columns:
        raise ColumnNotFoundError(
            f"{table.url} has no column {'of images' if name is None else repr(name)}.",
            hint=f"name one of {', '.join(map(repr, table.columns))}: column=.",
        )
    return name


def _urls(table: Table, name: str) -> Iterator[str | None]:
    import pyarrow as pa

    for part in table.column_parts([name]):
        if not pa.types.is_string(part[name].type):
            raise ColumnError(f"Column {name!r} of {table.url} holds {part[name].type}, no urls.")
        yield from part[name].to_pylist()


def _of_all(urls: Iterable[str | None], threads: int | None) -> Iterator[_Statistics | TlcError]:
    count = threads or min(_THREADS, os.cpu_count() or 1)
    if count == 1:
        yield from map(_of_image, urls)
        return
    from concurrent.futures import ThreadPoolExecutor  # late: most processes start no thread
    from itertools import islice

    waiting = iter(urls)
    with ThreadPoolExecutor(count) as pool:
        while batch := list(islice(waiting, _AT_ONCE)):
            yield from pool.map(_of_image, batch)


def _of_image(text: str | None) -> _Statistics | TlcError:
    """Return what there is to say of an image, or why there is nothing."""
    if text is None:
        return ImageReadError("There is no image in the cell.")
    try:
        url = Url(text).to_absolute()
        with fetched_content([url]):  # so that a remote file is fetched once
            image, size = read_image(url), len(read_content(url))
    except TlcError as error:
        return error
    width, height = image.size
    return _Statistics(*pixel_statistics(image), width, height, width / height, size)


def _tell(table: Table, rows: list[int], reason: str) -> None:
    warnings.warn(
        f"{len(rows)} of {len(table)} images of {table.url} could not be read, and have no "
        f"statistics: rows {some(rows, _SHOWN)}. The first: {reason}",
        TlcWarning,
        stacklevel=3,
    )
