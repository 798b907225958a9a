"""Urls of bulk data are stored relative to the table that wrote them, so a project can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format.layout import BULK_DATA

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from tlc.schemas import Schema
    from tlc.url import Url

# A table of the layout keeps its bulk data beside `tables`, any other one inside its own folder.
_BESIDE, _INSIDE = f"../../{BULK_DATA}/", f"./{BULK_DATA}/"


def holds_urls(schema: Schema) -> bool:
    """Whether the cells of a column are urls, or have urls in them."""
    role = getattr(schema.value, "string_role", "") or ""
    return role.partition("/")[0] == "URL" or any(map(holds_urls, schema.values.values()))


def relativize(cells: pa.Array, table: Url, schema: Schema) -> pa.Array:
    """Return cells with the urls below the bulk data of `table`'s dataset made relative."""
    return _with_urls(
        cells,
        schema,
        lambda urls: _swap(
            _swap(urls, _absolute(table, _BESIDE), _BESIDE), _absolute(table, _INSIDE), _INSIDE
        ),
    )


def resolve(cells: pa.Array, table: Url, schema: Schema) -> pa.Array:
    """Return cells with the urls that are relative to `table` made absolute."""
    return _with_urls(
        cells,
        schema,
        lambda urls: _swap(
            _swap(urls, _BESIDE, _absolute(table, _BESIDE)), _INSIDE, _absolute(table, _INSIDE)
        ),
    )


def _with_urls(cells: pa.Array, schema: Schema, change: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Return cells with all urls in them changed, in lists and structs too."""
    import pyarrow as pa

    types = pa.types
    if not holds_urls(schema):
        return cells
    if cells.offset:
        cells = pa.concat_arrays([cells])  # the from_arrays below know no offsets
    if types.is_list(cells.type):
        items = _with_urls(cells.values, schema, change)
        return pa.ListArray.from_arrays(cells.offsets, items, mask=_mask(cells))
    if types.is_fixed_size_list(cells.type):
        items = _with_urls(cells.values, schema, change)
        return pa.FixedSizeListArray.from_arrays(items, type=cells.type, mask=_mask(cells))
    if types.is_struct(cells.type):
        parts = [
            _with_urls(cells.field(i), schema.values[field.name], change)
            for i, field in enumerate(cells.type)
        ]
        return pa.StructArray.from_arrays(parts, fields=list(cells.type), mask=_mask(cells))
    return change(cells)


def _mask(cells: pa.Array) -> pa.Array | None:
    return cells.is_null() if cells.null_count else None


def _absolute(table: Url, prefix: str) -> str:
    base = table.parent.parent if prefix == _BESIDE else table
    return f"{base.to_str()}/{BULK_DATA}/"


def _swap(cells: pa.Array, old: str, new: str) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(cells.type) or len(cells) == 0:
        return cells
    hits = pc.starts_with(cells, pattern=old)
    if not pc.any(hits).as_py():
        return cells
    rest = pc.utf8_slice_codeunits(cells, start=len(old))
    return pc.if_else(hits, pc.binary_join_element_wise(new, rest, ""), cells)
