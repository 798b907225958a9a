"""Instances in a plane or in space: `GeometryBase` and its two heirs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypedDict, Unpack

import numpy as np

from tlc import constants
from tlc.data_types.arrays import (
    Extras,
    Floats,
    Ints,
    as_extra,
    as_extras,
    as_floats,
    as_list,
    as_optional,
    check_finite,
    check_lengths,
    names_of,
    stacked,
)
from tlc.data_types.base import Annotation
from tlc.data_types.columns import additional_schemas, geometry_schema, split_inferred
from tlc.errors import SchemaError
from tlc.schemas import Float32Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema
    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes

_MORE = constants.INSTANCES_ADDITIONAL_DATA

LABEL_PATH = (_MORE, constants.LABEL)
"""Where rows hold the class of each instance."""


class Bounds3D(TypedDict, total=False):
    """Bounds of a scene."""

    x_min: float | None
    y_min: float | None
    z_min: float | None
    x_max: float | None
    y_max: float | None
    z_max: float | None


class GeometryBase(Annotation):
    """Instances with coordinates, labels, confidences and whatever else is known of each.

    Attributes:
        labels: Class of each instance, int32 of shape (N,); None if none has a class. Where only
            some have one it is a masked array.
        confidences: Confidence of each instance, float32 of shape (N,); None likewise.
        per_instance_extras: Name to an array or list with one item per instance.
    """

    __slots__ = ("_added", "confidences", "labels", "per_instance_extras")

    bounds: ClassVar[tuple[str, ...]]
    """Names of the attributes that bound the space."""

    coordinates: ClassVar[str]
    """Name of the attribute with the coordinates of all instances."""

    shape: ClassVar[tuple[int, ...]]
    """Shape of the coordinates; -1 for the instances."""

    unit: ClassVar[str] = constants.UNIT_NONE
    """Unit of the coordinates."""

    allows_nan: ClassVar[bool] = False
    """Whether a coordinate may be NaN, for one that is not known."""

    labels: Ints | None
    confidences: Floats | None
    per_instance_extras: Extras
    _added: list[Any]

    @property
    def num_instances(self) -> int:
        """Number of instances."""
        return len(getattr(self, self.coordinates))

    def to_row(self) -> dict[str, Any]:
        """Return the row form: bounds, `instances` and `instances_additional_data`.

        Raises:
            SchemaError: An attribute was changed to what does not fit the others.
        """
        self._check()
        bounds = {name: getattr(self, name) for name in self.bounds}
        coordinates = getattr(self, self.coordinates).tolist()
        more = {name: as_list(items) for name, items in self._additional().items()}
        return {**bounds, constants.INSTANCES: coordinates, _MORE: more}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the instances of a row form, as ``table.table_rows[i]`` has it.

        Raises:
            SchemaError: It is not complete, or its numbers are no such instances.
        """
        try:
            made = cls._filled(row)
        except (KeyError, TypeError, AttributeError) as error:
            raise SchemaError(
                f"A row of {cls.__name__} is a dictionary with {constants.INSTANCES!r} and "
                f"{_MORE!r}, not {row!r}: {error}."
            ) from error
        made._check()
        return made

    @classmethod
    def schema(
        cls,
        *,
        classes: Classes | None = None,
        per_instance_schemas: Mapping[str, Schema] | None = None,
        include_per_instance_confidence: bool = False,
        **arguments: Unpack[ColumnArguments],
    ) -> Schema:
        """Return the schema of a column of these.

        Args:
            classes: Names of the classes, as of `CategoricalLabelSchema`.
            per_instance_schemas: Name to the schema of the item that each instance has.
            include_per_instance_confidence: Whether instances have confidences.
            **arguments: Those of `Schema`, such as `display_name`.

        Raises:
            SchemaError: A class has no usable number or name, or a name is taken.
        """
        more = additional_schemas(
            classes, per_instance_schemas, confidence=include_per_instance_confidence
        )
        instances = Float32Schema(shape=cls.shape, unit=cls.unit)
        return geometry_schema(cls.sample_type, cls.bounds, instances, more, arguments)

    @classmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column that has none. See `Annotation`."""
        confidence, extras = split_inferred(parts)
        return cls.schema(per_instance_schemas=extras, include_per_instance_confidence=confidence)

    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on. See `Annotation`."""
        parts = {constants.INSTANCES: getattr(self, self.coordinates), **self._additional()}
        return {name: items for name, items in parts.items() if items is not None}

    def __repr__(self) -> str:
        amount = f"{self.num_instances} instance{'s' * (self.num_instances != 1)}"
        bounds = ", ".join(f"{name}={getattr(self, name)}" for name in self.bounds)
        return f"{type(self).__name__}({amount}, {bounds})"

    @classmethod
    def _without_instances(cls) -> Self:
        return cls._filled({constants.INSTANCES: []})

    def _set(
        self, coordinates: Any, labels: Any, confidences: Any, extras: Mapping[str, Any] | None
    ) -> None:
        """Set the parts to what a caller has given."""
        what = self.coordinates.replace("_", " ")
        values = as_floats(coordinates, self.shape, what, allow_nan=self.allows_nan)
        setattr(self, self.coordinates, values)
        self.labels = as_optional(labels, np.int32, "labels")
        self.confidences = as_optional(confidences, np.float32, "confidences")
        self.per_instance_extras = as_extras(extras)

    def _additional(self) -> dict[str, Any]:
        """Return what rows have besides coordinates: name to one item per instance, or None."""
        confidences = self.confidences
        known = {} if confidences is None else {constants.CONFIDENCE: confidences}
        return {constants.LABEL: self.labels, **known, **self.per_instance_extras}

    def _set_additional(self, more: dict[str, Any]) -> None:
        self.labels = as_optional(more.pop(constants.LABEL, None), np.int32, "labels")
        confidences = more.pop(constants.CONFIDENCE, None)
        self.confidences = as_optional(confidences, np.float32, "confidences")
        self.per_instance_extras = {
            name: as_extra(items) for name, items in more.items() if items is not None
        }

    def _fill(self, row: Mapping[str, Any]) -> None:
        for name in self.bounds:
            value = row.get(name)
            setattr(self, name, None if value is None else float(value))
        given = row[constants.INSTANCES]
        setattr(self, self.coordinates, self._coordinates(given))
        self._set_additional(dict(row.get(_MORE) or {}))

    def _coordinates(self, given: Any) -> Any:
        if isinstance(given, np.ndarray) and given.ndim == len(self.shape):
            return given
        given = [] if given is None else given
        return as_floats(given, self.shape, constants.INSTANCES, allow_nan=self.allows_nan)

    def _check(self) -> None:
        """Refuse parts that do not fit each other.

        Raises:
            SchemaError: They do not.
        """
        values = np.asarray(getattr(self, self.coordinates))
        what = self.coordinates.replace("_", " ")
        if values.ndim != len(self.shape):
            as_floats(values, self.shape, what)
        check_finite(values, what, allow_nan=self.allows_nan)
        check_lengths(len(values), self._additional())
        if self.confidences is not None:
            check_finite(np.ma.asarray(self.confidences).filled(0), "confidences")

    def _add(self, coordinates: Any, label: Any, confidence: Any, extras: Any, **own: Any) -> None:
        """Add an instance; arrays are made of all that were added when they are looked at."""
        name = self.coordinates
        one = as_floats(coordinates, self.shape[1:], name, allow_nan=self.allows_nan)
        more = {constants.LABEL: label, constants.CONFIDENCE: confidence, **own, **(extras or {})}
        self._added_parts().append((one, {k: v for k, v in more.items() if v is not None}))

    def _added_parts(self) -> list[Any]:
        added = getattr(self, "_added", None)
        if added is None:
            self._settle()
            before = getattr(self, self.coordinates), self._additional()
            for name in set(self.parts) - set(self.bounds):
                delattr(self, name)
            added = self._added = [before]
        return added

    def _settle(self) -> None:
        """Decode what has been read, and put together what was added."""
        super()._settle()
        if (added := getattr(self, "_added", None)) is not None:
            self._merge(added)
            del self._added

    def _merge(self, added: list[Any]) -> None:
        (coordinates, more), *new = added
        count = len(coordinates)
        setattr(self, self.coordinates, self._joined(coordinates, [one for one, _ in new]))
        known = {name: items for name, items in more.items() if items is not None and count}
        names = names_of([known, *(extras for _, extras in new)])
        self._set_additional(
            {
                name: stacked(known.get(name), count, [extras.get(name) for _, extras in new])
                for name in names
            }
        )

    def _joined(self, before: Floats, new: list[Any]) -> Floats:
        shapes = {one.shape for one in new} | ({before.shape[1:]} if len(before) else set())
        if len(shapes) > 1:
            raise SchemaError(f"{self.coordinates}: instances differ in shape: {shapes}.")
        added = np.stack(new)
        return np.concatenate([before, added]) if len(before) else added


