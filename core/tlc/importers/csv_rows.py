"""Where the rows of a CSV file are, and which of their cells do not have the type they must have.

Only files that have something wrong need this.
"""

from __future__ import annotations

import csv
import io
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

_END = "the end"


class RowLines:
    """Lines of the file that rows begin in.

    Args:
        data: The header and some rows of the file, as UTF-8.
        delimiter: What separates cells.
        header: Lines of the header.
        before: Lines of the file before the rows.
    """

    def __init__(self, data: bytes, delimiter: str, header: int = 0, before: int = 0) -> None:
        self._data = data
        self._delimiter = delimiter
        self._shift = before - header
        self._ragged: set[int] = set()

    def leave_out(self, record: int) -> None:
        """Say that a record makes no row; the header is record 1."""
        self._ragged.add(record)
        self.__dict__.pop("_kept", None)

    def of_record(self, record: int) -> int:
        """Return the line of a record; the header is record 1."""
        line = self._starts[min(record, len(self._starts)) - 1]
        return line if record == 1 else line + self._shift

    def of_row(self, row: int) -> int:
        """Return the line of a row; the first one after the header is row 0."""
        return self.of_record(self._kept[row] if row < len(self._kept) else len(self._starts))

    @property
    def unfinished(self) -> int | None:
        """The line of a last record whose quotes never end; None if there is none."""
        # With an odd number of quotes, as files that are whole hardly have.
        if self._has_odd_quotes and self._is_cut_off:
            return self.of_record(len(self._starts))
        return None

    @property
    def _has_odd_quotes(self) -> bool:
        import numpy as np

        return int(np.count_nonzero(np.frombuffer(self._data, np.uint8) == ord('"'))) % 2 == 1

    @cached_property
    def _kept(self) -> list[int]:
        records = range(2, len(self._starts) + 1)
        return [record for record in records if record not in self._ragged]

    @property
    def _starts(self) -> list[int]:
        return self._walked[0]

    @property
    def _is_cut_off(self) -> bool:
        return self._walked[1]

    @cached_property
    def _walked(self) -> tuple[list[int], bool]:
        """The line of each record, blank lines left out; and whether the last one has no end."""
        text = self._data.decode().rstrip("\r\n") + f"\n{_END}"
        limit = csv.field_size_limit(len(text) + 1)
        starts: list[int] = []
        record: list[str] = []
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter)
            line = 1
            for record in reader:
                if record:
                    starts.append(line)
                line = reader.line_num + 1
        finally:
            csv.field_size_limit(limit)
        is_whole = record == [_END]
        return (starts[:-1] or [1]) if is_whole else starts, not is_whole


def unfit(cells: pa.Array, type_: pa.DataType, start: int = 0) -> Iterator[int]:
    """Return the positions of the texts that are no values of a type."""
    import pyarrow as pa

    try:
        cells.cast(type_)
    except pa.ArrowInvalid:
        if len(cells) == 1:
            yield start
            return
        half = len(cells) // 2
        yield from unfit(cells[:half], type_, start)
        yield from unfit(cells[half:], type_, start + half)


def readable(
    texts: pa.Array, type_: pa.DataType, decimal_point: str, nulls: Sequence[str]
) -> pa.Array:
    """Return texts in the form that Arrow makes values of a type of; None where one is missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    trimmed = pc.utf8_trim_whitespace(texts)
    present = pc.invert(pc.is_in(trimmed, pa.array(list(nulls))))
    found = pc.if_else(present, trimmed, pa.scalar(None, pa.string()))
    if pa.types.is_floating(type_) and decimal_point != ".":
        found = pc.replace_substring(found, decimal_point, ".")
    return found
