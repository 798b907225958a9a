"""Widths and heights of images: from the annotations, or else from the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.constants import IMAGE_HEIGHT, IMAGE_WIDTH, X_MAX, Y_MAX
from tlc.export.annotations import MASKS
from tlc.export.cells import part_of
from tlc.sample_types.image_sizes import shown_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from tlc.export.annotations import AnnotationColumn
    from tlc.url import Url


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
        (_whole(width), _whole(height)) if width and height else shown_size(url)
        for width, height, url in zip(widths, heights, urls, strict=True)
    ]


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value
