"""Boxes along the axes: `BoundingBoxes2D` and `BoundingBoxes3D`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack

import numpy as np

from tlc import constants
from tlc.data_types.arrays import as_floats
from tlc.data_types.geometry_base import LABEL_PATH, Bounds3D, Geometry2DBase, Geometry3DBase
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.data_types.arrays import Floats
    from tlc.schemas import Schema

BoundingBoxFormat = Literal["xyxy", "xywh", "cxywh"]


class BoundingBoxes2D(Geometry2DBase):
    """Boxes in an image, as x_min, y_min, x_max, y_max in absolute pixels.

    The origin is the upper left corner of the image. A box of the whole image is ``[0, 0,
    image_width, image_height]``.

    Args:
        bounding_boxes: Shape (N, 4), in `bounding_box_format`.
        labels: Class of each box; None if none has one.
        confidences: Confidence of each box, from 0 to 1; None if none has one.
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        x_max: The same as `image_width`.
        y_max: The same as `image_height`.
        bounding_box_format: ``"xyxy"``; ``"xywh"`` for x_min, y_min, width, height as COCO has
            them; ``"cxywh"`` for centre, width, height as YOLO has them. Converted once, here.
        normalized: Whether coordinates are fractions of the width and height of the image.
        per_instance_extras: Name to one item per box.

    Attributes:
        bounding_boxes: float32 of shape (N, 4), ``"xyxy"`` in absolute pixels.

    Raises:
        SchemaError: A number is NaN or infinite, a box has a negative size, or something has not
            one item per box.
    """

    __slots__ = ("bounding_boxes",)

    sample_type = "bounding_boxes_2d"
    coordinates = "bounding_boxes"
    paths: ClassVar[dict[str, tuple[str, ...]]] = {
        "bounding_boxes": (constants.INSTANCES,),
        "labels": LABEL_PATH,
    }
    shape = (-1, 4)
    parts = ("bounding_boxes", "labels", "confidences", "per_instance_extras", "x_max", "y_max")

    bounding_boxes: Floats

    def __init__(
        self,
        bounding_boxes: Any,
        labels: Any = None,
        confidences: Any = None,
        *,
        image_width: float | None = None,
        image_height: float | None = None,
        x_max: float | None = None,
        y_max: float | None = None,
        bounding_box_format: BoundingBoxFormat = "xyxy",
        normalized: bool = False,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        self._set_size(image_width, image_height, x_max, y_max)
        boxes = as_floats(bounding_boxes, self.shape, "bounding boxes")
        boxes = as_xyxy(boxes, bounding_box_format)
        if normalized:
            boxes = self._denormalized(boxes)
        self._set(boxes, labels, confidences, per_instance_extras)
        self._check()

    def add_instance(
        self,
        *,
        bounding_box: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a box.

        Args:
            bounding_box: x_min, y_min, x_max, y_max in absolute pixels.
            label: Its class.
            confidence: Its confidence, from 0 to 1.
            per_instance_extras: Name to the item of this box.

        Raises:
            SchemaError: A number is NaN or infinite, or the box has a negative size.
        """
        box = as_floats(bounding_box, (4,), "bounding box")
        check_order(box[None], "bounding box")
        self._add(box, label, confidence, per_instance_extras)

    @property
    def bounding_boxes_xywh(self) -> Floats:
        """The boxes as x_min, y_min, width, height, as COCO has them: a new array."""
        boxes = np.array(self.bounding_boxes, np.float32)
        boxes[:, 2:] -= boxes[:, :2]
        return boxes

    @classmethod
    def from_legacy_row(cls, row: Mapping[str, Any], schema: Schema | None = None) -> Self:
        """Return the boxes of a row of older programs: `bb_list` with `x0` to `y1` of each box.

        Args:
            row: Dictionary of `image_width`, `image_height` and `bb_list`.
            schema: Schema of the column. The number roles and units of its coordinates say what
                they are; without one they are corners in absolute pixels.

        Raises:
            SchemaError: The row is not of that form.
        """
        from tlc.data_types.legacy import boxes_of_legacy_row

        return boxes_of_legacy_row(cls, row, schema)

    def _denormalized(self, boxes: Floats) -> Floats:
        if self.x_max is None or self.y_max is None:
            raise SchemaError(
                "Normalized boxes need the size of the image.",
                hint="Give image_width and image_height.",
            )
        scale = np.array([self.x_max, self.y_max, self.x_max, self.y_max], np.float32)
        return boxes * scale

    def _check(self) -> None:
        super()._check()
        check_order(self.bounding_boxes, "bounding boxes")


