"""`ClassificationDataset`: labelled images of a table for SuperGradients' classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import ColumnNotFoundError
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.classes import ClassIds
from tlc.integration.super_gradients.images import as_pil
from tlc.integration.super_gradients.table_dataset import TableDataset, check_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table import Table

__all__ = ["ClassificationDataset", "label_column"]

_HAS_PARAMS = "module_interfaces", "HasPreprocessingParams"


class ClassificationDataset(TableDataset, part(*_HAS_PARAMS)):  # type: ignore[misc]
    """Images and their classes, as SuperGradients' classification datasets have them.

    Samples are what the transforms make of a PIL image in RGB, and its class: a whole number from
    0. Row i is sample i.

    Args:
        table: The table.
        transforms: Transforms of torchvision, one after the other, or one that composes them, or
            their names and parameters.
        image_column_name: Column of images.
        label_column_name: Column of labels; None for the first one with classes.

    Attributes:
        classes: Names of the classes, in the order that models number them.
        class_ids: The same, with the ids of the table.
        transforms: The transforms, composed.

    Raises:
        OptionError: A table is needed, and something else is given.
        ColumnNotFoundError: There is no such column.
        SchemaError: The labels have no class names.
    """

    def __init__(
        self,
        table: Table,
        transforms: Sequence[Any] | Any = (),
        *,
        image_column_name: str = "image",
        label_column_name: str | None = None,
    ) -> None:
        check_table(table)
        label_column_name = label_column_name or label_column(table)
        super().__init__(table, image_column_name, label_column_name)
        self.class_ids = ClassIds.of(table, label_column_name)
        self.classes = self.class_ids.names
        composed = require("torchvision.transforms", extra="super-gradients", purpose="to train")
        if isinstance(transforms, list | tuple):
            factory = part("common.factories.transforms_factory", "TransformsFactory")()
            given = part("common.factories.list_factory", "ListFactory")(factory).get(transforms)
            transforms = composed.Compose(list(given))
        self.transforms: Any = transforms

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Return the transformed image, and its class."""
        image, label = self.read(index, self.image_column_name, self.label_column_name)
        label = self.class_ids.to_model(label, f"Row {index} of {self.url}")
        return self.transforms(as_pil(image)), int(label)

    def get_dataset_preprocessing_params(self) -> dict[str, Any]:
        """Return how a model is to treat images so that they are like those of samples.

        Raises:
            ValueError: SuperGradients knows nothing like one of the transforms.
        """
        processings = part(
            "training.datasets.classification_datasets.torchvision_utils",
            "get_torchvision_transforms_equivalent_processing",
        )(self.transforms)
        compose = part("common.object_names", "Processings").ComposeProcessing
        return {
            "image_processor": {compose: {"processings": processings}},
            "class_names": self.classes,
        }


def label_column(table: Table) -> str:
    """Return the first column whose cells are one class each.

    Raises:
        ColumnNotFoundError: There is none.
    """
    for name, schema in table.rows_schema.values.items():
        is_number = schema.value is not None and not schema.shape and not schema.is_composite
        if is_number and table.get_value_map(name) and not hasattr(schema.value, "string_role"):
            return name
    raise ColumnNotFoundError(
        f"{table.url} has no column of labels with classes.", hint="give label_column_name."
    )
