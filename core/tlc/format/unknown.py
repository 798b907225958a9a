"""Cells of types that this version does not know, as text: better than no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.schemas import Schema


def holds_unknown(schema: Schema) -> bool:
    """Whether a column, or a part of it, has a type that a newer version brought."""
    is_unknown = schema.value is not None and schema.value.type == "unknown"
    return is_unknown or any(map(holds_unknown, schema.values.values()))


def as_text(cells: pa.Array, type_: pa.DataType) -> pa.Array:
    """Return cells as `type_`, which has text where the type is not known."""
    import pyarrow as pa

    return pa.array([_shown(cell, type_) for cell in cells.to_pylist()], type_)


def _shown(cell: Any, type_: pa.DataType) -> Any:
    import pyarrow as pa

    types = pa.types
    if cell is None:
        return None
    if types.is_struct(type_) and isinstance(cell, dict):
        return {field.name: _shown(cell.get(field.name), field.type) for field in type_}
    if hasattr(type_, "value_type") and isinstance(cell, list):
        return [_shown(item, type_.value_type) for item in cell]
    return str(cell) if types.is_string(type_) else cell
