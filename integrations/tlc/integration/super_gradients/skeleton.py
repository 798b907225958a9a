"""Lines and colours of the poses of a table."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlc.helpers import KeypointHelper

if TYPE_CHECKING:
    from tlc.table import Table

__all__ = ["Color", "Skeleton"]

Color = tuple[int, int, int]
"""Red, green and blue, from 0 to 255."""


@dataclass(frozen=True)
class Skeleton:
    """What poses are drawn with.

    Attributes:
        links: Pairs of the numbers of points that lines connect.
        link_colors: Colour of each line.
        point_colors: Colour of each point.
    """

    links: list[tuple[int, int]]
    link_colors: list[Color]
    point_colors: list[Color]

    @classmethod
    def of(cls, table: Table, column: str) -> Skeleton:
        """Read the skeleton of a column of keypoints; colours that it has none of are made."""
        lines = KeypointHelper.get_lines_from_table(table, column) or []
        links = list(zip(lines[::2], lines[1::2], strict=True))
        count = KeypointHelper.get_keypoint_shape_from_table(table, column)[0]
        of_lines = KeypointHelper.get_line_attributes_from_table(table, column)
        of_points = KeypointHelper.get_keypoint_attributes_from_table(table, column)
        return cls(links, _colors(of_lines, len(links)), _colors(of_points, count))


def _colors(attributes: list[Any] | None, count: int) -> list[Color]:
    """Return the colours that attributes have, the others from around the colour wheel."""
    known = [getattr(each, "display_color", "") for each in attributes or [""] * count]
    made = [hsv_to_rgb(i / max(count, 1), 1.0, 1.0) for i in range(count)]
    pairs = zip(known, made, strict=True)
    return [_of_hex(text) or _of_fractions(wheel) for text, wheel in pairs]


def _of_hex(text: str) -> Color | None:
    digits = text.removeprefix("#")
    if len(digits) < 6:
        return None
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _of_fractions(color: tuple[float, float, float]) -> Color:
    red, green, blue = (round(255 * each) for each in color)
    return red, green, blue
