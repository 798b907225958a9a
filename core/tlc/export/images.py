"""Putting a table's images into a folder: copies, links, or the files themselves."""

from __future__ import annotations

import os
import shutil
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tlc.constants import IMAGE, STRING_ROLE_IMAGE_URL
from tlc.errors import ExportError, OptionError, UrlNotFoundError
from tlc.export.checks import check_column
from tlc.sample_types.content import read_content
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tlc.table import Table

MODES = ("copy", "symlink", "move")


def image_column(table: Table, name: str | None = None) -> str:
    """Return the name of the column with the images.

    Args:
        table: The table.
        name: The name, if it is known; else it is ``"image"``, or the first column of images.

    Raises:
        ColumnNotFoundError: There is no column of that name.
        ExportError: There is no column of images.
    """
    schemas = table.rows_schema.values
    if name is not None:
        check_column(table, name)
        return name
    found = [name for name, schema in schemas.items() if _is_image(schema)]
    if not found:
        raise ExportError(
            f"{table.url} has no column of images.",
            hint="name the column with image_column_name, or give it an ImageSchema.",
        )
    return IMAGE if IMAGE in found else found[0]


def has_images(table: Table) -> bool:
    """Return whether a table has a column of images."""
    return any(map(_is_image, table.rows_schema.values.values()))


def _is_image(schema: Any) -> bool:
    return getattr(schema.value, "string_role", "") == STRING_ROLE_IMAGE_URL and not schema.shape


def check_mode(mode: str) -> None:
    """Refuse what is no way to get images into a folder.

    Raises:
        OptionError: It is none.
    """
    if mode not in MODES:
        raise OptionError(
            f"images is {mode!r}.", hint=f"it is one of {', '.join(map(repr, MODES))}."
        )


def image_name(url: Url) -> str:
    """Return the name of the file of an image; of a member of an archive, that of the member."""
    inner = PurePosixPath(url.query).name
    return inner if PurePosixPath(inner).suffix and not PurePosixPath(inner).anchor else url.name


class FreeNames:
    """Gives each image a name of its own: ``a.jpg``, the next ``a_0001.jpg``.

    Names that only differ in their ending or in case count as one: label files are told apart by
    what comes before the ending, and not all disks have two cases.

    Args:
        taken: Names that are not free any more.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {PurePosixPath(name).stem.lower() for name in taken}

    def next(self, name: str) -> str:
        """Return a name that is free, like `name`, and take it."""
        path = PurePosixPath(name)
        stem, number = path.stem, 0
        while stem.lower() in self._taken:
            number += 1
            stem = f"{path.stem}_{number:04d}"
        self._taken.add(stem.lower())
        return stem + path.suffix


def place_images(images: Sequence[tuple[Url, Path]], mode: str) -> None:
    """Put images at paths, whose folders exist.

    Images that are to be moved are still where they were afterwards; see `remove_moved`.

    Raises:
        UrlNotFoundError: There is no such image.
        UnsupportedOperationError: Images that are not on this machine are to be linked or moved.
    """
    if mode == "symlink":
        for url, path in images:
            path.symlink_to(_source(url))
        return
    put = _copy if mode == "copy" else _link
    if any(not url.to_str().startswith("/") for url, _ in images):
        in_parallel(put, images)  # it waits for a network
        return
    for image in images:
        put(image)


def remove_moved(images: Sequence[tuple[Url, Path]]) -> None:
    """Remove the files that `place_images` has put elsewhere, and which are to be only there."""
    for path in dict.fromkeys(os.fspath(url) for url, _ in images):
        os.unlink(path)


def _copy(image: tuple[Url, Path]) -> None:
    url, path = image
    adapter, place = UrlAdapterRegistry.resolve(url)
    source = adapter.local_path(place)
    if source is None:
        path.write_bytes(read_content(url))
        return
    try:
        shutil.copyfile(source, path)
    except FileNotFoundError as error:
        raise UrlNotFoundError(f"There is no image {url}.") from error


def _link(image: tuple[Url, Path]) -> None:
    url, path = image
    try:
        os.link(_source(url), path)
    except OSError:  # another disk, or one without links
        _copy(image)


def _source(url: Url) -> Path:
    source = url.to_local_path()
    if not source.is_file():
        raise UrlNotFoundError(f"There is no image {url}.")
    return source
