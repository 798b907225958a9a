"""A colour for each class."""

from __future__ import annotations

import colorsys
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tlc.schemas.value_maps import MapElement, ValueMap

Color = tuple[int, int, int]

NO_CLASS: Color = (255, 176, 0)
"""Colour of what has no label."""

_HEX = re.compile(r"#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?")
_GOLDEN_RATIO = 0.618033988749895


def color_of(number: int | None, names: ValueMap | None) -> Color:
    """Return the colour of a class: the one that its value map gives, else one of its own.

    Args:
        number: The class; None for no class.
        names: The value map of the labels, if they have one.
    """
    if number is None:
        return NO_CLASS
    element = element_of(number, names)
    given = element.display_color if element is not None else ""
    if given and _HEX.fullmatch(given):
        return int(given[1:3], 16), int(given[3:5], 16), int(given[5:7], 16)
    # Steps of the golden ratio keep the hues of neighbours, and of any first few, far apart.
    red, green, blue = colorsys.hsv_to_rgb((number * _GOLDEN_RATIO) % 1, 0.75, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def name_of(number: int, names: ValueMap | None) -> str:
    """Return what to call a class: its name, or else its number."""
    element = element_of(number, names)
    return str(number) if element is None else element.display_name or element.internal_name


def element_of(number: int, names: ValueMap | None) -> MapElement | None:
    """Return what a value map says of a class, if anything."""
    return None if names is None else names.get(number)