class BoundingBoxes3D(Geometry3DBase):
    """Boxes in space along its axes, as x_min, y_min, z_min, x_max, y_max, z_max.

    Args:
        bounding_boxes: Shape (N, 6), in the unit of the scene.
        labels: Class of each box; None if none has one.
        confidences: Confidence of each box, from 0 to 1; None if none has one.
        per_instance_extras: Name to one item per box.
        **bounds: `x_min`, `y_min`, `z_min`, `x_max`, `y_max` and `z_max` of the scene.

    Attributes:
        bounding_boxes: float32 of shape (N, 6).

    Raises:
        SchemaError: A number is NaN or infinite, a box has a negative size, or something has not
            one item per box.
    """

    __slots__ = ("bounding_boxes",)

    sample_type = "bounding_boxes_3d"
    coordinates = "bounding_boxes"
    paths: ClassVar[dict[str, tuple[str, ...]]] = {
        "bounding_boxes": (constants.INSTANCES,),
        "labels": LABEL_PATH,
    }
    shape = (-1, 6)
    parts = (
        *("bounding_boxes", "labels", "confidences", "per_instance_extras"),
        *Geometry3DBase.bounds,
    )

    bounding_boxes: Floats

    def __init__(
        self,
        bounding_boxes: Any,
        labels: Any = None,
        confidences: Any = None,
        *,
        per_instance_extras: Mapping[str, Any] | None = None,
        **bounds: Unpack[Bounds3D],
    ) -> None:
        self._set_bounds(bounds)
        self._set(bounding_boxes, labels, confidences, per_instance_extras)
        self._check()

    def add_instance(
        self,
        *,
        bounding_box: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a box, given as its lower and then its upper corner.

        Raises:
            SchemaError: A number is NaN or infinite, or the box has a negative size.
        """
        box = as_floats(bounding_box, (6,), "bounding box")
        check_order(box[None], "bounding box")
        self._add(box, label, confidence, per_instance_extras)

    def _check(self) -> None:
        super()._check()
        check_order(self.bounding_boxes, "bounding boxes")


def as_xyxy(boxes: Floats, form: str) -> Floats:
    """Return boxes of one of the formats as corners.

    Raises:
        SchemaError: There is no such format.
    """
    if form == "xyxy":
        return boxes
    position, size = boxes[:, :2], boxes[:, 2:]
    if form == "xywh":
        return np.concatenate([position, position + size], axis=1)
    if form == "cxywh":
        half: Floats = (size / 2).astype(np.float32)
        return np.concatenate([position - half, position + half], axis=1)
    raise SchemaError(
        f"There is no format of boxes {form!r}.", hint="There are 'xyxy', 'xywh' and 'cxywh'."
    )


def check_order(boxes: Floats, what: str) -> None:
    """Refuse boxes whose upper corner is below the lower one.

    Raises:
        SchemaError: There is one.
    """
    half = boxes.shape[1] // 2
    wrong = (boxes[:, half:] < boxes[:, :half]).any(axis=1)
    if wrong.any():
        number = int(np.argmax(wrong))
        raise SchemaError(
            f"{what}: instance {number} ends before it starts: {boxes[number].tolist()}.",
            hint="Lower coordinates come first; of x, y, width, height say "
            "bounding_box_format='xywh'.",
        )
