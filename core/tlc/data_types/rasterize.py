"""Polygons to masks, with the pixels that `pycocotools` finds: very many at once.

COCO's rule draws a polygon five times as large, rounds its corners there, and walks its outline
from point to point. Where the outline passes the middle of a column of pixels, the mask starts or
stops. Only those crossings are computed here, not the points between.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.data_types.rle import compress, counts_of_runs, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.data_types.rle import Bytes, Ints

Floats: TypeAlias = npt.NDArray[np.float64]

_SCALE = 5
_CORNERS_AT_ONCE = 1 << 13  # what is made of them fits the caches of a processor
_MIDDLE = 2  # the point before the middle of a column, of five


def rles_of_polygons(
    points: npt.NDArray[Any], polygons: Ints, instances: Ints, heights: Ints, widths: Ints
) -> tuple[Bytes, Ints]:
    """Return the compressed masks of instances, each the union of its polygons.

    Args:
        points: x and y of all corners of all polygons, one after the other, shape (-1, 2), in
            pixels.
        polygons: Offsets of the corners of each polygon.
        instances: Offsets of the polygons of each instance.
        heights: Height of the image of each instance.
        widths: Width of the image of each instance.

    Returns:
        The characters of compressed counts, and the offsets of those of each instance.
    """
    starts = _chunks(polygons[instances])
    if len(starts) <= 2:
        return _drawn(points, polygons, instances, heights, widths)

    def draw(first: int, last: int) -> tuple[Bytes, Ints]:
        own = instances[first : last + 1]
        corners = polygons[own[0] : own[-1] + 1]
        inside = points[corners[0] : corners[-1]]
        sizes = heights[first:last], widths[first:last]
        return _drawn(inside, corners - corners[0], own - own[0], *sizes)

    parts = [draw(first, last) for first, last in pairwise(starts)]
    lengths = [np.diff(offsets) for _, offsets in parts]
    ends = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return np.concatenate([characters for characters, _ in parts]), ends


def _chunks(corners: Ints) -> list[int]:
    """Return where to cut instances so that each piece has about as many corners as are fastest.

    Args:
        corners: Number of corners before each instance, and of all.
    """
    count = len(corners) - 1
    pieces = np.unique((corners[:-1] - corners[0]) // _CORNERS_AT_ONCE, return_index=True)[1]
    return [*pieces.tolist(), count]


def _drawn(
    points: npt.NDArray[Any], polygons: Ints, instances: Ints, heights: Ints, widths: Ints
) -> tuple[Bytes, Ints]:
    owner = np.repeat(np.arange(len(heights)), np.diff(instances))
    toggles, drawn = _toggles(points, polygons, heights[owner], widths[owner])
    sizes = heights * widths
    if len(owner) == len(heights) and (np.diff(instances) == 1).all():
        return compress(*counts_of_runs(toggles, drawn, sizes))
    toggles, owners = _union(toggles, drawn, owner, sizes)
    return compress(*counts_of_runs(toggles, owners, sizes))


def rasterize(parts: Sequence[Sequence[Any]], height: int, width: int) -> list[bytes]:
    """Return the compressed mask of each instance of an image.

    Args:
        parts: For each instance its polygons, each with x and y in turn; those with less than three
            corners are left out.
        height: Height of the image in pixels.
        width: Its width.
    """
    kept = [[part for part in instance if len(part) >= 6] for instance in parts]
    flat = [np.asarray(part, np.float64).reshape(-1, 2) for instance in kept for part in instance]
    points = np.concatenate(flat) if flat else np.empty((0, 2))
    polygons = np.concatenate([[0], np.cumsum([len(part) for part in flat], dtype=np.int64)])
    instances = np.concatenate([[0], np.cumsum([len(each) for each in kept], dtype=np.int64)])
    sizes = np.full((2, len(kept)), [[height], [width]], np.int64)
    return split(*rles_of_polygons(points, polygons, instances, sizes[0], sizes[1]))


def _toggles(
    points: npt.NDArray[Any], offsets: Ints, heights: Ints, widths: Ints
) -> tuple[Ints, Ints]:
    """Return the pixels where polygons start or stop, ascending, and the polygon of each."""
    corners = (_SCALE * points.astype(np.float64) + 0.5).astype(np.int64)
    lengths = np.diff(offsets)
    polygon = np.repeat(np.arange(len(lengths)), lengths)
    following = np.arange(1, len(corners) + 1)
    closing = offsets[1:][lengths > 0] - 1
    following[closing] = offsets[:-1][lengths > 0]
    x, y, edge = _crossings(corners, corners[following], widths[polygon])
    owner = polygon[edge]
    height = heights[owner]
    row = np.ceil(np.clip((y + 0.5) / _SCALE - 0.5, 0, height)).astype(np.int64)
    return _odd(x * height + row, owner, int((heights * widths).max(initial=0)) + 1)


def _crossings(start: Ints, stop: Ints, widths: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the column, the lower of the two points around its middle, and the edge."""
    length = np.abs(stop - start)
    flat = length[:, 0] >= length[:, 1]
    # From left to right, or from top to bottom if that is longer.
    swap = np.where(flat, start[:, 0] > stop[:, 0], start[:, 1] > stop[:, 1])
    begin = np.where(swap[:, None], stop, start)
    end = np.where(swap[:, None], start, stop)
    low, high = np.minimum(start[:, 0], stop[:, 0]), np.maximum(start[:, 0], stop[:, 0])
    first = np.maximum(-((_MIDDLE - low) // _SCALE), 0)
    last = np.minimum((high - _MIDDLE - 1) // _SCALE, widths - 1)
    amounts = np.maximum(last - first + 1, 0)
    edge = np.repeat(np.arange(len(start)), amounts)
    column = np.arange(len(edge)) - np.repeat(np.cumsum(amounts) - amounts, amounts) + first[edge]
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (end - begin) / np.where(flat, length[:, 0], length[:, 1])[:, None]
    point = column * _SCALE + _MIDDLE
    lower = np.empty(len(edge), np.int64)
    is_flat = flat[edge]
    lower[is_flat] = _on_flat(edge[is_flat], point[is_flat], begin, rise[:, 1])
    lower[~is_flat] = _on_steep(edge[~is_flat], point[~is_flat], begin, rise[:, 0])
    return column, lower, edge


def _on_flat(edge: Ints, point: Ints, begin: Ints, rise: Floats) -> Ints:
    """Return the lower y at `point` and at the point after it."""
    steps, y, slope = point - begin[edge, 0], begin[edge, 1], rise[edge]
    here = (y + slope * steps + 0.5).astype(np.int64)
    after = (y + slope * (steps + 1) + 0.5).astype(np.int64)
    return np.minimum(here, after)


def _on_steep(edge: Ints, point: Ints, begin: Ints, rise: Floats) -> Ints:
    """Return the last y before x passes from `point` to the point after it, or the other way."""
    x, y, slope = begin[edge, 0], begin[edge, 1], rise[edge]
    rising = slope > 0
    # The first step at which x is on the other side; as computed it can be off by one.
    border = np.where(rising, point + 0.5, point + 0.5 - 1e-9)
    step = np.ceil((border - x) / slope).astype(np.int64)
    passed = _passed(x, slope, step, point, rising)
    step = np.where(passed, step, step + 1)
    before = _passed(x, slope, step - 1, point, rising)
    return y + np.where(before, step - 1, step) - 1


def _passed(
    x: Ints, slope: Floats, step: Ints, point: Ints, rising: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    reached = (x + slope * step + 0.5).astype(np.int64)
    return np.where(rising, reached > point, reached <= point)


def _odd(toggles: Ints, owners: Ints, size: int) -> tuple[Ints, Ints]:
    """Return in order the toggles that occur an odd number of times in their polygon."""
    keys = owners * size + toggles
    keys.sort()
    is_first = np.ones(len(keys), bool)
    is_first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(is_first)
    odd = keys[starts[(np.diff(np.append(starts, len(keys))) & 1) == 1]]
    return odd % size, odd // size


def _union(toggles: Ints, drawn: Ints, owner: Ints, sizes: Ints) -> tuple[Ints, Ints]:
    """Return the toggles of instances, made of those of their polygons."""
    size = int(sizes.max(initial=0)) + 1
    amounts = np.bincount(drawn, minlength=len(owner))
    opening = (np.arange(len(toggles)) - np.repeat(np.cumsum(amounts) - amounts, amounts)) & 1 == 0
    owners = owner[drawn]
    # Polygons that are open at the last pixel end there: after it, all of an instance are closed.
    unclosed = np.flatnonzero(amounts & 1)
    keys = np.concatenate(
        [owners * size + toggles, owner[unclosed] * size + sizes[owner[unclosed]]]
    )
    changes = np.concatenate([np.where(opening, 1, -1), np.full(len(unclosed), -1)])
    order = np.argsort(keys, kind="stable")
    keys, inside = keys[order], np.cumsum(changes[order])
    is_last = np.ones(len(keys), bool)
    is_last[:-1] = keys[1:] != keys[:-1]
    keys, covered = keys[is_last], inside[is_last] > 0
    changed = np.diff(covered, prepend=False)
    return keys[changed] % size, keys[changed] // size
