"""Points of skeletons: `Keypoints2D`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np
import numpy.typing as npt

from tlc import constants
from tlc.data_types.arrays import as_floats, check_lengths, to_numpy
from tlc.data_types.boxes import BoundingBoxFormat, as_xyxy, check_order
from tlc.data_types.columns import additional_schemas, geometry_schema, split_inferred
from tlc.data_types.geometry_base import LABEL_PATH, Geometry2DBase
from tlc.data_types.skeletons import skeleton_metadata
from tlc.errors import SchemaError
from tlc.schemas import Float32Schema, Int32Schema, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.data_types.arrays import Floats, Ints
    from tlc.data_types.skeletons import Attributes
    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes

_VISIBILITY_STATES = 3
_WITH_VISIBILITY = 3  # x, y and v
_OWN = (
    constants.BOUNDING_BOX,
    constants.KEYPOINT_VISIBILITY,
    constants.KEYPOINT_CONFIDENCE,
)


class Keypoints2D(Geometry2DBase):
    """Skeletons in an image: K points each, as x, y in absolute pixels.

    The origin is the upper left corner of the image. What the points and the lines between them
    are is said once, by `schema`.

    Args:
        keypoints: Shape (N, K, 2); or (N, K, 3), where the third number is the visibility.
        labels: Class of each instance; None if none has one.
        confidences: Confidence of each instance, from 0 to 1; None if none has one.
        bounding_boxes: Box around each instance, shape (N, 4); None if none has one. A row of NaN
            stands for an instance without.
        keypoint_visibilities: Shape (N, K): 0 not labelled, 1 labelled but hidden, 2 visible.
        keypoint_confidences: Shape (N, K), from 0 to 1; not together with visibilities.
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        x_max: The same as `image_width`.
        y_max: The same as `image_height`.
        bounding_box_format: Form of `bounding_boxes`, as of `BoundingBoxes2D`.
        normalized: Whether points and boxes are fractions of the width and height of the image.
        per_instance_extras: Name to one item per instance.

    Attributes:
        keypoints: float32 of shape (N, K, 2).
        bounding_boxes: float32 of shape (N, 4), x_min, y_min, x_max, y_max; None if none has one.
        keypoint_visibilities: int32 of shape (N, K), or None.
        keypoint_confidences: float32 of shape (N, K), or None.

    Raises:
        SchemaError: A point is NaN or infinite, a visibility is not 0, 1 or 2, or parts do not fit
            each other.
    """

    __slots__ = ("bounding_boxes", "keypoint_confidences", "keypoint_visibilities", "keypoints")

    sample_type = "keypoints_2d"
    coordinates = "keypoints"
    paths: ClassVar[dict[str, tuple[str, ...]]] = {
        "keypoints": (constants.INSTANCES,),
        "labels": LABEL_PATH,
    }
    shape = (-1, -1, 2)
    parts = (
        *("keypoints", "bounding_boxes", "keypoint_visibilities", "keypoint_confidences"),
        *("labels", "confidences", "per_instance_extras", "x_max", "y_max"),
    )

    keypoints: Floats
    bounding_boxes: Floats | None
    keypoint_visibilities: Ints | None
    keypoint_confidences: Floats | None

    def __init__(
        self,
        keypoints: Any,
        labels: Any = None,
        confidences: Any = None,
        *,
        bounding_boxes: Any = None,
        keypoint_visibilities: Any = None,
        keypoint_confidences: Any = None,
        image_width: float | None = None,
        image_height: float | None = None,
        x_max: float | None = None,
        y_max: float | None = None,
        bounding_box_format: BoundingBoxFormat = "xyxy",
        normalized: bool = False,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        self._set_size(image_width, image_height, x_max, y_max)
        keypoints, keypoint_visibilities = _split(keypoints, keypoint_visibilities)
        self._set(keypoints, labels, confidences, per_instance_extras)
        self._set_points(keypoint_visibilities, keypoint_confidences)
        boxes = _as_boxes(bounding_boxes)
        self.bounding_boxes = None if boxes is None else as_xyxy(boxes, bounding_box_format)
        if normalized:
            self._denormalize()
        self._check()

    def add_instance(
        self,
        *,
        keypoints: Any,
        bounding_box: Any = None,
        label: int | None = None,
        confidence: float | None = None,
        keypoint_visibilities: Any = None,
        keypoint_confidences: Any = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an instance.

        Args:
            keypoints: Shape (K, 2), or (K, 3) with visibilities.
            bounding_box: x_min, y_min, x_max, y_max in absolute pixels.
            label: Its class.
            confidence: Its confidence, from 0 to 1.
            keypoint_visibilities: K times 0, 1 or 2.
            keypoint_confidences: K confidences.
            per_instance_extras: Name to the item of this instance.

        Raises:
            SchemaError: It does not fit, or has not as many points as the others.
        """
        points = np.asarray(to_numpy(keypoints), np.float64)[None]
        boxes = None if bounding_box is None else [bounding_box]
        states = None if keypoint_visibilities is None else [keypoint_visibilities]
        sure = None if keypoint_confidences is None else [keypoint_confidences]
        one = type(self)(
            points, bounding_boxes=boxes, keypoint_visibilities=states, keypoint_confidences=sure
        )
        more = {name: None if v is None else v[0] for name, v in one._own().items()}
        self._add(one.keypoints[0], label, confidence, per_instance_extras, **more)

    @property
    def num_keypoints(self) -> int:
        """Number of points of an instance; 0 if there is no instance to tell."""
        return int(self.keypoints.shape[1])

    @classmethod
    def schema(  # type: ignore[override]
        cls,
        *,
        num_keypoints: int,
        classes: Classes | None = None,
        points: Any = None,
        point_attributes: Attributes | None = None,
        lines: Sequence[int] | None = None,
        line_attributes: Attributes | None = None,
        triangles: Sequence[int] | None = None,
        triangle_attributes: Attributes | None = None,
        flip_indices: Sequence[int] | None = None,
        oks_sigmas: Sequence[float] | None = None,
        include_per_point_visibility: bool = False,
        include_per_point_confidence: bool = False,
        include_per_instance_confidence: bool = False,
        per_instance_schemas: Mapping[str, Schema] | None = None,
        **arguments: Unpack[ColumnArguments],
    ) -> Schema:
        """Return the schema of a column of skeletons.

        Args:
            num_keypoints: Number of points of an instance; -1 if it varies between cells.
            classes: Names of the classes, as of `CategoricalLabelSchema`.
            points: Default pose: x, y of each point, from 0 to 1.
            point_attributes: Name or `MapElement` of each point.
            lines: Numbers of the points at both ends of each line, one after the other.
            line_attributes: Name or `MapElement` of each line.
            triangles: Numbers of the three points of each triangle, one after the other.
            triangle_attributes: Name or `MapElement` of each triangle.
            flip_indices: For each point, the one that it becomes in a mirror.
            oks_sigmas: For each point, how far apart two people place it; for object keypoint
                similarity.
            include_per_point_visibility: Whether points have visibilities.
            include_per_point_confidence: Whether points have confidences.
            include_per_instance_confidence: Whether instances have confidences.
            per_instance_schemas: Name to the schema of the item that each instance has.
            **arguments: Those of `Schema`, such as `display_name`. The above is kept in `metadata`.

        Raises:
            SchemaError: Something has not one item per point, or names a point that is not there.
        """
        own: dict[str, Schema] = {constants.BOUNDING_BOX: Float32Schema(shape=(-1, 4))}
        if include_per_point_visibility:
            own[constants.KEYPOINT_VISIBILITY] = Int32Schema(
                shape=(-1, num_keypoints), number_role=constants.NUMBER_ROLE_VISIBILITY
            )
        if include_per_point_confidence:
            own[constants.KEYPOINT_CONFIDENCE] = Float32Schema(
                shape=(-1, num_keypoints), number_role=constants.NUMBER_ROLE_CONFIDENCE
            )
        more = additional_schemas(
            classes, per_instance_schemas, confidence=include_per_instance_confidence, own=own
        )
        skeleton = {
            "points": points,
            "point_attributes": point_attributes,
            "lines": lines,
            "line_attributes": line_attributes,
            "triangles": triangles,
            "triangle_attributes": triangle_attributes,
            constants.FLIP_INDICES: flip_indices,
            constants.OKS_SIGMAS: oks_sigmas,
        }
        known = arguments.get("metadata") or {}
        arguments["metadata"] = {**known, **skeleton_metadata(num_keypoints, skeleton)}
        instances = Float32Schema(shape=(-1, num_keypoints, 2), unit=cls.unit)
        return geometry_schema(cls.sample_type, cls.bounds, instances, more, arguments)

    @classmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column that has none. See `Annotation`."""
        confidence, extras = split_inferred(parts, _OWN)
        instances = parts.get(constants.INSTANCES)
        return cls.schema(
            num_keypoints=-1 if instances is None else instances.shape[0],
            include_per_point_visibility=constants.KEYPOINT_VISIBILITY in parts,
            include_per_point_confidence=constants.KEYPOINT_CONFIDENCE in parts,
            include_per_instance_confidence=confidence,
            per_instance_schemas=extras,
        )

    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on. See `Annotation`."""
        parts = dict(super().inferred_parts())
        if not self.num_instances:
            del parts[constants.INSTANCES]
        parts.pop(constants.BOUNDING_BOX, None)  # its schema is the same for all
        return parts

    def _own(self) -> dict[str, Any]:
        values = (self.bounding_boxes, self.keypoint_visibilities, self.keypoint_confidences)
        return dict(zip(_OWN, values, strict=True))

    def _additional(self) -> dict[str, Any]:
        known = super()._additional()
        own = self._own()
        if (boxes := own[constants.BOUNDING_BOX]) is not None and np.isnan(boxes).any():
            missing = np.isnan(boxes).any(axis=1)
            pairs = zip(missing, boxes.tolist(), strict=True)
            own[constants.BOUNDING_BOX] = [None if gone else box for gone, box in pairs]
        return {**known, **{name: items for name, items in own.items() if items is not None}}

    def _set_additional(self, more: dict[str, Any]) -> None:
        boxes, states, sure = (more.pop(name, None) for name in _OWN)
        super()._set_additional(more)
        self.bounding_boxes = _as_boxes(boxes)
        self._set_points(states, sure)

    def _set_points(self, states: Any, sure: Any) -> None:
        """Set what is known of each point."""
        shape = self.keypoints.shape[:2]
        self.keypoint_visibilities = None if states is None else _as_visibilities(states, shape)
        self.keypoint_confidences = (
            None if sure is None else as_floats(sure, shape, "keypoint confidences")
        )

    def _denormalize(self) -> None:
        if self.x_max is None or self.y_max is None:
            raise SchemaError(
                "Normalized points need the size of the image.",
                hint="Give image_width and image_height.",
            )
        scale = np.array([self.x_max, self.y_max], np.float32)
        self.keypoints = self.keypoints * scale
        if self.bounding_boxes is not None:
            self.bounding_boxes = self.bounding_boxes * np.tile(scale, 2)

    def _check(self) -> None:
        super()._check()
        if self.keypoint_visibilities is not None and self.keypoint_confidences is not None:
            raise SchemaError(
                "Points have visibilities or confidences, not both.", hint="Leave one of them out."
            )
        shape = self.keypoints.shape[:2]
        for values in (self.keypoint_visibilities, self.keypoint_confidences):
            if values is not None and values.shape != shape:
                raise SchemaError(f"There are {values.shape} values for {shape} points.")
        if self.bounding_boxes is not None:
            check_lengths(shape[0], {"bounding_boxes": self.bounding_boxes})
            check_order(self.bounding_boxes, "bounding boxes")


