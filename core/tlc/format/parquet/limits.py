"""How much a Parquet file may ask for before it is taken for an attack.

A file of a few hundred bytes can decode to gigabytes, and its footer can say otherwise. So the
headers of the pages are looked at before anything is decoded, and columns whose values share bytes
are decoded in a way that counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.configuration import Configuration
from tlc.format.parquet.pages import PageHeader, page_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow.parquet as pq

    from tlc.format.parquet.pages import ReadAt

MAX_ROWS_PER_GROUP = 1 << 20
_ALWAYS_ALLOWED = 16 << 20

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_PER_VALUE = 8
"""Bytes that Arrow needs for each value of a list or a text, beside the value itself."""

_DICTIONARY_ENCODINGS = {2, 8}
_DELTA_BYTE_ARRAY = 7


class LimitExceededError(ValueError):
    """A part of a file would decode to more than is allowed, or says what cannot be."""


@dataclass
class Plan:
    """How the columns of a row group are to be decoded.

    Attributes:
        direct: Columns that cannot become too large.
        as_dictionary: Columns that are decoded to dictionaries and codes, by name: paths of their
            leaves. That takes no more room than in the file, and less time.
        in_batches: Columns that are decoded some rows at a time, by name: how many.
    """

    direct: list[str] = field(default_factory=list)
    as_dictionary: dict[str, list[str]] = field(default_factory=dict)
    in_batches: dict[str, int] = field(default_factory=dict)


@dataclass
class _Leaf:
    """What the pages of a leaf column may decode to."""

    size: int
    shared: int
    longest: int
    all_dictionary: bool


def leaves_by_column(metadata: pq.FileMetaData) -> dict[str, list[tuple[int, str]]]:
    """Return the leaves of each column of a file: their numbers and dotted paths."""
    found: dict[str, list[tuple[int, str]]] = {}
    schema = metadata.schema
    for number in range(metadata.num_columns):
        path = schema.column(number).path
        parts = path.split(".")
        # A dot may be part of a name: then the leaf counts for each name that it could mean.
        for length in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:length]), []).append((number, path))
    return found


def make_plan(
    metadata: pq.FileMetaData,
    group: int,
    columns: Iterable[tuple[str, list[tuple[int, str]]]],
    read_at: ReadAt,
) -> Plan:
    """Return how to decode some columns of a row group.

    Args:
        metadata: The footer of the file.
        group: Number of the row group.
        columns: Names and leaves of the columns, see `leaves_by_column`.
        read_at: Reads a part of the file.

    Raises:
        ValueError: A column is too large (a `LimitExceededError`), or its pages make no sense.
    """
    about = metadata.row_group(group)
    rows = about.num_rows
    if rows > MAX_ROWS_PER_GROUP:
        raise LimitExceededError(
            f"a row group has {rows:,} rows, where {MAX_ROWS_PER_GROUP:,} are the most"
        )
    plan = Plan()
    for name, leaves in columns:
        found = [_leaf(metadata, group, number, read_at) for number, _ in leaves]
        size, shared = sum(leaf.size for leaf in found), sum(leaf.shared for leaf in found)
        if size > limit_for(size):
            raise too_large(name, size)
        coded = [path for leaf, (_, path) in zip(found, leaves, strict=True) if leaf.shared]
        if not coded:
            plan.direct.append(name)
        elif all(leaf.all_dictionary for leaf in found if leaf.shared):
            plan.as_dictionary[name] = coded
        elif size + shared <= limit_for(size + shared):
            plan.direct.append(name)
        else:
            longest = max(leaf.longest for leaf in found)
            plan.in_batches[name] = max(1, limit_for(size + shared) // longest)
    return plan


def _leaf(metadata: pq.FileMetaData, group: int, number: int, read_at: ReadAt) -> _Leaf:
    about, chunk = metadata.schema.column(number), metadata.row_group(group).column(number)
    rows = metadata.row_group(group).num_rows
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    pages = page_headers(read_at, start, chunk.total_compressed_size)
    values = sum(page.values for page in pages if not page.is_dictionary)
    nested = about.max_repetition_level > 0
    if values != chunk.num_values or (not nested and values != rows):
        raise LimitExceededError(f"the pages of {about.path!r} hold {values:,} values")
    width = _WIDTHS.get(chunk.physical_type, 0)
    if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY":
        width = about.length
    pages_size = max((page.size for page in pages), default=0)
    if width:
        return _Leaf(max(values * (width + _PER_VALUE * nested), pages_size), 0, 0, False)
    return _bytes_leaf(pages, values)


def _bytes_leaf(pages: list[PageHeader], values: int) -> _Leaf:
    """Return what a leaf of texts may become; its pages may say some bytes many times over."""
    size, shared, longest, all_dictionary = values * _PER_VALUE, 0, 1, True
    entry = max((page.size for page in pages if page.is_dictionary), default=0)
    for page in pages:
        size += page.size
        if page.is_dictionary:
            continue
        each = 0
        if page.encoding in _DICTIONARY_ENCODINGS:
            each = entry
        elif page.encoding == _DELTA_BYTE_ARRAY:
            each = page.size
        shared += page.values * each
        longest = max(longest, each)
        all_dictionary &= page.encoding in _DICTIONARY_ENCODINGS
    return _Leaf(size, shared, longest, all_dictionary)


def limit_for(size: int) -> int:
    """Return how many bytes a column of a row group may decode to, if it is about `size`.

    The settings are looked up only for columns that are large: that takes longer than to decode
    a small one.
    """
    if size <= _ALWAYS_ALLOWED:
        return _ALWAYS_ALLOWED
    return max(_ALWAYS_ALLOWED, Configuration.instance().max_decoded_bytes)


def too_large(name: str, size: int) -> LimitExceededError:
    """Return the error for a column that decodes to `size` bytes or more."""
    limit = limit_for(size)
    return LimitExceededError(
        f"column {name!r} would decode to {size:,} bytes, where {limit:,} are the most"
    )
