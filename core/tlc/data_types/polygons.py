"""Polygons as lists of coordinates, and the outlines of masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlc.data_types import rle
from tlc.data_types.arrays import to_numpy
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Part = npt.NDArray[np.float64]
_CORNERS = 3


def as_parts(polygons: Iterable[Any], scale: Sequence[float] = (1, 1)) -> list[list[Part]]:
    """Return the parts of each instance, as flat arrays of x and y in turn.

    Args:
        polygons: For each instance a flat list, points as pairs, or a list of any of these.
        scale: What x and y are multiplied by.

    Raises:
        SchemaError: A coordinate is NaN or infinite, or there is a y missing.
    """
    return [_parts_of(polygon, number, scale) for number, polygon in enumerate(polygons)]


def _parts_of(polygon: Any, number: int, scale: Sequence[float]) -> list[Part]:
    polygon = to_numpy(polygon)
    if polygon is None or not len(polygon):
        return []
    first = polygon[0]
    points = hasattr(first, "__len__") and all(len(point) == 2 for point in polygon)
    parts = [polygon] if points or not hasattr(first, "__len__") else polygon
    made = []
    for part in parts:
        flat = np.asarray(to_numpy(part), np.float64).reshape(-1)
        if len(flat) % 2 or not np.isfinite(flat).all():
            raise SchemaError(
                f"polygons: instance {number} is no list of x and y in turn: {part!r}."
            )
        if len(flat) >= 2 * _CORNERS:
            made.append((flat.reshape(-1, 2) * np.asarray(scale)).reshape(-1))
    return made


def as_ring(parts: Sequence[Any]) -> list[float]:
    """Return one flat list that visits all parts, and comes back to its start between them.

    The ways there and back are the same line, so they enclose nothing.
    """
    lists: list[list[float]] = [np.asarray(part, np.float32).tolist() for part in parts]
    if len(lists) < 2:
        return lists[0] if lists else []
    start = lists[0][:2]
    ring = [*lists[0], *start]
    for part in lists[1:]:
        ring += [*part, *part[:2], *start]
    return ring


def outline(counts: bytes, height: int, width: int) -> list[Part]:
    """Return the outlines of a mask along the edges of its pixels; [] if it is empty.

    Each part of the mask that hangs together has one. A mask with holes has one in all, which
    visits the holes, too.
    """
    left, top, across, down = map(int, rle.bounding_box(counts, height))
    if not across:
        return []
    mask = rle.decode_masks([counts], height, width)[top : top + down, left : left + across, 0]
    found = _rings(mask)
    corner = np.array([left, top], np.float64)
    parts = [(np.array(points) + corner).reshape(-1) for points, _ in found]
    if all(is_outer for _, is_outer in found):
        return parts
    return [np.array(as_ring(parts), np.float64)]


def _rings(mask: npt.NDArray[Any]) -> list[tuple[list[tuple[int, int]], bool]]:
    """Return the corners of each outline of a mask, and whether it is an outer one."""
    x, y, sides = _corners(mask)
    beside = _partners(y, x, sides & 1)  # along the row, and along the column
    above = _partners(x, y, sides >> 1)
    places = list(zip(x.tolist(), y.tolist(), strict=True))
    seen = [False] * len(places)
    rings = []
    for start in range(len(places)):
        if seen[start]:
            continue
        points, at = [], start
        while not seen[at]:
            across = beside[at]
            seen[at] = seen[across] = True
            points += [places[at], places[across]]
            at = above[across]
        column, row = places[start]
        rings.append((points, bool(mask[row : row + 1, column : column + 1].any())))
    return rings


def _corners(mask: npt.NDArray[Any]) -> tuple[Any, Any, Any]:
    """Return x and y of where outlines turn, row by row, and which way their lines go from there.

    The first bit says that one goes to the right, the second that one goes down.
    """
    padded = np.pad(mask != 0, 1)
    nw, ne, sw, se = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    amount = nw.astype(int) + ne + sw + se
    falling = (nw & se) & ~(ne | sw)
    rising = (ne & sw) & ~(nw | se)
    y, x = np.nonzero((amount & 1 == 1) | falling | rising)
    right = (ne[y, x] != se[y, x]).astype(int)
    down = (sw[y, x] != se[y, x]).astype(int)
    sides = right | (down << 1)
    # Where two pixels touch at a corner, two outlines turn there: one around each.
    sides = np.where(falling[y, x], 0b00, np.where(rising[y, x], 0b01, sides))
    twice = np.flatnonzero(falling[y, x] | rising[y, x])
    order = np.argsort(np.concatenate([np.arange(len(x)), twice]), kind="stable")
    both = np.concatenate([sides, 3 - sides[twice]])[order]
    return np.append(x, x[twice])[order], np.append(y, y[twice])[order], both


def _partners(lines: Any, places: Any, after: Any) -> list[int]:
    """Return the other end of the line from each corner: they take turns along it."""
    order = np.lexsort((after, places, lines))
    partners = np.empty(len(order), np.int64)
    partners[order[::2]] = order[1::2]
    partners[order[1::2]] = order[::2]
    result: list[int] = partners.tolist()
    return result


def flat_parts(polygons: Sequence[Sequence[Any]]) -> list[list[list[float]]]:
    """Return parts as lists of numbers of 32 bits, as rows hold them."""
    return [[np.asarray(part, np.float32).tolist() for part in parts] for parts in polygons]
