"""Columns of instances: what predictions are called, and which true ones they are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc import constants
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.errors import MetricsError
from tlc.format.plain import numbers_of
from tlc.helpers import AnnotationHelper, AnnotationType, KeypointHelper
from tlc.metrics.quality.cells import match_cells
from tlc.metrics.quality.matching import COCO_THRESHOLDS
from tlc.run.metrics_reader import Reader, info_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.helpers import AnnotationColumn
    from tlc.metrics.quality.cells import Instances
    from tlc.metrics.quality.instances import Ints
    from tlc.metrics.quality.matches import Matches
    from tlc.table import Table

__all__ = ["PREDICTED", "fitting_column", "match_column", "match_stored"]

PREDICTED: dict[type, str] = {
    BoundingBoxes2D: constants.PREDICTED_BOUNDING_BOXES,
    SegmentationMasks: constants.PREDICTED_SEGMENTATIONS,
    SegmentationPolygons: constants.PREDICTED_SEGMENTATIONS,
    Keypoints2D: constants.PREDICTED_KEYPOINTS,
    OrientedBoundingBoxes2D: constants.PREDICTED_OBBS,
}
"""Kind of predictions to the usual name of their column."""

_SEGMENTATION = (AnnotationType.SEGMENTATION,)
_POSES, _TURNED = (AnnotationType.KEYPOINTS,), (AnnotationType.ORIENTED_BOUNDING_BOXES,)
_BOXES = (AnnotationType.BOUNDING_BOXES, AnnotationType.LEGACY_BOUNDING_BOXES)
_FITTING: dict[type, tuple[AnnotationType, ...]] = {
    BoundingBoxes2D: (*_BOXES, *_SEGMENTATION, *_POSES, *_TURNED),
    SegmentationMasks: _SEGMENTATION,
    SegmentationPolygons: _SEGMENTATION,
    Keypoints2D: _POSES,
    OrientedBoundingBoxes2D: _TURNED,
}


def fitting_column(table: Table, kind: type) -> AnnotationColumn | None:
    """Return the first column of annotations that predictions can be held against; None if none is.

    Args:
        table: The table.
        kind: Type of the predictions, such as `BoundingBoxes2D`.
    """
    found = AnnotationHelper.find(table)
    wanted = (each for type_ in _FITTING[kind] for each in found if each.type is type_)
    return next(wanted, None)


def match_column(
    predicted: Sequence[Instances],
    rows: Any,
    table: Table,
    column: AnnotationColumn,
    thresholds: Any,
    *,
    by_class: bool = True,
    max_detections: int | None = None,
) -> Matches:
    """Match predictions with the true instances of rows of a table. See `match_cells`.

    Args:
        predicted: The predictions of each row.
        rows: Row numbers, integers of shape (images,).
        table: The table.
        column: Its column of true instances.
        thresholds: The least similarity of a match, or several of shape (T,).
        by_class: Whether only instances of the same class match, where the true ones have classes.
        max_detections: How many predictions of an image and class take part.
    """
    sigmas = None
    if column.type is AnnotationType.KEYPOINTS:
        sigmas = KeypointHelper.get_oks_sigmas_from_table(table, column.name)
    true = table.get_batch(rows, [column.name])[column.name]
    if column.type is AnnotationType.LEGACY_BOUNDING_BOXES:
        schema = table.rows_schema.values[column.name]
        true = [each and BoundingBoxes2D.from_legacy_row(each, schema) for each in true]
    return match_cells(
        predicted,
        true,
        thresholds,
        by_class=by_class and column.label_path is not None,
        sigmas=sigmas,
        max_detections=max_detections,
    )


def match_stored(
    metrics: Table,
    table: Table,
    thresholds: Any = COCO_THRESHOLDS,
    *,
    predicted: str | None = None,
    column: str | None = None,
    by_class: bool = True,
    max_detections: int | None = 100,
) -> Matches:
    """Match the predictions that a metrics table holds, at any thresholds.

    So a run is judged after it has ended, and anew when the ground truth was corrected::

        match_stored(run.metrics_tables[-1], table.latest()).average_precision().mean

    Images are in the order of the rows of the metrics table. Rows that `table` does not have, as a
    revision may lack some, are left out.

    Args:
        metrics: The metrics table, as `InstanceMetricsCollector` makes it.
        table: The table that it is about, or another with rows of it, such as a revision.
        thresholds: The least similarity of a match, or several; COCO's ten if not given.
        predicted: Its column of predictions; None for the first one with annotations.
        column: The column of true instances; None for the first that fits.
        by_class: Whether only instances of the same class match. Without, predictions match what
            they overlap, which tells classes that are taken for each other.
        max_detections: How many predictions of an image and class take part; None for all.

    Raises:
        ColumnNotFoundError: There is no such column.
        SchemaError: A column holds no annotations.
        MetricsError: There are no predictions, or nothing that they could be held against; or the
            metrics are about none of the rows of `table`.
        ObjectNotFoundError: `table` is another one than the metrics are about, which is no longer
            there.
    """
    name = predicted or next((each.name for each in AnnotationHelper.find(metrics)), None)
    if name is None:
        raise MetricsError(f"{metrics.url} has no column of predicted instances.")
    rows, there = _rows(metrics, table)
    cells = list(metrics.get_batch(there.tolist(), [name])[name])
    if column is not None:
        found = AnnotationHelper.get(table, column)
    elif (fitting := fitting_column(table, type(cells[0])) if cells else None) is not None:
        found = fitting
    else:
        raise MetricsError(
            f"{table.url} has no column that the {name!r} of {metrics.url} could be held against."
        )
    return match_column(
        cells, rows, table, found, thresholds, by_class=by_class, max_detections=max_detections
    )


def _rows(metrics: Table, table: Table) -> tuple[Ints, Ints]:
    """Return the row of a table of each row of its metrics that it has, and which those are."""
    ids = numbers_of(metrics.column(constants.EXAMPLE_ID)).astype(np.int64)
    info = info_of(metrics)
    mapped = None if info is None else Reader(table, None, ()).row_numbers(metrics, info)
    rows = ids if mapped is None else mapped[ids]
    there = np.flatnonzero(rows >= 0)
    if len(ids) and not len(there):
        raise MetricsError(f"{metrics.url} is not about the rows of {table.url}.")
    return rows[there], there
