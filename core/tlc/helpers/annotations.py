"""Which columns are annotations, told by what their cells look like, not by their names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tlc import constants
from tlc.errors import ColumnNotFoundError, SchemaError

if TYPE_CHECKING:
    from tlc.schemas import Schema
    from tlc.table import Table

_MORE = constants.INSTANCES_ADDITIONAL_DATA


class AnnotationType(Enum):
    """Kinds of annotations."""

    BOUNDING_BOXES = "bounding_boxes_2d"
    BOUNDING_BOXES_3D = "bounding_boxes_3d"
    LEGACY_BOUNDING_BOXES = "legacy_bounding_boxes"
    ORIENTED_BOUNDING_BOXES = "oriented_bounding_boxes_2d"
    ORIENTED_BOUNDING_BOXES_3D = "oriented_bounding_boxes_3d"
    KEYPOINTS = "keypoints_2d"
    SEGMENTATION = "segmentation"
    SEMANTIC_SEGMENTATION = "semantic_segmentation"
    GEOMETRY_2D = "geometry_2d"
    GEOMETRY_3D = "geometry_3d"


@dataclass(frozen=True)
class AnnotationColumn:
    """A column of annotations.

    Attributes:
        name: Its name.
        type: What its cells hold.
        label_path: Dotted path of the class of each instance; None if it has none.
    """

    name: str
    type: AnnotationType
    label_path: str | None


class AnnotationHelper:
    """Finds columns of annotations."""

    @staticmethod
    def get(table: Table, column: str) -> AnnotationColumn:
        """Return what a column of annotations holds.

        Raises:
            ColumnNotFoundError: There is no such column: a `KeyError`.
            SchemaError: It holds no annotations: a `ValueError`.
        """
        columns = table.rows_schema.values
        if column not in columns:
            raise ColumnNotFoundError(
                f"{table.url} has no column {column!r}.",
                hint=f"its columns are {', '.join(map(repr, columns)) or 'none'}.",
            )
        found = annotation_of(column, columns[column])
        if found is None:
            raise SchemaError(
                f"Column {column!r} of {table.url} holds no annotations.",
                hint="AnnotationHelper.find(table) lists those that do.",
            )
        return found

    @staticmethod
    def find(table: Table, type: AnnotationType | None = None) -> list[AnnotationColumn]:
        """Return all columns of annotations, in the order of the table.

        Args:
            table: The table.
            type: Only those of this kind.
        """
        named = table.rows_schema.values.items()
        found = [each for name, schema in named if (each := annotation_of(name, schema))]
        return [each for each in found if type in (None, each.type)]


def annotation_of(name: str, schema: Schema) -> AnnotationColumn | None:
    """Return what a column holds, told by its schema; None if that is no annotations."""
    kind = _kind(schema)
    if kind is None:
        return None
    homes = (_MORE, constants.INSTANCE_PROPERTIES, constants.BOUNDING_BOX_LIST)
    for home in homes:
        if home in schema and constants.LABEL in schema.values[home]:
            return AnnotationColumn(name, kind, f"{name}.{home}.{constants.LABEL}")
    return AnnotationColumn(name, kind, None)


def _kind(schema: Schema) -> AnnotationType | None:
    if constants.BOUNDING_BOX_LIST in schema:
        return AnnotationType.LEGACY_BOUNDING_BOXES
    if constants.RLES in schema and constants.INSTANCE_PROPERTIES in schema:
        semantic = schema.sample_type == AnnotationType.SEMANTIC_SEGMENTATION.value
        return AnnotationType.SEMANTIC_SEGMENTATION if semantic else AnnotationType.SEGMENTATION
    if constants.INSTANCES not in schema or _MORE not in schema:
        return None
    instances = schema.values[constants.INSTANCES]
    if instances.is_composite:
        in_space = constants.Z_MIN in schema
        return AnnotationType.GEOMETRY_3D if in_space else AnnotationType.GEOMETRY_2D
    if len(instances.shape) == 3:  # instances, points, x and y
        return AnnotationType.KEYPOINTS
    return _BY_LENGTH.get(instances.shape[-1]) if len(instances.shape) == 2 else None


_BY_LENGTH = {
    4: AnnotationType.BOUNDING_BOXES,
    5: AnnotationType.ORIENTED_BOUNDING_BOXES,
    6: AnnotationType.BOUNDING_BOXES_3D,
    9: AnnotationType.ORIENTED_BOUNDING_BOXES_3D,
}
