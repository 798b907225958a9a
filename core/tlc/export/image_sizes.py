"""Widths and heights of images: from the annotations, or else from the files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from tlc._pillow import open_image
from tlc.constants import IMAGE_HEIGHT, IMAGE_WIDTH, X_MAX, Y_MAX
from tlc.errors import ImageReadError
from tlc.export.annotations import MASKS
from tlc.export.cells import part_of
from tlc.sample_types.content import read_content

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn
    from tlc.url import Url


_TURNED = range(5, 9)  # orientations in which an image is shown with its sides exchanged


def image_sizes(
    cells: pa.Array, column: AnnotationColumn, urls: Sequence[Url]
) -> list[tuple[int | float, int | float]]:
    """Return width and height of images in pixels.

    Args:
        cells: Annotations, which know it as a rule.
        column: Their column.
        urls: The images, which are opened where the annotations do not.

    Raises:
        ImageReadError: An image has to be opened, but is none.
    """
    names = (IMAGE_WIDTH, IMAGE_HEIGHT) if column.kind == MASKS else (X_MAX, Y_MAX)
    widths, heights = (part_of(cells, name).to_pylist() for name in names)
    return [
        (_whole(width), _whole(height)) if width and height else _size_of(url)
        for width, height, url in zip(widths, heights, urls, strict=True)
    ]


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _size_of(url: Url) -> tuple[int, int]:
    from PIL import ExifTags

    content: Any = io.BytesIO(read_content(url))
    try:
        with open_image(content) as image:
            width, height = image.size
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
    except (OSError, ValueError) as error:
        raise ImageReadError(f"{url} is no image that can be read: {error}.") from error
    return (height, width) if turned else (width, height)
