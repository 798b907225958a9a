"""Urls of bulk data are stored relative to the table that wrote them, so a project can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format.layout import BULK_DATA

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.url import Url

# A table of the layout keeps its bulk data beside `tables`, any other one inside its own folder.
_BESIDE, _INSIDE = f"../../{BULK_DATA}/", f"./{BULK_DATA}/"


def relativize(cells: pa.Array, table: Url) -> pa.Array:
    """Return url cells with those below the bulk data of `table`'s dataset made relative."""
    return _swap(
        _swap(cells, _absolute(table, _BESIDE), _BESIDE), _absolute(table, _INSIDE), _INSIDE
    )


def resolve(cells: pa.Array, table: Url) -> pa.Array:
    """Return url cells with those that are relative to `table` made absolute."""
    return _swap(
        _swap(cells, _BESIDE, _absolute(table, _BESIDE)), _INSIDE, _absolute(table, _INSIDE)
    )


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
