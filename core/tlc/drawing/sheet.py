"""Many pictures on one sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import PIL.Image

_GAP = 6


def contact_sheet(
    pictures: Sequence[PIL.Image.Image], columns: int = 4, width: int = 220
) -> PIL.Image.Image:
    """Return one image with all pictures in rows, from the upper left, each `width` pixels wide.

    Args:
        pictures: The pictures, of any sizes; at least one.
        columns: How many stand beside each other.
        width: Width of each in pixels, at most; its height is not larger.
    """
    from PIL import Image

    small = []
    for picture in pictures:
        copy = picture.copy()
        copy.thumbnail((width, width))
        small.append(copy)
    columns = min(columns, len(small))
    lines = [small[first : first + columns] for first in range(0, len(small), columns)]
    heights = [max(picture.height for picture in line) for line in lines]
    size = columns * (width + _GAP) - _GAP, sum(heights) + _GAP * (len(lines) - 1)
    sheet = Image.new("RGB", size, (255, 255, 255))
    top = 0
    for line, height in zip(lines, heights, strict=True):
        for number, picture in enumerate(line):
            left = number * (width + _GAP) + (width - picture.width) // 2
            sheet.paste(picture, (left, top + (height - picture.height) // 2))
        top += height + _GAP
    return sheet
