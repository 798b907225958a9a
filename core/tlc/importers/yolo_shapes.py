"""From numbers of YOLO labels, fractions of an image, to shapes in pixels: all lines at once.

Every function takes lines of the right length and returns those that it could use, with their
shapes. Values up to one pixel or a thousandth outside of the image are moved to its border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tlc.importers.yolo_checks import NOISE, columns_of, range_hint, reject, tolerance

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.importers.report import Problems
    from tlc.importers.yolo_checks import Flags
    from tlc.importers.yolo_columns import Points
    from tlc.importers.yolo_lines import Floats, Integers, Lines

_ANGLE_NOISE = 1e-6
_FARTHEST = 1e6


@dataclass(frozen=True)
class Shapes:
    """Shapes of instances, in pixels.

    Attributes:
        lines: The lines that they come from.
        boxes: Shape `(instances, 4)`: x_min, y_min, x_max, y_max; `(instances, 5)` for oriented
            boxes: x and y of the centre, width, height, angle in radians from 0 to below pi / 2;
            `(0, 4)` for polygons.
        points: Shape `(instances, points, 2)` for poses; `(vertices, 2)` for polygons.
        visibility: Shape `(instances, points)`: 0, 1 or 2; None where the labels have none.
        offsets: Where the vertices of each polygon begin, and the last ones end.
    """

    lines: Lines
    boxes: Floats
    points: Floats | None = None
    visibility: npt.NDArray[np.int32] | None = None
    offsets: Integers | None = None


def boxes(lines: Lines, sizes: Floats, problems: Problems, columns: int = 5) -> Shapes:
    """Return upright boxes.

    A box whose numbers are right, but which reaches over the border, is cut there and counted.

    Args:
        lines: The lines.
        sizes: Width and height of the image of each file, shape `(files, 2)`.
        problems: Gets boxes without area or outside of the image, as ``BOX_RANGE``.
        columns: How many numbers a line has; the box comes first.
    """
    values = columns_of(lines, columns)[:, :4]
    slack = np.tile(tolerance(sizes[lines.file]), 2)
    wrong = _any(_outside(values, slack))
    lines = _reject_boxes(lines, wrong, values[wrong], problems, "a box lies outside of its image")
    values = columns_of(lines, columns)[:, :4]
    half = values[:, 2:] / 2
    corners = np.hstack([values[:, :2] - half, values[:, :2] + half])
    inside = np.clip(corners, 0, 1)
    pixels = inside * np.tile(sizes[lines.file], 2)
    stored = pixels.astype(np.float32)  # in which small areas vanish
    flat = _any((values[:, 2:] <= 0) | (stored[:, 2:] <= stored[:, :2]))
    cut = _any(np.abs(corners - inside) > NOISE) & ~flat
    lines = _reject_boxes(lines, flat, values[flat], problems, "a box has no area")
    problems.clipped += int(cut.sum())
    return Shapes(lines, pixels[~flat])


def _outside(values: Floats, slack: Floats) -> Flags:
    return (values < -slack) | (values > 1 + slack)


def _any(values: Flags, axes: int | tuple[int, ...] = 1) -> Flags:
    return np.asarray(values.any(axes))


def _reject_boxes(
    lines: Lines, wrong: Flags, values: Floats, problems: Problems, message: str
) -> Lines:
    return reject(lines, wrong, problems, "BOX_RANGE", message, range_hint(values))


def poses(lines: Lines, sizes: Floats, problems: Problems, form: Points) -> Shapes:
    """Return boxes with points.

    Points that are not labelled, of visibility 0, may lie anywhere.

    Args:
        lines: The lines.
        sizes: Width and height of the image of each file, shape `(files, 2)`.
        problems: Gets boxes as ``BOX_RANGE``, points outside of the image as ``KEYPOINT_RANGE``,
            and visibilities other than 0, 1 and 2 as ``KEYPOINT_VISIBILITY``.
        form: What points an instance has.
    """
    count, dimensions, columns = form.count, form.dimensions, form.columns
    if dimensions == 3:
        third = columns_of(lines, columns)[:, 6::3]
        wrong = _any(~np.isin(third, (0, 1, 2)))
        message = "the visibility of a point is not 0, 1 or 2"
        lines = reject(lines, wrong, problems, "KEYPOINT_VISIBILITY", message)
    points = columns_of(lines, columns)[:, 4:].reshape(len(lines), count, dimensions)
    slack = tolerance(sizes[lines.file])[:, None, :]
    outside = _any(_outside(points[..., :2], slack), 2)
    if dimensions == 3:
        outside &= points[..., 2] > 0
    wrong = _any(outside) | _any(np.abs(points) > _FARTHEST, (1, 2))
    lines = _reject_points(lines, wrong, points[wrong], problems, "KEYPOINT_RANGE")
    found = boxes(lines, sizes, problems, columns)
    points = columns_of(found.lines, columns)[:, 4:].reshape(len(found.lines), count, dimensions)
    places = points[..., :2]
    if dimensions == 2:
        visibility = None
        places = np.clip(places, 0, 1)
    else:
        visibility = points[..., 2].astype(np.int32)
        places = np.where(visibility[..., None] > 0, np.clip(places, 0, 1), places)
    return Shapes(
        found.lines, found.boxes, places * sizes[found.lines.file][:, None, :], visibility
    )


def polygons(lines: Lines, sizes: Floats, problems: Problems) -> Shapes:
    """Return polygons, each of one part.

    Args:
        lines: The lines.
        sizes: Width and height of the image of each file, shape `(files, 2)`.
        problems: Gets polygons with vertices outside of the image, as ``POLYGON_RANGE``.
    """
    owners = np.repeat(np.arange(len(lines)), lines.counts // 2)
    vertices = _vertices(lines)
    slack = tolerance(sizes[lines.file])[owners]
    outside = _any(_outside(vertices, slack))
    wrong = np.zeros(len(lines), bool)
    wrong[owners[outside]] = True
    lines = _reject_points(lines, wrong, vertices[outside], problems, "POLYGON_RANGE")
    offsets = np.concatenate([[0], np.cumsum(lines.counts // 2)])
    owners = np.repeat(np.arange(len(lines)), lines.counts // 2)
    vertices = _vertices(lines)
    inside = np.clip(vertices, 0, 1)
    moved = _any(np.abs(vertices - inside) > NOISE)
    problems.clipped += len(np.unique(owners[moved]))
    return Shapes(lines, np.zeros((0, 4)), inside * sizes[lines.file][owners], offsets=offsets)


def _vertices(lines: Lines) -> Floats:
    """Return the numbers of all lines without the classes, as points."""
    keep = np.ones(len(lines.values), bool)
    keep[lines.start[:-1]] = False
    return lines.values[keep].reshape(-1, 2)


def _reject_points(
    lines: Lines, wrong: Flags, values: Floats, problems: Problems, code: str
) -> Lines:
    message = "a point lies outside of its image"
    return reject(lines, wrong, problems, code, message, range_hint(values))


def oriented_boxes(lines: Lines, sizes: Floats, problems: Problems) -> Shapes:
    """Return the rectangles of least area around four corners each.

    Corners may lie outside of the image, as those of turned boxes at its border do; centres not.

    Args:
        lines: The lines.
        sizes: Width and height of the image of each file, shape `(files, 2)`.
        problems: Gets boxes without area or outside of the image, as ``BOX_RANGE``.
    """
    corners = columns_of(lines, 9).reshape(-1, 4, 2)
    wrong = _any(np.abs(corners - 0.5) > 1.5, (1, 2))
    message = "a box lies outside of its image"
    lines = _reject_boxes(lines, wrong, corners[wrong], problems, message)
    corners = columns_of(lines, 9).reshape(-1, 4, 2) * sizes[lines.file][:, None, :]
    found = least_rectangles(corners)
    # A hundredth of a pixel is what rounding to six decimals leaves of a line.
    flat = _any(found[:, 2:4] < 0.01)
    lines = _reject_boxes(lines, flat, corners[:0], problems, "a box has no area")
    found = found[~flat]
    size = sizes[lines.file]
    outside = _any(_outside(found[:, :2] / size, tolerance(size)))
    lines = _reject_boxes(lines, outside, corners[:0], problems, message)
    return Shapes(lines, found[~outside])


def least_rectangles(corners: Floats) -> Floats:
    """Return the rectangle of least area around each four points.

    One side of it lies on a side of their hull, so all six lines between two points are tried; of
    several that are as good, the line from the first point to the second comes first.

    Args:
        corners: Shape `(n, 4, 2)`.

    Returns:
        x and y of the centre, width, height, angle of the width from 0 to below pi / 2 in the
        direction from x to y; shape `(n, 5)`.
    """
    best = np.zeros((len(corners), 5))
    least = np.full(len(corners), np.inf)
    for one, other in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
        side = corners[:, other] - corners[:, one]
        angle = np.arctan2(side[:, 1], side[:, 0]) % (np.pi / 2)
        angle[angle > np.pi / 2 - _ANGLE_NOISE] = 0.0  # where 32 bits would tell pi / 2
        found = _rectangles(corners, angle)
        area = found[:, 2] * found[:, 3]
        degenerate = ~_any(side != 0)
        better = (area < least * (1 - 1e-9)) & ~degenerate
        best[better], least[better] = found[better], area[better]
    return best


def _rectangles(corners: Floats, angle: Floats) -> Floats:
    """Return the rectangles around points with sides at given angles."""
    cosine, sine = np.cos(angle), np.sin(angle)
    across = corners[..., 0] * cosine[:, None] + corners[..., 1] * sine[:, None]
    along = corners[..., 1] * cosine[:, None] - corners[..., 0] * sine[:, None]
    x, y = (across.max(1) + across.min(1)) / 2, (along.max(1) + along.min(1)) / 2
    centre = (x * cosine - y * sine, x * sine + y * cosine)
    return np.stack([*centre, np.ptp(across, 1), np.ptp(along, 1), angle], 1)
