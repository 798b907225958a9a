"""Boxes that are turned: `OrientedBoundingBoxes2D` and `OrientedBoundingBoxes3D`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from tlc import constants
from tlc.data_types.geometry_base import LABEL_PATH, Bounds3D, Geometry2DBase, Geometry3DBase
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.data_types.arrays import Floats


class OrientedBoundingBoxes2D(Geometry2DBase):
    """Turned boxes in an image, as centre x, centre y, width, height, rotation.

    Centre and size are absolute pixels. The rotation is in radians; as y goes down, a positive one
    turns clockwise as seen. At rotation 0 the width lies along x. Boxes are stored as given:
    nothing is normalised.

    Args:
        obbs: Shape (N, 5).
        labels: Class of each box; None if none has one.
        confidences: Confidence of each box, from 0 to 1; None if none has one.
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        x_max: The same as `image_width`.
        y_max: The same as `image_height`.
        per_instance_extras: Name to one item per box.

    Attributes:
        obbs: float32 of shape (N, 5).

    Raises:
        SchemaError: A number is NaN or infinite, a size is negative, or something has not one item
            per box.
    """

    __slots__ = ("obbs",)

    sample_type = "oriented_bounding_boxes_2d"
    coordinates = "obbs"
    paths: ClassVar[dict[str, tuple[str, ...]]] = {
        "obbs": (constants.INSTANCES,),
        "labels": LABEL_PATH,
    }
    shape = (-1, 5)
    parts = ("obbs", "labels", "confidences", "per_instance_extras", "x_max", "y_max")

    obbs: Floats

    def __init__(
        self,
        obbs: Any,
        labels: Any = None,
        confidences: Any = None,
        *,
        image_width: float | None = None,
        image_height: float | None = None,
        x_max: float | None = None,
        y_max: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        self._set_size(image_width, image_height, x_max, y_max)
        self._set(obbs, labels, confidences, per_instance_extras)
        self._check()

    def add_instance(
        self,
        *,
        obb: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a box.

        Args:
            obb: Centre x, centre y, width, height, rotation.
            label: Its class.
            confidence: Its confidence, from 0 to 1.
            per_instance_extras: Name to the item of this box.

        Raises:
            SchemaError: A number is NaN or infinite.
        """
        self._add(obb, label, confidence, per_instance_extras)

    @property
    def corners(self) -> Floats:
        """The four corners of each box, float32 of shape (N, 4, 2), in the order of their walk."""
        centre, half = self.obbs[:, None, :2], self.obbs[:, None, 2:4] / 2
        signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
        x, y = np.moveaxis(signs * half, -1, 0)
        cosine, sine = np.cos(self.obbs[:, 4:5]), np.sin(self.obbs[:, 4:5])
        return centre + np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)

    def _check(self) -> None:
        super()._check()
        _check_sizes(self.obbs[:, 2:4])


class OrientedBoundingBoxes3D(Geometry3DBase):
    """Turned boxes in space, as centre x, y, z, size x, y, z, yaw, pitch, roll.

    Angles are in radians. NaN stands for an angle that is not known; nothing else may be NaN.

    Args:
        obbs: Shape (N, 9).
        labels: Class of each box; None if none has one.
        confidences: Confidence of each box, from 0 to 1; None if none has one.
        per_instance_extras: Name to one item per box.
        **bounds: `x_min`, `y_min`, `z_min`, `x_max`, `y_max` and `z_max` of the scene.

    Attributes:
        obbs: float32 of shape (N, 9).

    Raises:
        SchemaError: A centre or size is NaN, a number is infinite, a size is negative, or something
            has not one item per box.
    """

    __slots__ = ("obbs",)

    sample_type = "oriented_bounding_boxes_3d"
    coordinates = "obbs"
    paths: ClassVar[dict[str, tuple[str, ...]]] = {
        "obbs": (constants.INSTANCES,),
        "labels": LABEL_PATH,
    }
    shape = (-1, 9)
    allows_nan = True
    parts = ("obbs", "labels", "confidences", "per_instance_extras", *Geometry3DBase.bounds)

    obbs: Floats

    def __init__(
        self,
        obbs: Any,
        labels: Any = None,
        confidences: Any = None,
        *,
        per_instance_extras: Mapping[str, Any] | None = None,
        **bounds: Unpack[Bounds3D],
    ) -> None:
        self._set_bounds(bounds)
        self._set(obbs, labels, confidences, per_instance_extras)
        self._check()

    def add_instance(
        self,
        *,
        obb: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a box, given as centre, size, yaw, pitch and roll.

        Raises:
            SchemaError: A number is infinite.
        """
        self._add(obb, label, confidence, per_instance_extras)

    def _check(self) -> None:
        super()._check()
        if np.isnan(self.obbs[:, :6]).any():
            number = int(np.argmax(np.isnan(self.obbs[:, :6]).any(axis=1)))
            raise SchemaError(
                f"obbs: the centre or size of instance {number} is NaN.",
                hint="Only angles may be NaN, where they are not known.",
            )
        _check_sizes(self.obbs[:, 3:6])


def _check_sizes(sizes: Floats) -> None:
    wrong = (sizes < 0).any(axis=1)
    if wrong.any():
        number = int(np.argmax(wrong))
        raise SchemaError(f"obbs: the size of instance {number} is negative: {sizes[number]}.")
