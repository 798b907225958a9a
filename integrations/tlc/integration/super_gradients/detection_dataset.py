"""`DetectionDataset`: boxes of a table for SuperGradients' detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import IS_CROWD
from tlc.data_types import BoundingBoxes2D
from tlc.errors import SchemaError
from tlc.helpers import AnnotationType
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.classes import ClassIds
from tlc.integration.super_gradients.images import as_array
from tlc.integration.super_gradients.table_dataset import (
    TableDataset,
    annotation_column,
    check_table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table import Table

__all__ = ["DetectionDataset", "as_boxes"]

_AT = "training.datasets.detection_datasets.detection_dataset"
_BASE = part(_AT, "DetectionDataset")


class DetectionDataset(TableDataset, part(_AT, "DetectionDataset")):  # type: ignore[misc]
    """A detection dataset of SuperGradients over a table.

    Samples are the image, in BGR as all detection datasets there, and the targets: x_min, y_min,
    x_max, y_max and class of each box, or what the transforms make of them. Row i is sample i,
    whatever a mixing transform adds to it, and rows without boxes are samples, too. Crowds, which
    are boxes whose ``iscrowd`` is set, are left out of the targets; see `with_crowd`.

    Args:
        table: The table.
        input_dim: Rows and columns that images are scaled to fit in, or one number for both, with
            the same aspect ratio; None to leave them as they are.
        transforms: Transforms of SuperGradients for detection, or their names and parameters.
        image_column_name: Column of images.
        label_column_name: Column of boxes; None for the first one.
        with_crowd: Whether samples have crowds as a third part, for SuperGradients'
            ``CrowdDetectionCollateFN``.

    Attributes:
        classes: Names of the classes, in the order that models number them.
        class_ids: The same, with the ids of the table.

    Raises:
        OptionError: A table is needed, and something else is given.
        ColumnNotFoundError: There is no such column.
        SchemaError: The boxes have no class names.
    """

    def __init__(
        self,
        table: Table,
        input_dim: int | tuple[int, int] | None = None,
        transforms: Sequence[Any] = (),
        *,
        image_column_name: str = "image",
        label_column_name: str | None = None,
        with_crowd: bool = False,
    ) -> None:
        check_table(table)
        kinds = AnnotationType.BOUNDING_BOXES, AnnotationType.LEGACY_BOUNDING_BOXES
        column = annotation_column(table, label_column_name, *kinds)
        TableDataset.__init__(self, table, image_column_name, column.name)
        self.class_ids = ClassIds.of(table, column.label_path)
        self.with_crowd = with_crowd
        fields = ["target", "crowd_target"] if with_crowd else ["target"]
        _BASE.__init__(
            self,
            data_dir=".",
            original_target_format=part(
                "training.datasets.data_formats.default_formats", "XYXY_LABEL"
            ),
            cache_annotations=False,
            input_dim=input_dim,
            transforms=list(transforms),
            all_classes_list=self.class_ids.names,
            ignore_empty_annotations=False,
            target_fields=fields,
            output_fields=["image", *fields],
            verbose=False,
        )

    def __getitem__(self, index: int) -> Any:
        """Return the parts of a sample, after the transforms."""
        return _BASE.__getitem__(self, index)

    def get_sample(self, index: int, ignore_empty_annotations: bool = False) -> dict[str, Any]:
        """Return a sample before the transforms, a dictionary with ``image`` and ``target``.

        Args:
            index: Number of the row; of those with boxes, if others are ignored.
            ignore_empty_annotations: Whether rows without boxes are ignored.
        """
        row = self._non_empty_sample_ids[index] if ignore_empty_annotations else index
        value, cell = self.read(row, self.image_column_name, self.label_column_name)
        boxes = as_boxes(cell, self.source, self.label_column_name)
        image = np.ascontiguousarray(as_array(value)[:, :, ::-1])
        targets = self._targets(boxes, image.shape[:2], row)
        return {"image": self._resized(image, targets["resized_img_shape"]), **targets}

    def _setup_data_source(self) -> int:
        return len(self)

    def _load_annotation(self, sample_id: int) -> dict[str, Any]:
        (cell,) = self.read(sample_id, self.label_column_name)
        boxes = as_boxes(cell, self.source, self.label_column_name)
        size = boxes.image_height, boxes.image_width
        return self._targets(boxes, None if None in size else size, sample_id)

    def _targets(self, boxes: BoundingBoxes2D, size: Any, row: int) -> dict[str, Any]:
        """Return targets, scaled as the image is.

        Args:
            boxes: The boxes of a row.
            size: Height and width of the image; None where only the number of boxes matters.
            row: Number of the row.
        """
        scale = 1.0
        resized = size
        if size is not None and self.input_dim is not None:
            height, width = size
            scale = min(self.input_dim[0] / height, self.input_dim[1] / width)
            resized = int(height * scale), int(width * scale)
        labels = self._classes_of(boxes, row)
        targets = np.c_[boxes.bounding_boxes * scale, labels].astype(np.float32)
        crowd = np.asarray(boxes.per_instance_extras.get(IS_CROWD, np.zeros(len(labels))), bool)
        found = {
            "target": targets[~crowd],
            "initial_img_shape": size,
            "resized_img_shape": resized,
            "img_path": f"{self.url}#{row}",
        }
        return found | ({"crowd_target": targets[crowd]} if self.with_crowd else {})

    def _classes_of(self, boxes: BoundingBoxes2D, row: int) -> np.ndarray[Any, Any]:
        if boxes.labels is None and boxes.num_instances:
            raise SchemaError(
                f"The boxes of row {row} of {self.url} have no labels.",
                hint="give each box one.",
            )
        labels = np.empty(0) if boxes.labels is None else boxes.labels
        return self.class_ids.to_model(labels, f"Row {row} of {self.url}")

    def _resized(self, image: np.ndarray[Any, Any], size: tuple[int, int]) -> Any:
        if image.shape[:2] == size:
            return image
        import cv2

        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)


def as_boxes(cell: Any, table: Table, column: str) -> BoundingBoxes2D:
    """Return the boxes of a cell, which may have the form that older programs wrote."""
    if isinstance(cell, BoundingBoxes2D):
        return cell
    return BoundingBoxes2D.from_legacy_row(cell, table.rows_schema.values[column])
