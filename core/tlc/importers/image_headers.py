"""Sizes of images from the first bytes of their files: nothing is decoded.

A data set has a hundred thousand of them; Pillow takes several times as long for each.
"""

from __future__ import annotations

import os
import struct
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc._pillow import open_image
from tlc.errors import ImageReadError
from tlc.importers.folders import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIRST = 4096
_MORE = 1 << 17
_LARGEST = 1 << 31
_PNG = b"\x89PNG\r\n\x1a\n"
_TURNED = range(5, 9)
_ORIENTATION = 0x0112
# SOF0 to SOF15, but for those that are other things: DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))


def image_size(path: str) -> tuple[int, int]:
    """Return the width and height of the image in a file, as a viewer shows it.

    What decides on the format are the first bytes, not the name. An orientation in its EXIF data
    is applied: a camera held upright gives an image that is higher than wide.

    Args:
        path: A file on this machine.

    Raises:
        FileNotFoundError: There is no such file.
        ImageReadError: It is no image that Pillow knows, or too large for masks.
        OSError: It cannot be read.
    """
    size = _quick(path) or _by_pillow(path)
    if not 0 < size[0] * size[1] < _LARGEST:
        raise ImageReadError(f"The image {path!r} has {size[0]} x {size[1]} pixels.")
    return size


def is_turned(path: str) -> bool:
    """Whether viewers show the image of a file with width and height exchanged.

    Args:
        path: A file that `image_size` reads.
    """
    try:
        with _without_warnings(), open_image(path) as image:
            return _pillow_orientation(image) in _TURNED
    except image_errors():
        return False


def _quick(path: str) -> tuple[int, int] | None:
    """Return the size of most PNG and JPEG files, None for all others."""
    file = open_file(path)
    try:
        data = os.read(file, _FIRST)
        if data.startswith(_PNG):
            return _png(data)
        if not data.startswith(b"\xff\xd8\xff"):
            return None
        found = _jpeg(data)
        if found is None and len(data) == _FIRST:
            found = _jpeg(data + os.read(file, _MORE))
        return found
    finally:
        os.close(file)


def _png(data: bytes) -> tuple[int, int] | None:
    if data[12:16] != b"IHDR" or len(data) < 24 or b"eXIf" in data:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walk over the segments up to the frame header, which has the size."""
    at, orientation = 2, 1
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            if not (width and height):
                return None
            return (height, width) if orientation in _TURNED else (width, height)
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            if at + 2 + length > len(data):
                return None
            orientation = _orientation(data[at + 10 : at + 2 + length])
        at += 2 + length
    return None


def _orientation(tiff: bytes) -> int:
    """Return the orientation in EXIF data, 1 if there is none; broken data never stop an import."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, at)
            if tag == _ORIENTATION:
                return int(value)
    except struct.error:
        pass
    return 1


def image_errors() -> tuple[type[Exception], ...]:
    """Return what Pillow is known to raise for files that are no images, or damaged ones."""
    from PIL import Image  # late: most files need it not

    return (
        *(OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError),
        *(OverflowError, struct.error, MemoryError, RuntimeError, ZeroDivisionError),
        Image.DecompressionBombError,
    )


def _by_pillow(path: str) -> tuple[int, int]:

    try:
        with _without_warnings(), open_image(path) as image:
            width, height = _stored_size(image)
            turned = _pillow_orientation(image) in _TURNED
    except FileNotFoundError:
        raise
    except image_errors() as error:
        raise ImageReadError(f"The image {path!r} cannot be read: {error}.") from error
    return (height, width) if turned else (width, height)


def _stored_size(image: Any) -> tuple[int, int]:
    """Return the size of an image's pixels in its file; for TIFF, newer Pillow tells it turned."""
    tags = getattr(image, "tag_v2", {})
    size = (tags[256], tags[257]) if {256, 257} <= set(tags) else image.size
    return int(size[0]), int(size[1])


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Pillow warns of files whose size is known nonetheless."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _pillow_orientation(image: Any) -> Any:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - broken EXIF data raise anything, and never stop an import
        return None
