"""Numbers of 32 bits as the shortest decimal numbers that mean them, and sizes of boxes alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_DECIMALS = (0, 1, 2, 3, 4, 5, 6, 8)


def shortest(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return float32 numbers as the shortest decimal numbers that are them in 32 bits: 0.1."""
    import pyarrow as pa

    plain = np.ascontiguousarray(values, np.float32).reshape(-1)
    cells = pa.Array.from_buffers(pa.float32(), plain.size, [None, pa.py_buffer(plain)])
    found = np.frombuffer(cells.cast(pa.string()).cast(pa.float64()).buffers()[1], np.float64)
    return found[: plain.size].reshape(values.shape)


def sized_boxes(boxes: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return boxes from corners to x, y, width and height.

    The sizes have as few decimals as they can have, so that those who add them to x and y find the
    very corners again.

    Args:
        boxes: float32 of shape (N, 4): x_min, y_min, x_max, y_max.
    """
    corners = shortest(boxes)
    start = corners[:, :2]
    sizes = corners[:, 2:] - start
    found = boxes[:, 2:].astype(np.float64) - start
    missing = np.ones(sizes.shape, bool)
    for decimals in _DECIMALS:
        rounded = np.round(sizes, decimals)
        fits = missing & ((start + rounded).astype(np.float32) == boxes[:, 2:])
        found[fits] = rounded[fits]
        missing &= ~fits
        if not missing.any():
            break
    return np.hstack([start, found])
