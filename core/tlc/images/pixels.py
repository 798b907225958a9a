"""What the pixels of one image tell: how bright, rich in contrast, sharp and colourful it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL.Image import Image

__all__ = ["PixelStatistics", "pixel_statistics"]

Pixels: TypeAlias = npt.NDArray[Any]

_STRIP = 1 << 16
"""Pixels that are looked at together: what is computed of them stays in the processor's cache."""

_GREY = ("1", "L", "LA", "La", "I", "F")
_WHITE_16 = 65535 / 255


class PixelStatistics(NamedTuple):
    """Statistics of one image, of values from 0 to 255.

    Attributes:
        brightness: Mean luma.
        contrast: Standard deviation of the luma.
        sharpness: Variance of its Laplacian; NaN below 3 x 3 pixels.
        colourfulness: By Hasler and Suesstrunk; 0 for grey.
    """

    brightness: float
    contrast: float
    sharpness: float
    colourfulness: float


def pixel_statistics(image: Image) -> PixelStatistics:
    """Return statistics of an image of any mode.

    - brightness: the mean of the luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601);
    - contrast: its standard deviation (RMS contrast, Peli 1990);
    - sharpness: the variance of its Laplacian, of 4 neighbours, over all pixels but those at the
      edge (Pech-Pacheco et al. 2000). Noise counts as sharpness, and larger pictures of the same
      scene have less of it;
    - colourfulness: sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2), where rg = R - G
      and yb = (R + G) / 2 - B (Hasler and Suesstrunk 2003).

    Values of 16 bits, and of 32-bit integers, which hold such, are divided by 257. Floats are taken
    to be from 0 to 255. What is transparent counts as if it were not.

    Args:
        image: The image, with at least one pixel.
    """
    color = None if _is_grey(image) else _rgb(image)
    luma = _luma(image if color is None else color)
    pixels = np.asarray(luma)
    values, edges = _values(luma), _Moments()
    wide = np.int16 if pixels.dtype == np.uint8 else np.float32
    for top, bottom in _strips(pixels.shape):
        edges.add(_laplacian(pixels[max(0, top - 1) : bottom + 1].astype(wide)))
    colourfulness = 0.0 if color is None else _colourfulness(color)
    return PixelStatistics(values.mean, values.variance**0.5, edges.variance, colourfulness)


def _is_grey(image: Image) -> bool:
    return image.mode in _GREY or image.mode.startswith("I;16")


def _rgb(image: Image) -> Image:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")


def _luma(image: Image) -> Image | Pixels:
    """Return the luma: of mode L, or as float32 if the image has more than 256 values."""
    if image.mode == "F":
        return np.asarray(image)
    if image.mode.startswith("I"):
        return (np.asarray(image) / np.float32(_WHITE_16)).astype(np.float32)
    if image.mode == "La":
        image = image.convert("LA")
    return image.convert("L")


def _values(luma: Image | Pixels) -> _Moments:
    found = _Moments()
    if not isinstance(luma, np.ndarray):
        counts, levels = np.array(luma.histogram()), np.arange(256)
        found.count = int(counts.sum())
        found.sum, found.squares = float(levels @ counts), float(levels**2 @ counts)
        return found
    for top, bottom in _strips(luma.shape):
        found.add(luma[top:bottom])
    return found


def _strips(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    rows = max(1, _STRIP // shape[1])
    for top in range(0, shape[0], rows):
        yield top, min(top + rows, shape[0])


def _laplacian(luma: Pixels) -> Pixels:
    """Return the Laplacian of all pixels that have four neighbours."""
    if min(luma.shape) < 3:
        return np.empty(0, np.float32)
    made: Pixels = luma[:-2, 1:-1] + luma[2:, 1:-1]
    made += luma[1:-1, :-2]
    made += luma[1:-1, 2:]
    made -= 4 * luma[1:-1, 1:-1]
    return made


def _colourfulness(image: Image) -> float:
    channels = [np.asarray(channel) for channel in image.split()]
    red_green, yellow_blue = _Moments(), _Moments()
    for top, bottom in _strips(channels[0].shape):
        red, green, blue = (channel[top:bottom].astype(np.int16) for channel in channels)
        red_green.add(red - green)
        blue *= 2
        red += green
        red -= blue
        yellow_blue.add(red)  # twice of it
    spread = (red_green.variance + yellow_blue.variance / 4) ** 0.5
    return spread + 0.3 * (red_green.mean**2 + yellow_blue.mean**2 / 4) ** 0.5


class _Moments:
    """Mean and variance of numbers that come in strips."""

    def __init__(self) -> None:
        self.count, self.sum, self.squares = 0, 0.0, 0.0

    def add(self, values: Pixels) -> None:
        flat = values.reshape(-1).astype(np.float64)  # sums of squares of bytes are exact
        self.count += len(flat)
        self.sum += float(flat.sum())
        self.squares += float(np.einsum("i,i->", flat, flat))  # BLAS would start threads

    @property
    def mean(self) -> float:
        return self.sum / self.count if self.count else float("nan")

    @property
    def variance(self) -> float:
        if not self.count:
            return float("nan")
        return max(self.squares / self.count - self.mean**2, 0.0)  # NaN stays, as it comes first
