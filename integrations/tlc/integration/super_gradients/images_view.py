"""The images of a table, and nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.integration.super_gradients.images import as_array
from tlc.integration.super_gradients.table_dataset import TableDataset
from tlc.metrics._origin import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.table import Table

__all__ = ["ImagesView", "images_of"]


class ImagesView(TableDataset):
    """Samples are images, uint8 of shape (H, W, 3) in RGB; other columns are not read.

    Args:
        table: The table.
        image_column_name: Its column of images.
    """

    def __init__(self, table: Table, image_column_name: str) -> None:
        super().__init__(table, image_column_name, "")

    def __getitem__(self, index: int) -> Any:
        """Return the image of a row."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int], finish: Any = None) -> list[Any]:
        """Return the images of rows."""
        column = self.image_column_name
        values = self.source.get_batch(indices, [column])[column]
        images = [as_array(value) for value in values]
        if finish is None:
            return images
        return [finish(image, row) for image, row in zip(images, indices, strict=True)]


def images_of(dataset: Any, image_column_name: str) -> Any:
    """Return the images of the rows that a dataset has: all of its table, or some.

    Args:
        dataset: A table, a view of one, or a torch ``Subset`` of such.
        image_column_name: The column of images.
    """
    origin = Origin.of(dataset)
    view = ImagesView(origin.table, image_column_name)
    if origin.rows is None:
        return view
    data = require("torch.utils.data", extra="torch", purpose="to choose rows")
    return data.Subset(view, origin.rows.tolist())