class Geometry2DBase(GeometryBase):
    """Instances in an image. Coordinates are absolute pixels.

    The origin is the upper left corner of the image, x goes right and y goes down; whole numbers
    are the corners of pixels, so the middle of the first pixel is (0.5, 0.5).

    Attributes:
        x_max: Width of the image; None if it is not known.
        y_max: Height of the image; None if it is not known.
    """

    __slots__ = ("x_max", "y_max")

    bounds = (constants.X_MAX, constants.Y_MAX)
    unit = constants.UNIT_ABSOLUTE

    x_max: float | None
    y_max: float | None

    @property
    def image_width(self) -> float | None:
        """Width of the image in pixels, which is `x_max`; a whole number as int."""
        return _as_whole(self.x_max)

    @property
    def image_height(self) -> float | None:
        """Height of the image in pixels, which is `y_max`; a whole number as int."""
        return _as_whole(self.y_max)

    @classmethod
    def create_empty(
        cls,
        *,
        image_width: float | None = None,
        image_height: float | None = None,
        x_max: float | None = None,
        y_max: float | None = None,
    ) -> Self:
        """Return an object without instances, to be filled by `add_instance`.

        Raises:
            SchemaError: A size is negative, or given twice and differently.
        """
        made = cls._without_instances()
        made._set_size(image_width, image_height, x_max, y_max)
        return made

    def _set_size(self, width: Any, height: Any, x_max: Any, y_max: Any) -> None:
        self.x_max = _extent("image_width", width, "x_max", x_max)
        self.y_max = _extent("image_height", height, "y_max", y_max)


