"""What the points of a skeleton are, for COCO's people and for the columns of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tlc import constants
from tlc.data_types import coco_person
from tlc.data_types.skeletons import NUM_KEYPOINTS, attributes_of
from tlc.errors import ColumnNotFoundError
from tlc.helpers.annotations import AnnotationHelper, AnnotationType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import MapElement, Schema
    from tlc.table import Table

_TWO = 2  # x and y
_THREE = 3  # with a visibility or confidence


class KeypointHelper:
    """Constants for `Keypoints2D.schema`, and what a table says of its own points.

    Methods find the column of keypoints themselves, if there is but one or one that is named
    ``"keypoints_2d"``. They return what was given to the schema, or None.
    """

    COCO_KEYPOINT_NAMES: ClassVar[list[str]] = list(coco_person.KEYPOINT_NAMES)
    """Names of the 17 points of a person, in COCO's order."""

    COCO_SKELETON: ClassVar[list[int]] = list(coco_person.SKELETON)
    """Numbers of the points at both ends of each line, one after the other, from 0."""

    COCO_FLIP_INDICES: ClassVar[list[int]] = list(coco_person.FLIP_INDICES)
    """For each point, the one that it becomes in a mirror."""

    COCO_OKS_SIGMAS: ClassVar[list[float]] = list(coco_person.OKS_SIGMAS)
    """For each point, the sigma of object keypoint similarity."""

    COCO_KEYPOINT_DEFAULT_POSE: ClassVar[list[list[float]]] = [
        list(point) for point in coco_person.DEFAULT_POSE
    ]
    """A person who stands and faces the camera: x, y of each point, from 0 to 1."""

    @staticmethod
    def get_keypoint_shape_from_table(table: Table, column: str | None = None) -> list[int]:
        """Return ``[K, D]``: K points, and D = 3 if they have visibilities or confidences, else 2.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        schema = _schema(table, column)
        more = schema.values[constants.INSTANCES_ADDITIONAL_DATA]
        has_third = constants.KEYPOINT_VISIBILITY in more or constants.KEYPOINT_CONFIDENCE in more
        count = schema.values[constants.INSTANCES].shape[1]
        return [int(schema.metadata.get(NUM_KEYPOINTS, count)), _THREE if has_third else _TWO]

    @staticmethod
    def get_points_from_table(table: Table, column: str | None = None) -> list[Any] | None:
        """Return the default pose.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return _metadata(table, column).get("points")

    @staticmethod
    def get_lines_from_table(table: Table, column: str | None = None) -> list[int] | None:
        """Return the numbers of the points at both ends of each line.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return _metadata(table, column).get("lines")

    @staticmethod
    def get_triangles_from_table(table: Table, column: str | None = None) -> list[int] | None:
        """Return the numbers of the points of each triangle.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return _metadata(table, column).get("triangles")

    @staticmethod
    def get_keypoint_attributes_from_table(
        table: Table, column: str | None = None
    ) -> list[str | MapElement] | None:
        """Return the name or `MapElement` of each point.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return attributes_of(_metadata(table, column), "point_attributes")

    @staticmethod
    def get_line_attributes_from_table(
        table: Table, column: str | None = None
    ) -> list[str | MapElement] | None:
        """Return the name or `MapElement` of each line.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return attributes_of(_metadata(table, column), "line_attributes")

    @staticmethod
    def get_triangle_attributes_from_table(
        table: Table, column: str | None = None
    ) -> list[str | MapElement] | None:
        """Return the name or `MapElement` of each triangle.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return attributes_of(_metadata(table, column), "triangle_attributes")

    @staticmethod
    def get_oks_sigmas_from_table(table: Table, column: str | None = None) -> list[float] | None:
        """Return the sigma of each point.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return _metadata(table, column).get(constants.OKS_SIGMAS)

    @staticmethod
    def get_flip_indices_from_table(table: Table, column: str | None = None) -> list[int] | None:
        """Return for each point the one that it becomes in a mirror.

        Raises:
            ColumnNotFoundError: The table has no column of keypoints, or several.
        """
        return _metadata(table, column).get(constants.FLIP_INDICES)


def _metadata(table: Table, column: str | None) -> Mapping[str, Any]:
    return _schema(table, column).metadata


def _schema(table: Table, column: str | None) -> Schema:
    found = [each.name for each in AnnotationHelper.find(table, AnnotationType.KEYPOINTS)]
    if column is None and constants.KEYPOINTS_2D in found:
        column = constants.KEYPOINTS_2D
    if column is None and len(found) == 1:
        column = found[0]
    if column not in found:
        raise ColumnNotFoundError(
            f"{table.url} has no column {column!r} of keypoints."
            if column is not None
            else f"{table.url} has {len(found)} columns of keypoints.",
            hint=f"name one of {', '.join(map(repr, found))}."
            if found
            else "Keypoints2D.schema(...) describes such columns.",
        )
    return table.rows_schema.values[column]
