"""The keyword arguments that column schemas share, so that each class only says what is its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas.shapes import Shape
    from tlc.schemas.value_maps import Classes, Number


class BaseArguments(TypedDict, total=False):
    """Arguments of every schema but `sample_type`. See `tlc.schemas.Schema` for their meaning."""

    display_name: str
    description: str
    writable: bool
    computable: bool
    display_importance: float
    default_visible: bool
    default_value: Any
    metadata: Mapping[str, Any] | None
    bulk_data_location: str
    shape: Shape


class ColumnArguments(BaseArguments, total=False):
    """Arguments of every column schema. See `tlc.schemas.Schema` for their meaning."""

    sample_type: str | None


class NumberArguments(ColumnArguments, total=False):
    """Arguments of every schema of numbers. See `tlc.schemas.values.NumericValue`."""

    number_role: str
    unit: str
    value_min: Number | None
    value_max: Number | None
    enforce_min: bool
    enforce_max: bool
    value_map: Classes | None
