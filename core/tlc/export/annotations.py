"""Which column of a table has the annotations, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlc.constants import (
    BOUNDING_BOXES,
    INSTANCE_PROPERTIES,
    INSTANCES_ADDITIONAL_DATA,
    KEYPOINTS_2D,
    LABEL,
    OBBS_2D,
    SEGMENTATIONS,
)
from tlc.errors import ExportError
from tlc.export.checks import check_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.schemas import MapElement, Schema
    from tlc.table import Table

BOXES, MASKS, POINTS, TURNED = "boxes", "masks", "points", "turned boxes"
KINDS = (BOXES, MASKS, POINTS, TURNED)
"""Kinds of annotations, those first that are taken first if a table has several."""

_KIND_OF = {
    "bounding_boxes_2d": BOXES,
    "segmentation_masks": MASKS,
    "segmentation_polygons": MASKS,
    "keypoints_2d": POINTS,
    "oriented_bounding_boxes_2d": TURNED,
}
_USUAL_NAMES = {
    BOXES: BOUNDING_BOXES,
    MASKS: SEGMENTATIONS,
    POINTS: KEYPOINTS_2D,
    TURNED: OBBS_2D,
}


@dataclass(frozen=True)
class AnnotationColumn:
    """A column of annotations.

    Attributes:
        name: Its name.
        kind: One of `KINDS`.
        schema: Its schema.
    """

    name: str
    kind: str
    schema: Schema

    @property
    def properties_name(self) -> str:
        """Name of the part of a cell that has what instances have besides their shape."""
        return INSTANCE_PROPERTIES if self.kind == MASKS else INSTANCES_ADDITIONAL_DATA

    @property
    def properties(self) -> Mapping[str, Schema]:
        """Schemas of what instances have besides their shape."""
        part = self.schema.values.get(self.properties_name)
        return {} if part is None else part.values

    @property
    def classes(self) -> dict[Any, MapElement]:
        """Value map of the labels; empty if there is none."""
        label = self.properties.get(LABEL)
        return dict((label.get_value_map() or {}) if label else {})


def annotation_columns(table: Table, kinds: Sequence[str] = KINDS) -> list[AnnotationColumn]:
    """Return the columns of annotations of some kinds, the one to take first."""
    found = [
        AnnotationColumn(name, _KIND_OF[schema.sample_type], schema)
        for name, schema in table.rows_schema.values.items()
        if _KIND_OF.get(schema.sample_type) in kinds
    ]
    return sorted(
        found, key=lambda each: (kinds.index(each.kind), each.name != _USUAL_NAMES[each.kind])
    )


def annotation_column(
    table: Table, name: str | None = None, kinds: Sequence[str] = KINDS
) -> AnnotationColumn:
    """Return the column of annotations to export.

    Args:
        table: The table.
        name: Its name; None for the first of `kinds` that there is.
        kinds: Those that the format can hold.

    Raises:
        ColumnNotFoundError: There is no column of that name.
        ExportError: There is no column of such annotations, or it has no such annotations.
    """
    found = annotation_columns(table, kinds)
    if name is None and found:
        return found[0]
    if name is None:
        raise ExportError(
            f"{table.url} has no column of annotations that this format can hold.",
            hint=f"it can hold {', '.join(kinds)}; the schemas of tlc.data_types describe them.",
        )
    check_column(table, name)
    for each in found:
        if each.name == name:
            return each
    raise ExportError(
        f"Column {name!r} of {table.url} has no annotations that this format can hold.",
        hint=f"columns that it can hold are {', '.join(repr(each.name) for each in found)}."
        if found
        else "the table has none.",
    )
