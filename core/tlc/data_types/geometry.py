"""Points, lines, triangles and boxes together: `Geometry2D` and `Geometry3D`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from tlc.data_types.geometry_base import Bounds3D, Geometry2DBase, Geometry3DBase
from tlc.data_types.shapes import SHAPE_EXTRAS, SHAPES, ShapesBase, set_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Geometry2D(ShapesBase, Geometry2DBase):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Geometry in an image. Coordinates are absolute pixels; see `Geometry2DBase`.

    Each of the lists has one array per instance; a list that is not given is empty for all.

    Args:
        vertices: Points of each instance, shape (M, 2).
        lines: Lines of each instance, shape (L, 2).
        triangles: Triangles of each instance, shape (T, 3).
        bounding_boxes: Boxes of each instance, shape (B, 4), as x_min, y_min, x_max, y_max.
        obbs: Turned boxes of each instance, shape (O, 5), as of `OrientedBoundingBoxes2D`.
        labels: Class of each instance; None if none has one.
        confidences: Confidence of each instance, from 0 to 1; None if none has one.
        per_vertex_extras: For each instance, name to an array with one item per vertex.
        per_line_extras: For each instance, name to an array with one item per line.
        per_triangle_extras: For each instance, name to an array with one item per triangle.
        per_instance_extras: Name to one item per instance.
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        x_max: The same as `image_width`.
        y_max: The same as `image_height`.

    Raises:
        SchemaError: A number is infinite, or parts do not fit each other.
    """

    __slots__ = (*SHAPES, *SHAPE_EXTRAS)

    sample_type = "geometry_2d"
    widths: ClassVar[dict[str, int]] = dict(zip(SHAPES, (2, 2, 3, 4, 5), strict=True))
    parts = (
        *(*SHAPES, *SHAPE_EXTRAS, "labels", "confidences", "per_instance_extras"),
        *Geometry2DBase.bounds,
    )

    def __init__(
        self,
        vertices: Sequence[Any] | None = None,
        lines: Sequence[Any] | None = None,
        triangles: Sequence[Any] | None = None,
        bounding_boxes: Sequence[Any] | None = None,
        obbs: Sequence[Any] | None = None,
        *,
        labels: Any = None,
        confidences: Any = None,
        per_vertex_extras: Sequence[Mapping[str, Any]] | None = None,
        per_line_extras: Sequence[Mapping[str, Any]] | None = None,
        per_triangle_extras: Sequence[Mapping[str, Any]] | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
        image_width: float | None = None,
        image_height: float | None = None,
        x_max: float | None = None,
        y_max: float | None = None,
    ) -> None:
        self._set_size(image_width, image_height, x_max, y_max)
        given = (vertices, lines, triangles, bounding_boxes, obbs)
        extras = (per_vertex_extras, per_line_extras, per_triangle_extras)
        self._set_shapes(dict(zip((*SHAPES, *SHAPE_EXTRAS), (*given, *extras), strict=True)))
        set_items(self, labels, confidences, per_instance_extras)


class Geometry3D(ShapesBase, Geometry3DBase):  # pyright: ignore[reportIncompatibleMethodOverride]
    """Geometry in space, such as point clouds and meshes. The unit is that of the data.

    Each of the lists has one array per instance; a list that is not given is empty for all.

    Args:
        vertices: Points of each instance, shape (M, 3).
        lines: Lines of each instance, shape (L, 2).
        triangles: Triangles of each instance, shape (T, 3).
        bounding_boxes: Boxes of each instance, shape (B, 6), as of `BoundingBoxes3D`.
        obbs: Turned boxes of each instance, shape (O, 9), as of `OrientedBoundingBoxes3D`.
        labels: Class of each instance; None if none has one.
        confidences: Confidence of each instance, from 0 to 1; None if none has one.
        per_vertex_extras: For each instance, name to an array with one item per vertex.
        per_line_extras: For each instance, name to an array with one item per line.
        per_triangle_extras: For each instance, name to an array with one item per triangle.
        per_instance_extras: Name to one item per instance.
        **bounds: `x_min`, `y_min`, `z_min`, `x_max`, `y_max` and `z_max` of the scene.

    Raises:
        SchemaError: A number is infinite, or parts do not fit each other.
    """

    __slots__ = (*SHAPES, *SHAPE_EXTRAS)

    sample_type = "geometry_3d"
    widths: ClassVar[dict[str, int]] = dict(zip(SHAPES, (3, 2, 3, 6, 9), strict=True))
    parts = (
        *(*SHAPES, *SHAPE_EXTRAS, "labels", "confidences", "per_instance_extras"),
        *Geometry3DBase.bounds,
    )

    def __init__(
        self,
        vertices: Sequence[Any] | None = None,
        lines: Sequence[Any] | None = None,
        triangles: Sequence[Any] | None = None,
        bounding_boxes: Sequence[Any] | None = None,
        obbs: Sequence[Any] | None = None,
        *,
        labels: Any = None,
        confidences: Any = None,
        per_vertex_extras: Sequence[Mapping[str, Any]] | None = None,
        per_line_extras: Sequence[Mapping[str, Any]] | None = None,
        per_triangle_extras: Sequence[Mapping[str, Any]] | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
        **bounds: Unpack[Bounds3D],
    ) -> None:
        self._set_bounds(bounds)
        given = (vertices, lines, triangles, bounding_boxes, obbs)
        extras = (per_vertex_extras, per_line_extras, per_triangle_extras)
        self._set_shapes(dict(zip((*SHAPES, *SHAPE_EXTRAS), (*given, *extras), strict=True)))
        set_items(self, labels, confidences, per_instance_extras)
