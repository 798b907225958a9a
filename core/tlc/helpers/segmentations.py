"""Masks, their COCO run-length encodings, and polygons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types import rle as codec
from tlc.data_types.polygons import as_parts, as_ring, outline
from tlc.data_types.rasterize import rasterize
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from tlc.data_types.rle import CocoRle


class SegmentationHelper:
    """Converts masks. Encodings are those of `pycocotools`: ``{"size": [h, w], "counts": bytes}``.

    Counts may also be given as text, or as a list of uncompressed run lengths.
    """

    @staticmethod
    def empty_rle(height: int, width: int) -> CocoRle:
        """Return a mask of so many pixels in which nothing is inside."""
        return SegmentationHelper.rles_from_masks(np.zeros((height, width, 1), np.uint8))[0]

    @staticmethod
    def rles_from_masks(masks: Any) -> list[CocoRle]:
        """Return the encodings of masks of shape (H, W, N); one of shape (H, W) is one mask.

        Raises:
            SchemaError: They have another shape.
        """
        array = np.asarray(masks)
        array = array[..., None] if array.ndim == 2 else array
        if array.ndim != 3:
            raise SchemaError(f"Masks have the shape (H, W, N), not {array.shape}.")
        size = [int(array.shape[0]), int(array.shape[1])]
        return [{"counts": each, "size": list(size)} for each in codec.encode_masks(array)]

    @staticmethod
    def mask_from_rle(rle: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
        """Return a mask of shape (H, W), of 0 and 1.

        Raises:
            SchemaError: The counts are damaged, or not those of such a mask.
        """
        return SegmentationHelper.masks_from_rles([rle])[..., 0]

    @staticmethod
    def masks_from_rles(rles: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.uint8]:
        """Return masks of shape (H, W, N), of 0 and 1.

        Raises:
            SchemaError: Counts are damaged, or the masks differ in size.
        """
        sizes = {tuple(map(int, rle["size"])) for rle in rles}
        if len(sizes) > 1:
            raise SchemaError(f"The masks differ in size: {sorted(sizes)}.")
        height, width = sizes.pop() if sizes else (0, 0)
        return codec.decode_masks([_counts(rle) for rle in rles], height, width)

    @staticmethod
    def mask_from_polygons(
        polygons: Sequence[Any], height: int, width: int, *, relative: bool = False
    ) -> npt.NDArray[np.uint8]:
        """Return the masks of polygons, of shape (H, W, N), as `pycocotools` draws them.

        Args:
            polygons: For each mask ``[x0, y0, x1, y1, ...]``, or a list of such.
            height: Height of the image in pixels.
            width: Its width.
            relative: Whether coordinates are fractions of width and height.

        Raises:
            SchemaError: A coordinate is NaN or infinite.
        """
        parts = as_parts(polygons, (width, height) if relative else (1, 1))
        return codec.decode_masks(rasterize(parts, height, width), height, width)

    @staticmethod
    def rles_from_polygons(
        polygons: Sequence[Any], height: int, width: int, *, relative: bool = False
    ) -> list[CocoRle]:
        """Return the encodings of the masks of polygons. See `mask_from_polygons`.

        Raises:
            SchemaError: A coordinate is NaN or infinite.
        """
        parts = as_parts(polygons, (width, height) if relative else (1, 1))
        counts = rasterize(parts, height, width)
        return [{"counts": each, "size": [height, width]} for each in counts]

    @staticmethod
    def polygons_from_mask(mask: Any) -> list[list[float]]:
        """Return the outlines of a mask of shape (H, W), along the edges of its pixels.

        Each part that hangs together has one. A mask with holes has one in all.

        Raises:
            SchemaError: It has another shape.
        """
        rle = SegmentationHelper.rles_from_masks(mask)[0]
        parts = outline(rle["counts"], *rle["size"])
        return [as_ring([part]) for part in parts]

    @staticmethod
    def bounding_box_from_rle(rle: Mapping[str, Any]) -> list[float]:
        """Return ``[x, y, width, height]`` of the box around a mask, in absolute pixels.

        Raises:
            SchemaError: The counts are damaged.
        """
        return list(codec.bounding_box(_counts(rle), int(rle["size"][0])))

    @staticmethod
    def area_from_rle(rle: Mapping[str, Any]) -> int:
        """Return the number of pixels inside of a mask.

        Raises:
            SchemaError: The counts are damaged.
        """
        return int(codec.areas([_counts(rle)])[0])


def _counts(rle: Mapping[str, Any]) -> bytes:
    counts = rle["counts"]
    if isinstance(counts, str):
        return counts.encode("ascii")
    if isinstance(counts, bytes | bytearray):
        return bytes(counts)
    lengths = np.asarray(counts, np.int64)
    return codec.split(*codec.compress(lengths, np.array([0, len(lengths)])))[0]
