"""Urls of bulk data are stored relative to the table that wrote them, so a project can be moved."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from tlc.format.layout import BULK_DATA
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from tlc.schemas import Schema

# A table of the layout keeps its bulk data beside `tables`, any other one inside its own folder.
_BESIDE, _INSIDE = f"../../{BULK_DATA}/", f"./{BULK_DATA}/"
_HERE, _UP = "./", "../"


def holds_urls(schema: Schema) -> bool:
    """Whether the cells of a column are urls, or have urls in them."""
    role = getattr(schema.value, "string_role", "") or ""
    return role.partition("/")[0] == "URL" or any(map(holds_urls, schema.values.values()))


def is_relative(url: str) -> bool:
    """Whether a url in a cell is relative to the table that wrote the cell's file."""
    return url.startswith((_HERE, _UP))


def relativize(cells: pa.Array, table: Url, schema: Schema) -> pa.Array:
    """Return cells with the urls of bulk data made relative to `table`.

    Bulk data lie in the folder for them in the table's dataset, in that of a table that stands
    alone, or where the column's `bulk_data_location` says, if that is relative to the table.
    """
    if not holds_urls(schema):
        return cells
    places = [_BESIDE, _INSIDE]
    location = schema.bulk_data_location
    if location and not Url(location).is_absolute:
        places.append(_as_prefix(location))
    return _with_urls(cells, schema, lambda urls: _relativized(urls, table, places))


def resolve(cells: pa.Array, table: Url, schema: Schema) -> pa.Array:
    """Return cells with the urls that are relative to `table` made absolute."""
    return _with_urls(cells, schema, lambda urls: _resolved(urls, table))


def _relativized(urls: pa.Array, table: Url, places: Sequence[str]) -> pa.Array:
    beside = f"{table.parent}/"
    for place in places:
        urls = _swap(urls, f"{Url(place).to_absolute(table)}/", place)
        if place.startswith(_HERE):
            # A revision may have cells of those before it, whose files lie in their own folders.
            urls = _swap(
                urls, beside, _UP, only=f"^{re.escape(beside)}[^/]+/{re.escape(place[2:])}"
            )
    return urls


def _as_prefix(location: str) -> str:
    """Return the start of relative urls in a folder: ``./a/`` or ``../a/``."""
    path = posixpath.normpath(location)
    path = "" if path == "." else f"{path}/"
    return path if path.startswith(_UP) else f"{_HERE}{path}"


def _resolved(urls: pa.Array, table: Url) -> pa.Array:
    if not _any_start_with(urls, "."):
        return urls
    urls = _swap(urls, _HERE, f"{table}/")
    above = [table.parent]
    while _any_start_with(urls, _UP * (len(above) + 1)):
        above.append(above[-1].parent)
    for levels in range(len(above), 0, -1):
        urls = _swap(urls, _UP * levels, f"{above[levels - 1].to_str().rstrip('/')}/")
    return urls


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


def _swap(cells: pa.Array, old: str, new: str, *, only: str = "") -> pa.Array:
    """Replace the start `old` of texts by `new`; only of those that match a pattern, if given."""
    import pyarrow.compute as pc

    if not _any_start_with(cells, old):
        return cells
    hits = pc.match_substring_regex(cells, only) if only else pc.starts_with(cells, old)
    rest = pc.utf8_slice_codeunits(cells, start=len(old))
    return pc.if_else(hits, pc.binary_join_element_wise(new, rest, ""), cells)


def _any_start_with(cells: pa.Array, start: str) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.types.is_string(cells.type) and len(cells) > 0
    return bool(texts and pc.any(pc.starts_with(cells, start)).as_py())
