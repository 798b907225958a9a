"""What `Geometry2D` and `Geometry3D` have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Unpack

import numpy as np

from tlc import constants
from tlc.data_types.arrays import as_extra, as_list, as_optional, check_lengths, with_item
from tlc.data_types.bulk import check_reference
from tlc.data_types.geometry_base import GeometryBase
from tlc.data_types.geometry_schema import EXTRAS, FLAT, shapes_schema
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tlc.schemas import Schema
    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes

SHAPES = ("vertices", "lines", "triangles", "bounding_boxes", "obbs")
SHAPE_EXTRAS = tuple(EXTRAS.values())


class ShapesBase(GeometryBase):
    """Instances that are made of vertices, lines, triangles and boxes.

    Attributes:
        vertices: For each instance, float32 of shape (M, 2) or (M, 3).
        lines: For each instance, int32 of shape (L, 2): numbers of the vertices at both ends.
        triangles: For each instance, int32 of shape (T, 3): numbers of the vertices.
        bounding_boxes: For each instance, float32 of shape (B, 4) or (B, 6).
        obbs: For each instance, float32 of shape (O, 5) or (O, 9).
        per_vertex_extras: For each instance, name to an array with one item per vertex.
        per_line_extras: For each instance, name to an array with one item per line.
        per_triangle_extras: For each instance, name to an array with one item per triangle.
    """

    __slots__ = ()

    coordinates = "vertices"
    widths: ClassVar[dict[str, int]]
    """Numbers that a vertex, line, triangle, box or turned box takes."""

    vertices: list[Any]
    lines: list[Any]
    triangles: list[Any]
    bounding_boxes: list[Any]
    obbs: list[Any]
    per_vertex_extras: list[dict[str, Any]]
    per_line_extras: list[dict[str, Any]]
    per_triangle_extras: list[dict[str, Any]]

    def add_instance(
        self,
        *,
        vertices: Any = None,
        lines: Any = None,
        triangles: Any = None,
        bounding_boxes: Any = None,
        obbs: Any = None,
        label: int | None = None,
        confidence: float | None = None,
        per_vertex_extras: Mapping[str, Any] | None = None,
        per_line_extras: Mapping[str, Any] | None = None,
        per_triangle_extras: Mapping[str, Any] | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an instance. All arrays may be given flat.

        In a column with bulk data, vertices, lines, triangles and their extras may also be given as
        references: absolute urls that end with ``:offset-length``.

        Args:
            vertices: Points.
            lines: Numbers of the vertices at both ends of each line.
            triangles: Numbers of the three vertices of each triangle.
            bounding_boxes: Boxes along the axes.
            obbs: Turned boxes.
            label: Class of the instance.
            confidence: Its confidence, from 0 to 1.
            per_vertex_extras: Name to an array with one item per vertex.
            per_line_extras: Name to an array with one item per line.
            per_triangle_extras: Name to an array with one item per triangle.
            per_instance_extras: Name to the item of this instance.

        Raises:
            SchemaError: A number is infinite, or a line or triangle names a vertex that is not
                there.
        """
        given = (vertices, lines, triangles, bounding_boxes, obbs)
        extras = (per_vertex_extras, per_line_extras, per_triangle_extras)
        known = self._additional()
        shapes = dict(zip(SHAPES, given, strict=True))
        made = {name: self._as_shape(name, values) for name, values in shapes.items()}
        more = [_as_item_extras(each) for each in extras]
        self._check_instance(made, more)
        item = {constants.LABEL: label, constants.CONFIDENCE: confidence}
        present = {name: items for name, items in known.items() if items is not None}
        merged = with_item(present, self.num_instances, {**item, **(per_instance_extras or {})})
        self._set_additional(merged)
        for name, array in made.items():
            getattr(self, name).append(array)
        for name, each in zip(SHAPE_EXTRAS, more, strict=True):
            getattr(self, name).append(each)

    @property
    def num_instances(self) -> int:
        """Number of instances."""
        return max(len(getattr(self, name)) for name in SHAPES)

    def to_row(self) -> dict[str, Any]:
        """Return the row form: bounds, `instances` and `instances_additional_data`.

        Where a column has bulk data, writers put references in place of arrays.

        Raises:
            SchemaError: An attribute was changed to what does not fit the others.
        """
        row = self.to_row_of_arrays()
        row[constants.INSTANCES] = [as_plain(instance) for instance in row[constants.INSTANCES]]
        return row

    def to_row_of_arrays(self) -> dict[str, Any]:
        """Return the row form, with NumPy arrays in `instances`."""
        self._check()
        more = {name: as_list(items) for name, items in self._additional().items()}
        return {
            **{name: getattr(self, name) for name in self.bounds},
            constants.INSTANCES: [self._instance(i) for i in range(self.num_instances)],
            constants.INSTANCES_ADDITIONAL_DATA: more,
        }

    @classmethod
    def schema(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        *,
        classes: Classes | None = None,
        per_vertex_schemas: Mapping[str, Schema] | None = None,
        per_line_schemas: Mapping[str, Schema] | None = None,
        per_triangle_schemas: Mapping[str, Schema] | None = None,
        per_instance_schemas: Mapping[str, Schema] | None = None,
        include_per_instance_confidence: bool = False,
        is_bulk_data: bool = False,
        **arguments: Unpack[ColumnArguments],
    ) -> Schema:
        """Return the schema of a column of geometry.

        Args:
            classes: Names of the classes, as of `CategoricalLabelSchema`.
            per_vertex_schemas: Name to the schema of the item that each vertex has.
            per_line_schemas: Name to the schema of the item that each line has.
            per_triangle_schemas: Name to the schema of the item that each triangle has.
            per_instance_schemas: Name to the schema of the item that each instance has.
            include_per_instance_confidence: Whether instances have confidences.
            is_bulk_data: Whether vertices, lines, triangles and their extras are stored in chunk
                files, and cells hold references to them.
            **arguments: Those of `Schema`, such as `display_name`.

        Raises:
            SchemaError: A class has no usable number or name, or bulk data are no numbers.
        """
        schemas = (per_vertex_schemas, per_line_schemas, per_triangle_schemas)
        return shapes_schema(
            cls,
            classes,
            dict(zip(EXTRAS, schemas, strict=True)),
            per_instance_schemas,
            confidence=include_per_instance_confidence,
            is_bulk_data=is_bulk_data,
            arguments=arguments,
        )

    @classmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column that has none. See `Annotation`."""
        named = [(*name.rpartition(":"), schema) for name, schema in parts.items()]
        of = {
            each: {n: s for kind, _, n, s in named if kind == each} for each in (*SHAPE_EXTRAS, "")
        }
        return cls.schema(
            per_vertex_schemas=of[SHAPE_EXTRAS[0]],
            per_line_schemas=of[SHAPE_EXTRAS[1]],
            per_triangle_schemas=of[SHAPE_EXTRAS[2]],
            include_per_instance_confidence=constants.CONFIDENCE in of[""],
            per_instance_schemas={
                name: schema
                for name, schema in of[""].items()
                if name not in (constants.LABEL, constants.CONFIDENCE)
            },
        )

    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on. See `Annotation`."""
        found = {name: items for name, items in self._additional().items() if items is not None}
        for kind in SHAPE_EXTRAS:
            for name, items in _pairs(getattr(self, kind)):
                known = found.get(f"{kind}:{name}", ())
                found[f"{kind}:{name}"] = as_extra([*known, *items]) if len(known) else items
        return found

    def _set_shapes(self, given: Mapping[str, Sequence[Any] | None]) -> None:
        """Set shapes and what belongs to them, for as many instances as one of them has."""
        lists = {name: list(values) for name, values in given.items() if values is not None}
        count = max([len(values) for values in lists.values()] or [0])
        check_lengths(count, {name: values for name, values in lists.items() if values})
        for name in SHAPES:
            values = lists.get(name) or [None] * count
            setattr(self, name, [self._as_shape(name, each) for each in values])
        for name in SHAPE_EXTRAS:
            each = lists.get(name) or [None] * count
            setattr(self, name, [_as_item_extras(extras) for extras in each])

    def _fill(self, row: Mapping[str, Any]) -> None:
        for name in self.bounds:
            value = row.get(name)
            setattr(self, name, None if value is None else float(value))
        instances = list(row[constants.INSTANCES] or ())
        given = {name: [each.get(name) for each in instances] for name in SHAPES}
        more = {
            name: [each.get(stored) or {} for each in instances] for stored, name in _STORED.items()
        }
        self._set_shapes({**given, **more})
        self._set_additional(dict(row.get(constants.INSTANCES_ADDITIONAL_DATA) or {}))

    def _instance(self, number: int) -> dict[str, Any]:
        shapes = {name: getattr(self, name)[number] for name in SHAPES}
        made = {
            name: array.reshape(-1) if name in FLAT and not isinstance(array, str) else array
            for name, array in shapes.items()
        }
        return {**made, **{s: dict(getattr(self, name)[number]) for s, name in _STORED.items()}}

    def _as_shape(self, name: str, values: Any) -> Any:
        """Return an array as (M, width), or a reference as it is."""
        if isinstance(values, str):
            return check_reference(values)
        whole = name in ("lines", "triangles")
        flat = np.asarray([] if values is None else values)
        made = flat.reshape(-1).astype(np.int32 if whole else np.float32)
        if flat.size % self.widths[name]:
            raise SchemaError(f"{name} have {flat.size} numbers; each takes {self.widths[name]}.")
        if np.isinf(made).any() or (name != "obbs" and np.isnan(made).any()):
            raise SchemaError(f"{name} hold a number that is NaN or infinite.")
        return made.reshape(-1, self.widths[name])

    def _check(self) -> None:
        count = self.num_instances
        parts = {name: getattr(self, name) for name in (*SHAPES, *SHAPE_EXTRAS)}
        check_lengths(count, {**parts, **self._additional()})
        for number in range(count):
            shapes = {name: self._as_shape(name, parts[name][number]) for name in SHAPES}
            self._check_instance(shapes, [parts[name][number] for name in SHAPE_EXTRAS])

    def _check_instance(self, shapes: Mapping[str, Any], extras: Sequence[Any]) -> None:
        """Refuse numbers of vertices that are not there, and extras of another length."""
        for (shape, kind), more in zip(EXTRAS.items(), extras, strict=True):
            values = shapes[shape]
            if isinstance(values, str):
                continue
            known = {n: items for n, items in more.items() if not isinstance(items, str)}
            for name, items in known.items():
                if len(items) != len(values):
                    raise SchemaError(
                        f"{kind} {name!r} has {len(items)} items for {len(values)} {shape}."
                    )
        count = None if isinstance(shapes["vertices"], str) else len(shapes["vertices"])
        for name in ("lines", "triangles"):
            numbers = shapes[name]
            if isinstance(numbers, str) or count is None or not numbers.size:
                continue
            if numbers.min() < 0 or numbers.max() >= count:
                raise SchemaError(f"{name} name vertices that are not there: there are {count}.")


_STORED = {f"{shape}_additional_data": name for shape, name in EXTRAS.items()}


def set_items(
    shapes: ShapesBase, labels: Any, confidences: Any, extras: Mapping[str, Any] | None
) -> None:
    """Set what instances have besides shapes, and check that all fits.

    Raises:
        SchemaError: It does not.
    """
    shapes.labels = as_optional(labels, np.int32, "labels")
    shapes.confidences = as_optional(confidences, np.float32, "confidences")
    shapes.per_instance_extras = {name: as_extra(items) for name, items in (extras or {}).items()}
    shapes._check()


def _pairs(extras: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for each in extras:
        yield from each.items()


def _as_item_extras(extras: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what belongs to the vertices, lines or triangles of one instance."""
    given = {name: items for name, items in (extras or {}).items() if items is not None}
    return {n: v if isinstance(v, str) else as_extra(v) for n, v in given.items()}


def as_plain(instance: Mapping[str, Any]) -> dict[str, Any]:
    """Return an instance with lists in place of arrays; references stay."""
    return {
        name: as_plain(part)
        if isinstance(part, dict)
        else part
        if isinstance(part, str)
        else as_list(part)
        for name, part in instance.items()
    }
