"""Files of images for a framework that reads paths, wherever they are."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from tlc._pillow import open_image
from tlc.url import Url
from tlc.url.media import read_media

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORIENTATION, _FIRST_TURNED = 0x0112, 5  # of EXIF: from there on, width and height change places


def is_local(image: str) -> bool:
    """Return whether an absolute url is the path of a file of this machine."""
    return image.startswith("/")


@contextmanager
def as_file(image: str) -> Iterator[str]:
    """Give the path of a file with an image, until the end of the block.

    Args:
        image: An absolute url, or a path. What is not of this machine is read by way of the cache
            of media.
    """
    if is_local(image):
        yield image
        return
    with NamedTemporaryFile(suffix=PurePosixPath(Url(image).path).suffix) as file:
        file.write(read_media(Url(image)))
        file.flush()
        yield file.name


def local_copy(image: str, place: Path) -> str:
    """Return the path of a file with an image: a copy, if it is not on this machine.

    Args:
        image: An absolute url, or a path.
        place: Where the copy goes; it gets the ending of the image.
    """
    if is_local(image):
        return image
    copied = place.with_suffix(PurePosixPath(Url(image).path).suffix)
    copied.write_bytes(read_media(Url(image)))
    return str(copied)


def image_size(image: str) -> tuple[int, int]:
    """Return width and height of an image as a viewer shows it, from its header.

    Args:
        image: An absolute url, or a path.
    """
    with open_image(BytesIO(read_media(Url(image)))) as opened:
        width, height = opened.size
        turned = opened.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED
        return (height, width) if turned else (width, height)


__all__ = ["as_file", "image_size", "is_local", "local_copy"]
