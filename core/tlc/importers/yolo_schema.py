"""What a YOLO data set's columns are: their schemas, and the points of its poses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError
from tlc.importers.yolo_columns import COLUMNS, Points
from tlc.schemas import ImageSchema
from tlc.schemas.value_maps import make_value_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.importers.yolo_lines import Lines
    from tlc.schemas import Schema
    from tlc.schemas.value_maps import Classes, ValueMap


def known_classes(classes: Classes) -> dict[int, str]:
    """Return id to name of categories, in the order of the caller.

    Raises:
        OptionError: An id is no whole number that 32 bits can hold.
        SchemaError: They are no classes.
    """
    found: ValueMap = make_value_map(classes)
    for key in found:
        if not (isinstance(key, int) and abs(key) < 1 << 31):
            raise OptionError(
                f"The category {key!r} has no whole number for an id.",
                hint="ids are the first numbers of the lines of label files.",
            )
    return {int(key): element.name for key, element in found.items()}


def found_classes(lines: Lines) -> dict[int, str]:
    """Return the ids of classes that lines have, ascending, with their numbers for names."""
    ids = np.unique(lines.values[lines.start[:-1]])
    whole = ids[(ids == np.floor(ids)) & (np.abs(ids) < 1 << 31)]
    return {int(each): str(int(each)) for each in whole}


def yolo_schema(
    task: str, classes: Classes, points: Points | None, pose: Mapping[str, Any]
) -> dict[str, Schema]:
    """Return the schemas of the columns.

    Args:
        task: One of `tlc.importers.yolo_checks.TASKS`.
        classes: The categories.
        points: Of a pose.
        pose: Further arguments of the schema of poses.
    """
    from tlc import data_types  # late: only the one that is wanted is loaded

    if task == "detect":
        instances = data_types.BoundingBoxes2D.schema(classes=classes)
    elif task == "segment":
        instances = data_types.SegmentationPolygons.schema(classes=classes)
    elif task == "obb":
        instances = data_types.OrientedBoundingBoxes2D.schema(classes=classes)
    else:
        assert points is not None
        instances = data_types.Keypoints2D.schema(
            num_keypoints=points.count,
            classes=classes,
            include_per_point_visibility=points.dimensions == 3,
            **pose,
        )
    return {"image": ImageSchema(), COLUMNS[task]: instances}


def pose_points(lines: Lines, count: int | None, dimensions: int | None) -> Points:
    """Return how many points an instance has, and of how many numbers.

    What is not given follows from the length that most lines have: if every third number could be
    a visibility, they are.

    Args:
        lines: All lines.
        count: How many points there are; None to find out.
        dimensions: 2 or 3; None to find out.

    Raises:
        OptionError: It does not follow.
    """
    if dimensions not in (None, 2, 3) or (count is not None and count < 1):
        raise OptionError(
            f"A pose cannot have {count} points of {dimensions} numbers.",
            hint="it has one or more points of 2 numbers, or 3 with a visibility.",
        )
    if count is not None and dimensions is not None:
        return Points(count, dimensions)
    lengths = [int(n) - 5 for n in lines.counts.tolist() if n > 5]
    usual = Counter(lengths).most_common(1)[0][0] if lengths else 0
    is_told = count is not None or dimensions is not None
    for each in (3, 2) if dimensions is None else (dimensions,):
        number = usual // each if count is None else count
        fits = each == 2 or is_told or _has_visibilities(lines, usual)
        if usual and number * each == usual and fits:
            return Points(number, each)
    if count is not None and not lengths:
        return Points(count, dimensions or 3)
    raise OptionError(
        "The labels do not tell how many points an instance of a pose has.",
        hint="pass num_keypoints= and values_per_keypoint=, or kpt_shape in the YAML file.",
    )


def _has_visibilities(lines: Lines, usual: int) -> bool:
    """Whether every third number can be a visibility, in the lines of the usual length."""
    chosen = lines.kept(lines.counts == usual + 5)
    values = chosen.values.reshape(-1, usual + 5)[:, 5:]
    return bool(np.isin(values[:, 2::3], (0, 1, 2)).all())
