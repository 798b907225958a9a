"""Headers of Parquet pages, as far as one has to look at them before pages are decoded.

They say how large a page becomes and how many values it has. The footer says that too, but nothing
holds it to that, and Arrow makes room for whatever the headers ask for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

_DATA, _INDEX, _DICTIONARY, _DATA_V2 = range(4)
_DETAILS = {_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}
_ENCODING = {_DATA: 2, _DICTIONARY: 2, _DATA_V2: 4}
_FIRST_LOOK, _LONGEST = 256, 1 << 20
_I32 = 5

ReadAt = Callable[[int, int], bytes]
"""Returns `length` bytes from `offset` on: ``read_at(length, offset)``."""


class PageHeader(NamedTuple):
    """What the header of a page says.

    Attributes:
        is_dictionary: Whether the page holds the entries of a dictionary.
        size: Bytes of the page once it is decompressed.
        values: Number of its values, those that are null included.
        encoding: Number of the encoding of the values.
    """

    is_dictionary: bool
    size: int
    values: int
    encoding: int


def page_headers(read_at: ReadAt, start: int, length: int) -> list[PageHeader]:
    """Return the headers of the pages of a column chunk.

    Args:
        read_at: Reads a part of the file.
        start: Where the chunk starts in the file.
        length: Bytes of the chunk.

    Raises:
        ValueError: The chunk is not made of pages.
    """
    found = []
    offset, end = start, start + length
    while offset < end:
        fields, header_length = _header(read_at, offset, end)
        kind, size, compressed = fields.get(1, 0), fields.get(2, -1), fields.get(3, -1)
        details = fields.get(_DETAILS.get(kind, 0), {}) if isinstance(kind, int) else None
        values = encoding = -1
        if isinstance(details, dict):
            values, encoding = details.get(1, 0), details.get(_ENCODING.get(kind, 0), 0)
        numbers = (kind, size, compressed, values, encoding)
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError("the header of a page makes no sense")
        found.append(PageHeader(kind == _DICTIONARY, size, values, encoding))
        offset += header_length + compressed
    if offset > end:
        raise ValueError("the last page of a column is longer than the column")
    return found


def _header(read_at: ReadAt, offset: int, end: int) -> tuple[dict[int, Any], int]:
    look = _FIRST_LOOK
    while True:
        data = read_at(min(look, end - offset), offset)
        try:
            return _struct(data, 0)
        except IndexError:
            if look >= min(_LONGEST, end - offset):
                raise ValueError("the header of a page has no end") from None
            look *= 16


# Headers are Thrift structs in its compact form. Each field starts with a byte: how far its number
# is from that of the field before, and its type.


def _struct(data: bytes, at: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    fields: dict[int, Any] = {}
    number = 0
    while True:
        head = data[at]
        at += 1
        if head == 0:
            return fields, at
        kind = head & 15
        if head >> 4:
            number += head >> 4
        else:
            raw, at = read_varint(data, at)
            number = _signed(raw)
        if kind == _I32 and data[at] < 128:  # the usual one, faster
            raw = data[at]
            fields[number], at = (raw >> 1) ^ -(raw & 1), at + 1
        else:
            fields[number], at = _value(data, at, kind, depth)


def _value(data: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):
        return kind == 1, at
    if kind in (4, 5, 6):
        raw, at = read_varint(data, at)
        return _signed(raw), at
    if kind == 8:
        length, at = read_varint(data, at)
        if at + length > len(data):
            raise IndexError
        return None, at + length
    if kind == 12 and depth < 4:
        return _struct(data, at, depth + 1)
    raise ValueError("the header of a page cannot be read")


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number in the compact form of Thrift, and where it ends.

    Raises:
        ValueError: It has no end.
    """
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number in the header of a page has no end")


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)
