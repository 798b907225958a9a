"""Files of images for a framework that reads paths, wherever they are."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from tlc.url import Url
from tlc.url.media import read_media

if TYPE_CHECKING:
    from collections.abc import Iterator


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


__all__ = ["as_file", "is_local", "local_copy"]
