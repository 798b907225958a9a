"""Rows as JSON can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import STRING_ROLE_RLE
from tlc.errors import CellError
from tlc.export.rows import exported_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.table import Table

_ROWS_AT_ONCE = 1024


def json_rows(
    table: Table, weight_threshold: float, *, allow_infinite: bool = False
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows, many at a time, of values that JSON has: masks are text.

    Args:
        table: The table.
        weight_threshold: Rows whose weight is below it are left out.
        allow_infinite: Whether numbers that are not in lists or dictionaries may be infinite.

    Raises:
        CellError: One is, and must not be. NaN may stand anywhere: JSON has null for it.
    """
    import pyarrow as pa

    schemas, first = table.rows_schema.values, 0
    for part in exported_parts(table, weight_threshold):
        for start in range(0, part.num_rows, _ROWS_AT_ONCE):
            some = part.slice(start, _ROWS_AT_ONCE)
            names = some.schema.names
            columns = [_as_text(some.column(name), schemas[name]) for name in names]
            for name, cells in zip(names, columns, strict=True):
                if not (allow_infinite and pa.types.is_floating(cells.type)):
                    _check_finite(name, cells, first + start, table)
            values = [cells.to_pylist() for cells in columns]
            yield [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
        first += part.num_rows


def _as_text(cells: pa.Array, schema: Schema) -> pa.Array:
    kind = _text_type(cells.type, schema)
    return cells if kind == cells.type else cells.cast(kind)


def _text_type(kind: Any, schema: Schema) -> Any:
    """Return an Arrow type with strings where run-length encoded masks are, which are ASCII."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_text_type(kind.value_type, schema), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_text_type(kind.value_type, schema))
    if pa.types.is_struct(kind):
        parts = [(part.name, _text_type(part.type, schema.values[part.name])) for part in kind]
        return pa.struct(parts)
    is_mask = getattr(schema.value, "string_role", "") == STRING_ROLE_RLE
    return pa.string() if is_mask and pa.types.is_binary(kind) else kind


def _check_finite(name: str, cells: pa.Array, first: int, table: Table) -> None:
    import pyarrow.compute as pc

    if not any(pc.any(pc.is_inf(leaf)).as_py() for leaf in _floats(cells)):
        return
    for number in range(len(cells)):
        if any(pc.any(pc.is_inf(leaf)).as_py() for leaf in _floats(cells.slice(number, 1))):
            raise CellError(
                f"Row {first + number} to be exported, column {name!r} of {table.url}: the number "
                "is infinite, and JSON has no such number.",
                column=name,
                row=first + number,
                hint="export as Parquet.",
            )


def _floats(cells: pa.Array) -> Iterator[pa.Array]:
    import pyarrow as pa

    if pa.types.is_floating(cells.type):
        yield cells
    elif pa.types.is_struct(cells.type):
        for part in cells.flatten():
            yield from _floats(part)
    elif pa.types.is_list(cells.type) or pa.types.is_fixed_size_list(cells.type):
        yield from _floats(cells.flatten())
