"""A class for each pixel: `SemanticSegmentation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tlc import constants
from tlc.data_types import rle
from tlc.data_types.arrays import Ints, to_numpy
from tlc.data_types.base import Annotation
from tlc.errors import SchemaError
from tlc.schemas import SemanticSegmentationRleSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema


class SemanticSegmentation(Annotation):
    """A label map: the class of each pixel of an image.

    Rows hold a compressed COCO run-length encoding of each class that occurs, but for the
    background, which is what no class covers.

    Args:
        mask: Class numbers, of shape (H, W).
        background: Number of pixels that belong to no class; None if there is no such.

    Attributes:
        mask: int32 of shape (H, W).
        background: See above.

    Raises:
        SchemaError: The mask has not two dimensions, or other numbers than whole ones.
    """

    __slots__ = ("background", "mask")

    sample_type = "semantic_segmentation"
    parts = ("mask", "background")

    mask: Ints
    background: int | None

    def __init__(self, mask: Any, *, background: int | None = None) -> None:
        self.mask = as_label_map(mask)
        self.background = background

    @property
    def image_height(self) -> int:
        """Height of the image in pixels."""
        return int(self.mask.shape[0])

    @property
    def image_width(self) -> int:
        """Width of the image in pixels."""
        return int(self.mask.shape[1])

    @property
    def present_class_ids(self) -> Ints:
        """The classes that occur, without the background, ascending: int32."""
        found = np.unique(self.mask)
        return found if self.background is None else found[found != self.background]

    def to_row(self) -> dict[str, Any]:
        """Return the row form: size of the image, `rles`, and the class of each.

        Raises:
            SchemaError: The mask was changed to what is no label map.
        """
        mask = as_label_map(self.mask)
        labels, rles = encode_label_map(mask, self.background)
        return {
            constants.IMAGE_HEIGHT: mask.shape[0],
            constants.IMAGE_WIDTH: mask.shape[1],
            constants.RLES: rles,
            constants.INSTANCE_PROPERTIES: {constants.LABEL: labels},
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any], *, background: int | None = None) -> Self:
        """Return the label map of a row form, as ``table.table_rows[i]`` has it.

        Args:
            row: The row form.
            background: Number of pixels that no class covers; 0 where it is not known.

        Raises:
            SchemaError: It is not complete, or its counts are not those of such masks.
        """
        try:
            made = cls.__new__(cls)
            made.background = background
            made._fill(row)
        except (KeyError, TypeError, AttributeError) as error:
            raise SchemaError(
                f"A row of {cls.__name__} is a dictionary with 'image_height', 'image_width', "
                f"'rles' and 'instance_properties', not {row!r}: {error}."
            ) from error
        return made

    @classmethod
    def schema(cls, **arguments: Any) -> Schema:
        """Return the schema of a column of label maps. See `SemanticSegmentationRleSchema`."""
        return SemanticSegmentationRleSchema(**arguments)

    @classmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column that has none. See `Annotation`."""
        return cls.schema()

    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on. See `Annotation`."""
        return {}

    def __repr__(self) -> str:
        size = f"image_width={self.image_width}, image_height={self.image_height}"
        return f"{type(self).__name__}(classes {self.present_class_ids.tolist()}, {size})"

    def _decoded(self, row: Mapping[str, Any]) -> Self:
        return self.from_row(row, background=self.background)

    def _fill(self, row: Mapping[str, Any]) -> None:
        labels = (row.get(constants.INSTANCE_PROPERTIES) or {}).get(constants.LABEL)
        self.mask = decode_label_map(
            [] if labels is None else labels,
            [r.encode() if isinstance(r, str) else r for r in row[constants.RLES] or ()],
            (int(row[constants.IMAGE_HEIGHT]), int(row[constants.IMAGE_WIDTH])),
            self.background or 0,
        )


def as_label_map(mask: Any) -> Ints:
    """Return class numbers as int32 of shape (H, W).

    Raises:
        SchemaError: They have another shape, or are no whole numbers of 32 bits.
    """
    array = np.asarray(to_numpy(mask))
    if array.ndim != 2:
        raise SchemaError(f"A label map has the shape (H, W), not {array.shape}.")
    if array.dtype == np.int32:
        return array
    if array.dtype.kind not in "biu" or not np.array_equal(array, made := array.astype(np.int32)):
        raise SchemaError(f"A label map has whole numbers of 32 bits, not such of {array.dtype}.")
    return made


def encode_label_map(mask: Ints, background: int | None) -> tuple[list[int], list[bytes]]:
    """Return the classes of a label map, ascending, and the compressed counts of each."""
    flat = mask.T.reshape(-1)
    if not len(flat):
        return [], []
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    stops, classes = np.append(starts[1:], len(flat)), flat[starts]
    if background is not None:
        kept = classes != background
        starts, stops, classes = starts[kept], stops[kept], classes[kept]
    order = np.argsort(classes, kind="stable")
    labels, owners = np.unique(classes[order], return_inverse=True)
    toggles = np.stack([starts[order], stops[order]], axis=1).reshape(-1)
    sizes = np.full(len(labels), len(flat))
    counts = rle.counts_of_runs(toggles, np.repeat(owners, 2), sizes)
    return labels.tolist(), rle.split(*rle.compress(*counts))


def decode_label_map(
    labels: Any, rles: list[bytes], size: tuple[int, int], background: int
) -> npt.NDArray[np.int32]:
    """Return the label map of classes and their compressed counts.

    Raises:
        SchemaError: The counts are damaged, or not those of such masks, or not one per class.
    """
    height, width = size
    if len(labels) != len(rles):
        raise SchemaError(f"There are {len(rles)} masks, and {len(labels)} classes for them.")
    flat = np.full(height * width, background, np.int32)
    counts, offsets = rle.counts_of(rles)
    rle.check_sizes(counts, offsets, len(flat))
    for label, first, last in zip(labels, offsets[:-1], offsets[1:], strict=True):
        inside = np.arange(last - first) & 1 == 1
        flat[np.repeat(inside, counts[first:last])] = label
    return flat.reshape(width, height).T
