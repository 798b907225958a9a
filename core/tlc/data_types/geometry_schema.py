"""Schemas of columns of geometry, with their arrays in cells or in chunk files."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tlc import constants
from tlc.data_types.columns import additional_schemas, geometry_schema
from tlc.errors import SchemaError
from tlc.schemas import Float32Schema, Int32Schema, Schema, StringSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes

EXTRAS = {
    "vertices": "per_vertex_extras",
    "lines": "per_line_extras",
    "triangles": "per_triangle_extras",
}
"""What can have items of its own, and the attribute that holds them."""

FLAT = tuple(EXTRAS)
"""What is flat in rows, and can be bulk data."""

IS_BULK_DATA = "is_bulk_data"
DTYPE = "dtype"
BULK_ROLE = "URL/BulkData"


def shapes_schema(
    cls: Any,
    classes: Classes | None,
    extras: Mapping[str, Mapping[str, Schema] | None],
    per_instance_schemas: Mapping[str, Schema] | None,
    *,
    confidence: bool,
    is_bulk_data: bool,
    arguments: ColumnArguments,
) -> Schema:
    """Return the schema of a column of `Geometry2D` or `Geometry3D`, whose class is `cls`.

    Raises:
        SchemaError: Bulk data are no numbers.
    """
    vertices = Float32Schema(shape=(-1,), unit=cls.unit)
    numbers = {name: Int32Schema(shape=(-1,)) for name in ("lines", "triangles")}
    parts: dict[str, Schema] = {"vertices": vertices, **numbers}
    if is_bulk_data:
        parts = {name: _bulk(schema) for name, schema in parts.items()}
    for name in ("bounding_boxes", "obbs"):
        parts[name] = Float32Schema(shape=(-1, cls.widths[name]), unit=cls.unit)
    for name, schemas in extras.items():
        lists = {each: _listed(schema) for each, schema in (schemas or {}).items()}
        if is_bulk_data:
            lists = {each: _bulk(schema) for each, schema in lists.items()}
        if lists:
            parts[f"{name}_additional_data"] = Schema(values=lists)
    more = additional_schemas(classes, per_instance_schemas, confidence=confidence)
    made = Schema(values=parts)
    made.shape = (-1,)
    schema = geometry_schema(cls.sample_type, cls.bounds, made, more, arguments)
    schema.metadata[IS_BULK_DATA] = is_bulk_data
    return schema


def bulk_types(schema: Schema) -> dict[tuple[str, ...], str]:
    """Return the type of the numbers of each array that is bulk data, by its place in instances."""
    found: dict[tuple[str, ...], str] = {}
    for name, part in schema.values[constants.INSTANCES].values.items():
        if DTYPE in part.metadata:
            found[(name,)] = part.metadata[DTYPE]
        for inner, each in part.values.items():
            if DTYPE in each.metadata:
                found[(name, inner)] = each.metadata[DTYPE]
    return found


def _listed(schema: Schema) -> Schema:
    """Return the schema of one item for each vertex; one of lists is that already."""
    if schema.shape[:1] == (-1,):
        return schema
    made = copy.deepcopy(schema)
    made.shape = (-1, *made.shape)
    return made


def _bulk(schema: Schema) -> Schema:
    value = schema.value
    if value is None or value.arrow in ("string", "binary", "bool") or len(schema.shape) != 1:
        raise SchemaError(
            f"{schema!r} cannot be bulk data.", hint="Only numbers can, one for each vertex."
        )
    return StringSchema(
        string_role=BULK_ROLE, metadata={DTYPE: value.arrow}, writable=False, default_visible=False
    )