class Geometry3DBase(GeometryBase):
    """Instances in space. The unit is that of the data, most often metres.

    Attributes:
        x_min: Lower bound of the scene along x; `y_min` and `z_min` likewise.
        y_min: See `x_min`.
        z_min: See `x_min`.
        x_max: Upper bound of the scene along x; `y_max` and `z_max` likewise.
        y_max: See `x_max`.
        z_max: See `x_max`.
    """

    __slots__ = ("x_max", "x_min", "y_max", "y_min", "z_max", "z_min")

    bounds = tuple(f"{axis}_{end}" for end in ("min", "max") for axis in "xyz")

    x_min: float | None
    y_min: float | None
    z_min: float | None
    x_max: float | None
    y_max: float | None
    z_max: float | None

    @classmethod
    def create_empty(cls, **bounds: Unpack[Bounds3D]) -> Self:
        """Return an object without instances; the arguments are the bounds of the scene.

        Raises:
            SchemaError: A bound is NaN or infinite.
        """
        made = cls._without_instances()
        made._set_bounds(bounds)
        return made

    def _set_bounds(self, bounds: Mapping[str, Any]) -> None:
        for name in self.bounds:
            value: Any = bounds.get(name)
            if value is not None and not math.isfinite(value):
                raise SchemaError(f"{name} is {value}, where it bounds the scene.")
            setattr(self, name, None if value is None else float(value))


def _as_whole(value: float | None) -> float | None:
    return int(value) if value is not None and value.is_integer() else value


def _extent(name: str, value: Any, other_name: str, other: Any) -> float | None:
    """Return what two arguments say that mean the same."""
    if value is not None and other is not None and float(value) != float(other):
        raise SchemaError(
            f"{name}={value} and {other_name}={other} mean the same.", hint="Give one of them."
        )
    given = value if value is not None else other
    if given is None:
        return None
    if not (math.isfinite(given) and given >= 0):
        raise SchemaError(f"{name} is {given}, which is no size in pixels.")
    return float(given)