def _split(keypoints: Any, visibilities: Any) -> tuple[Any, Any]:
    """Return points without the visibilities that came as their third number."""
    points = np.asarray(to_numpy(keypoints), np.float64)
    if points.ndim < 1 or points.shape[-1] != _WITH_VISIBILITY or not points.size:
        return points, visibilities
    if visibilities is not None:
        raise SchemaError("Visibilities are given twice: with the points, and by themselves.")
    return points[..., :2], points[..., 2]


def _as_boxes(boxes: Any) -> Floats | None:
    """Return boxes, with NaN for an instance that has none; None if that is so for all."""
    if boxes is None:
        return None
    if not isinstance(boxes, np.ndarray):
        boxes = [[np.nan] * 4 if box is None else box for box in to_numpy(list(boxes))]
    made = as_floats(boxes, (-1, 4), "bounding boxes", allow_nan=True)
    return None if len(made) and np.isnan(made).any(axis=1).all() else made


def _as_visibilities(states: Any, shape: Any) -> npt.NDArray[np.int32]:
    found = as_floats(states, tuple(shape), "keypoint visibilities").astype(np.int32)
    if not np.isin(found, range(_VISIBILITY_STATES)).all():
        raise SchemaError(
            "A visibility is neither 0, 1 nor 2.",
            hint="0 is not labelled, 1 labelled but hidden, 2 visible.",
        )
    return found
