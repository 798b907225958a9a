"""Images of a table, as SuperGradients takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import ColumnNotFoundError, SchemaError
from tlc.helpers import ImageHelper

if TYPE_CHECKING:
    from PIL.Image import Image

    from tlc.table import Table

__all__ = ["as_array", "as_is", "as_pil", "check_column"]

_CHANNELS = 3


def as_pil(value: Any) -> Image:
    """Return the sample of an image column, or the image at its url, as a PIL image in RGB."""
    if isinstance(value, str):
        value = ImageHelper.open(value)
    if hasattr(value, "convert"):
        found: Image = value.convert("RGB")
        return found
    from PIL import Image as Images

    return Images.fromarray(as_array(value))


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """Return the sample of an image column as uint8 of shape (H, W, 3), in RGB.

    Raises:
        SchemaError: It is no image.
    """
    if isinstance(value, str) or hasattr(value, "convert"):
        return np.array(as_pil(value))
    array = np.asarray(value)
    if array.dtype != np.uint8 or array.ndim != _CHANNELS or array.shape[-1] != _CHANNELS:
        raise SchemaError(
            f"An image is {array.dtype} of shape {array.shape}.",
            hint="images are PIL images, urls of images, or uint8 of shape (H, W, 3).",
        )
    return array


def as_is(batch: Any) -> Any:
    """Return a batch as it was read."""
    return batch


def check_column(table: Table, column: str) -> None:
    """Check that there is a column of images.

    Raises:
        ColumnNotFoundError: There is no such column.
    """
    if column not in table.columns:
        raise ColumnNotFoundError(
            f"{table.url} has no column {column!r} of images.",
            hint=f"give image_column_name: there are {', '.join(map(repr, table.columns))}.",
        )
