"""Schemas of columns of annotations."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from tlc import constants
from tlc.errors import SchemaError
from tlc.schemas import CategoricalLabelListSchema, ConfidenceSchema, Float32Schema, Schema
from tlc.schemas.media import rle_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes


def geometry_schema(
    sample_type: str,
    bounds: Iterable[str],
    instances: Schema,
    additional: Mapping[str, Schema],
    arguments: ColumnArguments,
) -> Schema:
    """Return the schema of a column of instances with coordinates.

    Args:
        sample_type: Name of the sample type.
        bounds: Names of the bounds of the space that the instances lie in.
        instances: Schema of the coordinates of all instances of a cell.
        additional: Schemas of what else there is, one item per instance.
        arguments: Those of `Schema`.
    """
    parts = {name: Float32Schema(writable=False, number_role=_role(name)) for name in bounds}
    more = Schema(values=additional)
    values = {**parts, constants.INSTANCES: instances, constants.INSTANCES_ADDITIONAL_DATA: more}
    return Schema(values=values, **_given(sample_type, arguments))


def _role(bound: str) -> str:
    axis, end = bound.split("_")
    return f"bb_{end}_{axis}"


def _given(sample_type: str, arguments: ColumnArguments) -> dict[str, Any]:
    return {"sample_type": sample_type, **arguments}


def segmentation_schema(
    sample_type: str,
    classes: Classes | None,
    per_instance_schemas: Mapping[str, Schema] | None,
    *,
    confidence: bool,
    arguments: ColumnArguments,
) -> Schema:
    """Return the schema of a column of instances with masks. See `additional_schemas`."""
    more = additional_schemas(classes, per_instance_schemas, confidence=confidence)
    values = {
        **rle_parts(more),
        constants.POLYGONS: Float32Schema(shape=(-1, -1, -1), unit=constants.UNIT_ABSOLUTE),
    }
    return Schema(values=values, **_given(sample_type, arguments))


def additional_schemas(
    classes: Classes | None,
    per_instance_schemas: Mapping[str, Schema] | None,
    *,
    confidence: bool,
    own: Mapping[str, Schema] | None = None,
) -> dict[str, Schema]:
    """Return the schemas of what instances have besides coordinates, as lists with one item each.

    Args:
        classes: Names of the classes, as of `CategoricalLabelSchema`.
        per_instance_schemas: Name to the schema of one item.
        confidence: Whether instances have confidences.
        own: What this kind of annotation has besides.

    Raises:
        SchemaError: A name is taken.
    """
    known: dict[str, Schema] = {constants.LABEL: CategoricalLabelListSchema(classes)}
    if confidence:
        known[constants.CONFIDENCE] = ConfidenceSchema(shape=(-1,))
    known |= own or {}
    for name, schema in (per_instance_schemas or {}).items():
        if name in (constants.LABEL, constants.CONFIDENCE) and schema.value is not None:
            known[name] = listed(schema)
            continue
        if name in known:
            raise SchemaError(
                f"Instances have {name!r} already.", hint="Give the further one another name."
            )
        known[name] = listed(schema)
    return known


def listed(schema: Schema) -> Schema:
    """Return the schema of lists of what `schema` describes."""
    made = copy.deepcopy(schema)
    made.shape = (-1, *made.shape)
    return made


def split_inferred(
    parts: Mapping[str, Schema], own: Iterable[str] = ()
) -> tuple[bool, dict[str, Schema]]:
    """Return whether there are confidences, and the schemas of extras, of parts of all cells."""
    usual = {constants.LABEL, constants.CONFIDENCE, constants.INSTANCES, *own}
    extras = {name: schema for name, schema in parts.items() if name not in usual}
    return constants.CONFIDENCE in parts, extras
