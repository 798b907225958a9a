"""Size of an image wherever it is, as a viewer shows it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from tlc._pillow import open_image
from tlc.errors import ImageReadError
from tlc.sample_types.content import read_content

if TYPE_CHECKING:
    from tlc.url import Url

__all__ = ["shown_size"]

_TURNED = range(5, 9)


def shown_size(url: Url) -> tuple[int, int]:
    """Return width and height of an image in pixels, turned as its EXIF data say.

    Args:
        url: The image, in any store.

    Raises:
        ImageReadError: It is none.
    """
    from PIL import ExifTags

    try:
        with open_image(io.BytesIO(read_content(url))) as image:
            width, height = image.size
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
    except (OSError, ValueError) as error:
        raise ImageReadError(f"{url} is no image that can be read: {error}.") from error
    return (height, width) if turned else (width, height)
