"""What a YOLO data set's columns are: their schemas, and the points of its poses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import OptionError
from tlc.importers.yolo_checks import BEFORE_POINTS
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


def found_ids(lines: Lines) -> set[int]:
    """Return the ids of classes that lines have."""
    ids = np.unique(lines.values[lines.start[:-1]])
    whole = ids[(ids == np.floor(ids)) & (np.abs(ids) < 1 << 31)]
    return set(whole.astype(np.int64).tolist())


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


def told_points(count: int | None, dimensions: int | None) -> Points | None:
    """Return how many points an instance of a pose has, and of how many numbers, if that is told.

    Args:
        count: How many points there are; None to find out.
        dimensions: 2 or 3; None to find out.

    Raises:
        OptionError: It cannot be that.
    """
    if dimensions not in (None, 2, 3) or (count is not None and count < 1):
        raise OptionError(
            f"A pose cannot have {count} points of {dimensions} numbers.",
            hint="it has one or more points of 2 numbers, or 3 with a visibility.",
        )
    if count is None or dimensions is None:
        return None
    return Points(count, dimensions)


class PoseLengths:
    """How long the lines of poses are, from which their points follow."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._without_visibility: set[int] = set()

    def add(self, lines: Lines) -> None:
        """Look at some lines."""
        counts = lines.counts - BEFORE_POINTS
        self._counts.update(counts[counts > 0].tolist())
        owners = np.repeat(np.arange(len(lines)), lines.counts)
        at = np.arange(len(owners)) - lines.start[owners] - BEFORE_POINTS
        wrong = (at >= 0) & (at % 3 == 2) & ~np.isin(lines.values, (0, 1, 2))
        self._without_visibility.update(counts[owners[wrong]].tolist())

    def points(self, count: int | None, dimensions: int | None) -> Points:
        """Return how many points an instance has, and of how many numbers.

        What is not told follows from the length that most lines have: if every third number could
        be a visibility, they are.

        Args:
            count: As for `told_points`.
            dimensions: As for `told_points`.

        Raises:
            OptionError: It does not follow.
        """
        usual = self._counts.most_common(1)[0][0] if self._counts else 0
        is_told = count is not None or dimensions is not None
        for each in (3, 2) if dimensions is None else (dimensions,):
            number = usual // each if count is None else count
            fits = each == 2 or is_told or usual not in self._without_visibility
            if usual and number * each == usual and fits:
                return Points(number, each)
        if count is not None and not self._counts:
            return Points(count, dimensions or 3)
        raise OptionError(
            "The labels do not tell how many points an instance of a pose has.",
            hint="pass num_keypoints= and values_per_keypoint=, or kpt_shape in the YAML file.",
        )
