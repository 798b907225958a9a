"""What Arrow does not check before it ends the process.

Asked for the description of a column chunk, Arrow 26 aborts if it is encrypted or if the statistics
of its sizes do not fit its type, in a way that no caller can catch. So they are looked at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.format.parquet.pages import read_varint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow.parquet as pq

_I64, _LIST, _STRUCT = 6, 9, 12
_ROW_GROUPS, _COLUMNS, _CHUNK, _ENCRYPTED, _SIZES = 4, 1, 3, 8, 16
_TEXT_BYTES, _REPETITION, _DEFINITION = 1, 2, 3
_DEEPEST = 16


def check_footer(data: bytes, metadata: pq.FileMetaData) -> None:
    """Refuse a footer whose column chunks Arrow would not survive.

    Args:
        data: The footer, in the compact form of Thrift.
        metadata: What Arrow made of it.

    Raises:
        ValueError: It is such a one, or cannot be understood.
    """
    schema = metadata.schema
    columns = [schema.column(number) for number in range(metadata.num_columns)]
    _Walk(data, columns).file()


class _Walk:
    """Goes through a footer once, and skips all but what leads to the statistics of sizes."""

    def __init__(self, data: bytes, columns: list[pq.ColumnSchema]) -> None:
        self._data = data
        self._schema = columns
        self._column = 0

    def file(self) -> None:
        try:
            self._fields(0, {(_ROW_GROUPS, _LIST): self._row_groups})
        except IndexError:
            raise ValueError("its footer has no end") from None

    def _row_groups(self, at: int) -> int:
        return self._items(at, lambda at: self._fields(at, {(_COLUMNS, _LIST): self._columns}))

    def _columns(self, at: int) -> int:
        self._column = 0
        return self._items(at, self._chunk)

    def _chunk(self, at: int) -> int:
        ways = {(_CHUNK, _STRUCT): self._about_chunk, (_ENCRYPTED, _STRUCT): self._encrypted}
        at = self._fields(at, ways)
        self._column += 1
        return at

    def _encrypted(self, at: int) -> int:
        raise ValueError("a column is encrypted")

    def _about_chunk(self, at: int) -> int:
        return self._fields(at, {(_SIZES, _STRUCT): self._sizes})

    def _sizes(self, at: int) -> int:
        column = self._schema[self._column]
        repetition, definition = column.max_repetition_level + 1, column.max_definition_level + 1
        ways: dict[tuple[int, int], Callable[[int], int]] = {
            (_REPETITION, _LIST): lambda at: self._histogram(at, repetition),
            (_DEFINITION, _LIST): lambda at: self._histogram(at, definition),
        }
        if column.physical_type != "BYTE_ARRAY":
            ways[_TEXT_BYTES, _I64] = self._text_size
        return self._fields(at, ways)

    def _text_size(self, at: int) -> int:
        raise ValueError("a column without text has statistics of text")

    def _histogram(self, at: int, length: int) -> int:
        found = self._list_head(at)[0]
        if found not in (0, length):
            raise ValueError(f"a statistic has {found} levels instead of {length}")
        return self._skip(at, _LIST, 0)

    def _fields(self, at: int, ways: Mapping[tuple[int, int], Callable[[int], int]]) -> int:
        """Go through a struct; `ways` leads into some of its fields, by number and type."""
        data, number = self._data, 0
        while head := data[at]:
            kind, step = head & 15, head >> 4
            at += 1
            if step:
                number += step
            else:
                raw, at = read_varint(data, at)
                number = (raw >> 1) ^ -(raw & 1)
            way = ways.get((number, kind))
            at = self._skip(at, kind, 0) if way is None else way(at)
        return at + 1

    def _items(self, at: int, item: Callable[[int], int]) -> int:
        count, kind, at = self._list_head(at)
        if kind != _STRUCT and count:
            raise ValueError("its footer has a list of something else than it should")
        for _ in range(count):
            at = item(at)
        return at

    def _list_head(self, at: int) -> tuple[int, int, int]:
        head = self._data[at]
        count, kind = head >> 4, head & 15
        at += 1
        if count == 15:
            count, at = read_varint(self._data, at)
        return count, kind, at

    def _skip(self, at: int, kind: int, depth: int) -> int:
        """Return where a value ends."""
        data = self._data
        if kind in (4, 5, 6):
            while data[at] > 127:
                at += 1
            return at + 1
        if kind in (1, 2):  # the type is the value
            return at
        if kind == 8:
            length, at = read_varint(data, at)
            return at + length
        if depth > _DEEPEST:
            raise ValueError("its footer is nested too deep")
        if kind == _STRUCT:
            while head := data[at]:
                at += 1
                if not head >> 4:
                    _, at = read_varint(data, at)
                at = self._skip(at, head & 15, depth + 1)
            return at + 1
        if kind in (_LIST, 10):
            count, inner, at = self._list_head(at)
            if inner in (1, 2, 3):
                return at + count
            for _ in range(count):
                at = self._skip(at, inner, depth + 1)
            return at
        sizes = {3: 1, 7: 8, 13: 16}
        if kind not in sizes:
            raise ValueError("its footer cannot be read")
        return at + sizes[kind]
