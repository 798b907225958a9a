"""Arrow's parser of NDJSON, with lists as they stand in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def parsed(data: bytes, schema: pa.Schema) -> pa.Table:
    """Return the records of some lines.

    Where Arrow 26 does not know yet what a list is of, it counts nulls that follow each other in it
    as one, so that all later values move, or come from outside of its memory: ``[null, null, 1]``
    is such a list. It counts well where it is told what the list is of.

    Args:
        data: Lines.
        schema: Columns whose types are known; lines that do not fit are an error of Arrow's.
    """
    import pyarrow as pa

    table = _read(data, schema)
    try:
        table.validate()
    except pa.ArrowInvalid:
        told = pa.schema([(field.name, _told(field.type)) for field in table.schema])
        found = _read(data, told)
        columns = [
            pa.chunked_array([_with_nulls(chunk, field.type) for chunk in column.chunks])
            for column, field in zip(found.columns, table.schema, strict=True)
        ]
        table = pa.table(columns, schema=table.schema)
    return table


def _read(data: bytes, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json

    return json.read_json(
        pa.BufferReader(data),
        read_options=json.ReadOptions(block_size=len(data) + 1),
        parse_options=json.ParseOptions(newlines_in_values=False, explicit_schema=schema),
    )


def _told(kind: Any) -> Any:
    """Return a type with some other one in place of null."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.bool_()
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, _told(part.type)) for part in kind])
    return pa.list_(_told(kind.value_type)) if pa.types.is_list(kind) else kind


def _with_nulls(cells: Any, kind: Any) -> Any:
    """Return cells in the type that `_told` was asked for."""
    import pyarrow as pa

    if cells.type == kind:
        return cells
    if pa.types.is_null(kind):
        return pa.nulls(len(cells))
    if pa.types.is_list(kind):
        values = _with_nulls(cells.values, kind.value_type)
        return pa.ListArray.from_arrays(cells.offsets, values, kind, mask=cells.is_null())
    parts = [_with_nulls(cells.field(number), part.type) for number, part in enumerate(kind)]
    return pa.StructArray.from_arrays(parts, fields=list(kind), mask=cells.is_null())
