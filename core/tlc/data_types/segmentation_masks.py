"""Instances with a mask each: `SegmentationMasks`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from tlc import constants
from tlc.data_types import rle
from tlc.data_types.arrays import check_lengths, to_numpy, with_item
from tlc.data_types.segmentation_base import Segmentation
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

Masks = npt.NDArray[np.uint8]


class SegmentationMasks(Segmentation):
    """Instances with a mask each, in one array of shape (H, W, N): the instance is the last axis.

    Args:
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        masks: Array of masks; anything but 0 is inside.
        labels: Class of each instance; None if none has one.
        confidences: Confidence of each instance, from 0 to 1; None if none has one.
        per_instance_extras: Name to one item per instance.
        mask_format: ``"hwn"``, or ``"nhw"`` for masks of shape (N, H, W). Converted once, here.

    Attributes:
        masks: uint8 of shape (H, W, N), of 0 and 1.

    Raises:
        SchemaError: The masks have not the size of the image, or something has not one item per
            mask.
    """

    __slots__ = ("masks",)

    sample_type = "segmentation_masks"
    parts = ("masks", *Segmentation.own_parts)
    made_late = frozenset({"masks"})
    compared = ("masks", "image_height", "image_width", "per_instance_extras")

    masks: Masks

    def __init__(
        self,
        *,
        image_width: int,
        image_height: int,
        masks: Any,
        labels: Any = None,
        confidences: Any = None,
        per_instance_extras: Mapping[str, Any] | None = None,
        mask_format: str = "hwn",
    ) -> None:
        self._set_size(image_width, image_height)
        self._set_extras(labels, confidences, per_instance_extras)
        self.masks = _as_masks(masks, self.image_height, self.image_width, mask_format)
        self._rles, self._polygons = [], []
        check_lengths(self.num_instances, self.per_instance_extras)

    @classmethod
    def create_empty(cls, *, image_width: int, image_height: int) -> Self:
        """Return an object without instances, to be filled by `add_instance`."""
        masks = np.zeros((image_height, image_width, 0), np.uint8)
        return cls(image_width=image_width, image_height=image_height, masks=masks)

    def add_instance(
        self,
        *,
        mask: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an instance with a mask of shape (H, W).

        Raises:
            SchemaError: The mask has not the size of the image.
        """
        one = np.asarray(to_numpy(mask))[..., None]
        one = _as_masks(one, self.image_height, self.image_width, "hwn")
        count = self.num_instances
        more = {constants.LABEL: label, constants.CONFIDENCE: confidence}
        self._set_extras(
            None,
            None,
            with_item(self.per_instance_extras, count, {**more, **(per_instance_extras or {})}),
        )
        self.masks = np.concatenate([self.masks, one], axis=2)

    @property
    def num_instances(self) -> int:
        """Number of instances."""
        return int(self.masks.shape[2]) if self._has("masks") else len(self._rles)

    def __getattr__(self, name: str) -> Any:
        if name == "masks":  # decoded by itself: labels are often all that is wanted
            self.masks = rle.decode_masks(self._rles, self.image_height, self.image_width)
            return self.masks
        return super().__getattr__(name)

    def _encoded(self) -> tuple[list[bytes], list[list[Any]]]:
        if not self._has("masks"):
            return self._rles, self._polygons
        masks = _as_masks(self.masks, self.image_height, self.image_width, "hwn")
        rles = rle.encode_masks(masks)
        if rles == self._rles:
            return rles, self._polygons
        known = dict(zip(self._rles, self._polygons, strict=True))
        return rles, [known.get(counts, []) for counts in rles]


def _as_masks(masks: Any, height: int, width: int, form: str) -> Masks:
    if form not in ("hwn", "nhw"):
        raise SchemaError(f"There is no format of masks {form!r}.", hint="'hwn' or 'nhw'.")
    array = np.asarray(to_numpy(masks))
    if array.ndim == 3 and form == "nhw":
        array = array.transpose(1, 2, 0)
    if array.size == 0 and array.shape[-1:] == (0,):
        array = np.zeros((height, width, 0), np.uint8)
    if array.shape[:2] != (height, width) or array.ndim != 3:
        raise SchemaError(
            f"The masks have the shape {array.shape} as (H, W, N), where the image is {width} x "
            f"{height} pixels.",
            hint="With mask_format='nhw' the instance is the first axis.",
        )
    if array.dtype.kind not in "biuf":
        raise SchemaError(f"Masks are numbers, not {array.dtype}.")
    if array.dtype.kind == "f" and not np.isin(array, (0, 1)).all():
        raise SchemaError(
            "The masks have other numbers than 0 and 1.",
            hint="Compare with a threshold first, as in masks > 0.5.",
        )
    if array.dtype == np.uint8 and array.max(initial=0) <= 1:
        return array
    return (array != 0).astype(np.uint8)
