"""Drawing on an image in the pixels of the original, whatever size it is shown at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.drawing.palette import Color

    Points = Sequence[Sequence[float]] | np.ndarray

_MASK_OPACITY = 0.45
_SMALLEST = 240
"""Images of less width are shown some times as large, so that names can be read."""

_BLACK = (0, 0, 0)
_WHITE = (255, 255, 255)


class Canvas:
    """An image to draw on.

    Coordinates are those of the annotations: pixels of the original image, from its upper left
    corner, x to the right and y down.

    Args:
        image: The image.
        size: Width and height that the annotations count in.
        width: Width in pixels that the picture is to have at most.
    """

    def __init__(self, image: Image.Image, size: tuple[float, float], width: int) -> None:
        shown = image.convert("RGB")
        shown.thumbnail((width, width * 4))
        if (times := min(width, _SMALLEST) // shown.width) > 1:
            larger = shown.width * times, shown.height * times
            shown = shown.resize(larger, Image.Resampling.NEAREST)
        self._image = shown
        self._scale = np.array([shown.width / size[0], shown.height / size[1]])
        self._thickness = max(2, round(shown.width / 250))
        self._font = ImageFont.load_default(size=max(9, round(shown.width / 40)))
        self._names: list[tuple[tuple[float, float], str, Color]] = []

    def ring(self, points: Points, color: Color) -> None:
        """Draw a closed line through points."""
        corners = self._placed(points)
        if len(corners) > 1:
            draw = ImageDraw.Draw(self._image)
            draw.line([*corners, corners[0]], fill=color, width=self._thickness, joint="curve")

    def mask(self, mask: np.ndarray, color: Color) -> None:
        """Colour the pixels where a mask of shape (H, W) is not 0."""
        inside = Image.fromarray((mask != 0).astype(np.uint8) * 255)
        self._tint(inside.resize(self._image.size, Image.Resampling.NEAREST), color)

    def dot(self, point: Sequence[float], color: Color, *, hollow: bool = False) -> None:
        """Draw a point; `hollow` for one that is there but cannot be seen."""
        radius = self._thickness * 1.5 + 1
        for x, y in self._placed([point]):
            ImageDraw.Draw(self._image).ellipse(
                (x - radius, y - radius, x + radius, y + radius),
                fill=None if hollow else color,
                outline=color if hollow else _WHITE,
            )

    def line(self, start: Sequence[float], end: Sequence[float], color: Color) -> None:
        """Draw a line between two points."""
        draw = ImageDraw.Draw(self._image)
        draw.line(self._placed([start, end]), fill=color, width=self._thickness)

    def name(self, text: str, point: Sequence[float], color: Color) -> None:
        """Write a name above a point, on top of all that is drawn."""
        if text:
            self._names += [(place, text, color) for place in self._placed([point])]

    def finish(self) -> Image.Image:
        """Return the picture."""
        draw = ImageDraw.Draw(self._image)
        for (x, y), text, color in self._names:
            left, top, right, bottom = draw.textbbox((0, 0), text, font=self._font)
            width, height = right - left + 4, bottom - top + 4
            x = min(max(0, x), max(0, self._image.width - width))
            y = min(max(0, y - height), max(0, self._image.height - height))
            draw.rectangle((x, y, x + width, y + height), fill=color)
            ink = _BLACK if sum(color) > 380 else _WHITE
            draw.text((x + 2 - left, y + 2 - top), text, fill=ink, font=self._font)
        self._names = []
        return self._image

    def _placed(self, points: Points) -> list[tuple[float, float]]:
        scaled = np.asarray(points, np.float64).reshape(-1, 2) * self._scale
        return [(x, y) for x, y in scaled.tolist() if np.isfinite(x) and np.isfinite(y)]

    def _tint(self, inside: Image.Image, color: Color) -> None:
        opacity = inside.point([round(value * _MASK_OPACITY) for value in range(256)])
        self._image.paste(Image.new("RGB", self._image.size, color), (0, 0), opacity)
