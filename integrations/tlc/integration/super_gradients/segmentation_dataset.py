"""`SegmentationDataset`: label maps of a table for SuperGradients' segmentation models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import BACKGROUND
from tlc.errors import ColumnNotFoundError
from tlc.helpers import AnnotationHelper, AnnotationType
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.classes import ClassIds
from tlc.integration.super_gradients.images import as_array
from tlc.integration.super_gradients.table_dataset import TableDataset, check_table
from tlc.schemas import MapElement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table import Table

__all__ = ["SegmentationDataset", "as_label_map", "label_map_classes", "label_map_column"]

_HAS_PARAMS = "module_interfaces", "HasPreprocessingParams"


class SegmentationDataset(TableDataset, part(*_HAS_PARAMS)):  # type: ignore[misc]
    """Images and label maps, as SuperGradients' segmentation datasets have them.

    Samples are what the transforms make of the image, uint8 of shape (H, W, 3) in RGB, and of the
    map of classes from 0, uint8 of shape (H, W). A background is a class, the void is not: its
    pixels are `ignore_index`, as are those of any id that is not in the value map. Row i is sample
    i.

    Args:
        table: The table.
        transforms: Transforms of SuperGradients for segmentation, or their names and parameters.
        image_column_name: Column of images.
        label_column_name: Column of label maps or label images; None for the first one.

    Attributes:
        classes: Names of the classes, in the order that models number them.
        class_ids: The same, with the ids of the table.
        ignore_index: What pixels of no class are, for losses and metrics: the number of classes, as
            SuperGradients has it for Cityscapes. With more than 255 classes maps are int32.

    Raises:
        OptionError: A table is needed, and something else is given.
        ColumnNotFoundError: There is no such column.
        SchemaError: The labels have no class names.
    """

    def __init__(
        self,
        table: Table,
        transforms: Sequence[Any] = (),
        *,
        image_column_name: str = "image",
        label_column_name: str | None = None,
    ) -> None:
        check_table(table)
        label_column_name = label_map_column(table, label_column_name)
        super().__init__(table, image_column_name, label_column_name)
        self.class_ids = label_map_classes(table, label_column_name)
        self.classes = self.class_ids.names
        self.ignore_index = len(self.classes)
        factory = part("common.factories.transforms_factory", "TransformsFactory")()
        names = part("common.factories.list_factory", "ListFactory")(factory)
        self.transforms = names.get(list(transforms))

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return the transformed image and label map."""
        sample = self.get_sample(index)
        for transform in self.transforms:
            sample = transform.apply_to_sample(sample)
        return sample.image, sample.mask

    def get_sample(self, index: int) -> Any:
        """Return a ``SegmentationSample`` before the transforms.

        Args:
            index: Number of the row.
        """
        image, labels = self.read(index, self.image_column_name, self.label_column_name)
        mask = as_label_map(labels)
        found = np.searchsorted(self.class_ids.ids, mask).clip(max=len(self.class_ids) - 1)
        found[self.class_ids.ids[found] != mask] = self.ignore_index
        kind = np.uint8 if self.ignore_index <= np.iinfo(np.uint8).max else np.int32
        sample = part("training.samples", "SegmentationSample")
        return sample(image=as_array(image), mask=found.astype(kind))

    def get_dataset_preprocessing_params(self) -> dict[str, Any]:
        """Return how a model is to treat images so that they are like those of samples."""
        processings = [p for each in self.transforms for p in each.get_equivalent_preprocessing()]
        compose = part("common.object_names", "Processings").ComposeProcessing
        return {
            "class_names": self.classes,
            "image_processor": {compose: {"processings": processings}},
        }


def as_label_map(labels: Any) -> np.ndarray[Any, Any]:
    """Return the ids of a `SemanticSegmentation` or a label image, of shape (H, W)."""
    return np.asarray(labels.mask if hasattr(labels, "mask") else labels)


def label_map_column(table: Table, name: str | None) -> str:
    """Return a column of label maps, or of images that are such.

    Raises:
        ColumnNotFoundError: There is none.
    """
    if name is not None:
        return name.partition(".")[0]
    found = AnnotationHelper.find(table, AnnotationType.SEMANTIC_SEGMENTATION)
    if found:
        return found[0].name
    for name, schema in table.rows_schema.values.items():
        if not schema.is_composite and table.get_value_map(name) and _holds_urls(schema):
            return name
    raise ColumnNotFoundError(
        f"{table.url} has no column of label maps with classes.", hint="give label_column_name."
    )


def label_map_classes(table: Table, column: str) -> ClassIds:
    """Return the classes of a column of label maps, its background among them."""
    schema = table.rows_schema.values[column]
    if not schema.is_composite:
        return ClassIds.of(table, column)
    path = AnnotationHelper.get(table, column).label_path
    found = dict(ClassIds.of(table, path).elements)
    if (background := schema.metadata.get(BACKGROUND)) is not None:
        named = schema.metadata.get(f"{BACKGROUND}_class") or {"internal_name": BACKGROUND}
        found[int(background)] = MapElement(**named)
    return ClassIds.of_elements(found)


def _holds_urls(schema: Any) -> bool:
    return schema.value is not None and bool(getattr(schema.value, "string_role", ""))
