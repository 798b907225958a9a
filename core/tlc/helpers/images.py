"""Images by their urls."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tlc._pillow import open_image
from tlc.errors import ImageReadError
from tlc.sample_types.content import read_content
from tlc.url import Url

if TYPE_CHECKING:
    import os

    from PIL.Image import Image


class ImageHelper:
    """Opens images wherever they lie. It needs Pillow."""

    @staticmethod
    def open(url: str | os.PathLike[str]) -> Image:
        """Return the image at a url, as stored: its EXIF orientation is not applied.

        Raises:
            UrlNotFoundError: There is no such file.
            ImageReadError: Pillow cannot read it.
        """
        place = Url(url).to_absolute()
        try:
            return open_image(io.BytesIO(read_content(place)))
        except (OSError, ValueError, SyntaxError) as error:
            raise ImageReadError(f"The image {place} cannot be read: {error}.") from error

    @staticmethod
    def size(url: str | os.PathLike[str]) -> tuple[int, int]:
        """Return width and height of an image in pixels, as stored; pixels are not decoded.

        Raises:
            UrlNotFoundError: There is no such file.
            ImageReadError: Pillow cannot read it.
        """
        return ImageHelper.open(url).size

    @staticmethod
    def to_bytes(image: Image, format: str = "PNG") -> bytes:
        """Return an image as the content of a file."""
        buffer = io.BytesIO()
        image.save(buffer, format)
        return buffer.getvalue()
