"""Rows that come one by one, kept as bytes until there are enough of them to be columns."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tlc.format.waiting import holds_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.format.encode import ColumnEncoder

_CODES = {
    "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q",
    "f4": "f", "f8": "d", "b1": "?",
}  # fmt: skip
_PYTHON = {"i": int, "u": int, "f": float, "b": bool}
_convert, _astuple = msgspec.convert, msgspec.structs.astuple


class SingleRows:
    """Rows of usual Python values cost three calls of C: names and types, range, and a list.

    `msgspec` says whether a row has just these columns and types, `struct` whether the numbers are
    in range, and makes bytes of them; a check of each value in Python takes five times as long.

    A row counts with its last step, the append to a list. So a signal handler may take the rows
    out at any moment.

    Args:
        encoders: Of the columns, by name.
        capacity: How many rows it can hold.
    """

    def __init__(self, encoders: Mapping[str, ColumnEncoder], capacity: int) -> None:
        plain = {name: each for name, each in encoders.items() if holds_numbers(each)}
        self._numbers = {name: each for name, each in plain.items() if not each.is_limited}
        self._texts = [name for name, each in encoders.items() if _holds_text(each)]
        quick = [*self._numbers, *self._texts]
        self._others = {name: each for name, each in encoders.items() if name not in quick}
        kinds = [np.dtype(each.type.to_pandas_dtype()) for each in self._numbers.values()]
        self._layout = np.dtype([(f"f{i}", kind) for i, kind in enumerate(kinds)])
        self._pack = struct.Struct("=" + "".join(_CODES[kind.str[1:]] for kind in kinds)).pack
        types: list[Any] = [_PYTHON[kind.kind] for kind in kinds]
        types += [str] * len(self._texts) + [Any] * len(self._others)
        self._form = _form([*quick, *self._others], types)
        self._first_text, self._first_other = len(kinds), len(quick)
        self._capacity = capacity
        self._rows: list[tuple[bytes, tuple[Any, ...]]] = []
        self._nulls: list[tuple[int, str]] = []

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another row."""
        return len(self._rows) >= self._capacity

    def take(self, row: Any, number: int) -> bool:
        """Add a row of plain values of the columns' own types.

        Returns False, and adds nothing, if the row is another one, or if there is no room.

        Args:
            row: What a caller gave.
            number: Its number in the table.
        """
        rows = self._rows
        if len(rows) >= self._capacity:
            return False
        try:
            values = _astuple(_convert(row, self._form))
            text = self._first_text
            packed = self._pack(*values[:text])
            rest = values[text:]
            if self._others:
                rest = self._admitted(rest, number)
            elif not "".join(rest).isascii():
                "".join(rest).encode()  # half a character has no place in a file
        except (ValueError, struct.error, OverflowError):
            return False
        rows.append((packed, rest))
        return True

    def add(self, admitted: Mapping[str, Any]) -> None:
        """Add a row of values that the encoders admitted."""
        numbers = [
            self._number(name, encoder, admitted[name]) for name, encoder in self._numbers.items()
        ]
        rest = tuple(admitted[name] for name in (*self._texts, *self._others))
        self._nulls += [(len(self._rows), n) for n in self._numbers if admitted[n] is None]
        self._rows.append((self._pack(*numbers), rest))

    def take_out(
        self,
    ) -> tuple[int, dict[str, Any], dict[str, np.ndarray[Any, Any] | None]]:
        """Return all rows as columns, and forget them.

        Returns:
            How many there are; the values of each column; of the columns of numbers, which values
            are not None, or None if none is.
        """
        rows = self._rows
        count = len(rows)
        if not count:
            return 0, {}, {}
        packed, rest = zip(*rows[:count], strict=True)
        records = np.frombuffer(b"".join(packed), self._layout) if self._numbers else None
        columns: dict[str, Any] = {}
        valid: dict[str, np.ndarray[Any, Any] | None] = {}
        for i, name in enumerate(self._numbers):
            assert records is not None
            columns[name], valid[name] = records[f"f{i}"], None
            if nulls := [row for row, of in self._nulls if of == name]:
                mask = valid[name] = np.ones(count, bool)
                mask[nulls] = False
        others = zip((*self._texts, *self._others), zip(*rest, strict=True), strict=True)
        columns |= {name: list(values) for name, values in others}
        self._nulls.clear()
        del rows[:count]  # not a new list: `take` may be about to append to this one
        return count, columns, valid

    def _admitted(self, rest: tuple[Any, ...], number: int) -> tuple[Any, ...]:
        texts, others = rest[: len(self._texts)], rest[len(self._texts) :]
        "".join(texts).encode()
        encoders = self._others.values()
        return (*texts, *(e.admit(v, number) for e, v in zip(encoders, others, strict=True)))

    def _number(self, name: str, encoder: ColumnEncoder, value: Any) -> Any:
        if value is None:
            return 0
        if type(value) in (int, float, bool):
            return value
        return encoder.encode([value])[0].as_py()


def _holds_text(encoder: ColumnEncoder) -> bool:
    return encoder.is_plain and str(encoder.type) == "string"


def _form(names: list[str], types: list[Any]) -> type[msgspec.Struct]:
    """Return a class that `msgspec` fills from rows of just these columns."""
    fields = [f"f{i}" for i in range(len(names))]
    return msgspec.defstruct(
        "Row",
        list(zip(fields, types, strict=True)),
        rename=dict(zip(fields, names, strict=True)),
        forbid_unknown_fields=True,
        gc=False,
    )
