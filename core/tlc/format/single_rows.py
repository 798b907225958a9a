"""Rows that come one by one, kept as bytes until there are enough of them to be columns."""

from __future__ import annotations

import struct
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.format.waiting import holds_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

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

    What is kept is nothing that the garbage collector follows: it would look through the rows again
    and again. A row counts with its last step, the append to `_forms`; so a signal handler may take
    the rows out at any moment.

    Args:
        encoders: Of the columns, by name.
        capacity: How many rows it can hold.
    """

    def __init__(self, encoders: Mapping[str, ColumnEncoder], capacity: int) -> None:
        import numpy as np

        plain = {name: each for name, each in encoders.items() if holds_numbers(each)}
        self._numbers = {name: each for name, each in plain.items() if not each.is_limited}
        texts = [name for name, each in encoders.items() if _holds_text(each)]
        others = [name for name in encoders if name not in self._numbers and name not in texts]
        self._names = [*self._numbers, *texts, *others]
        kinds = [np.dtype(each.type.to_pandas_dtype()) for each in self._numbers.values()]
        self._layout = np.dtype([(f"f{i}", kind) for i, kind in enumerate(kinds)])
        self._pack = struct.Struct("=" + "".join(_CODES[kind.str[1:]] for kind in kinds)).pack
        types: list[Any] = [_PYTHON[kind.kind] for kind in kinds]
        types += [str] * len(texts) + [Any] * len(others)
        self._form = _form(self._names, types)
        self._first_text, self._first_other = len(kinds), len(kinds) + len(texts)
        self._others = [(f"f{i}", encoders[n]) for i, n in enumerate(others, self._first_other)]
        self._capacity = capacity
        self._packed: list[bytes] = []
        self._forms: list[msgspec.Struct] = []
        self._nulls: list[tuple[int, str]] = []

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._forms)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another row."""
        return len(self._forms) >= self._capacity

    def take(self, row: Any, number: int) -> bool:
        """Add a row of plain values of the columns' own types.

        Returns False, and adds nothing, if the row is another one, or if there is no room.

        Args:
            row: What a caller gave.
            number: Its number in the table.
        """
        if len(self._forms) >= self._capacity:
            return False
        try:
            form = _convert(row, self._form)
            values = _astuple(form)
            text = self._first_text
            packed = self._pack(*values[:text])
            joined = "".join(values[text : self._first_other])
            if not joined.isascii():
                joined.encode()  # half a character has no place in a file
            for field, encoder in self._others:
                setattr(form, field, encoder.admit(getattr(form, field), number))
        except (ValueError, struct.error, OverflowError):
            return False
        self._append(packed, form)
        return True

    def add(self, admitted: Mapping[str, Any]) -> None:
        """Add a row of values that the encoders admitted."""
        numbers = [
            self._number(name, encoder, admitted[name]) for name, encoder in self._numbers.items()
        ]
        form = self._form(*(admitted[name] for name in self._names))
        self._nulls += [(self.count, n) for n in self._numbers if admitted[n] is None]
        self._append(self._pack(*numbers), form)

    def _append(self, packed: bytes, form: msgspec.Struct) -> None:
        try:
            self._packed.append(packed)
            self._forms.append(form)
        except BaseException:  # of a signal handler
            del self._packed[self.count :]
            raise

    def take_out(self) -> tuple[int, dict[str, Any], dict[str, np.ndarray[Any, Any] | None]]:
        """Return all rows as columns, and forget them.

        Returns:
            How many there are; the values of each column; of the columns of numbers, which values
            are not None, or None if none is.
        """
        import numpy as np

        count = self.count
        if not count:
            return 0, {}, {}
        columns: dict[str, Any] = {}
        valid: dict[str, np.ndarray[Any, Any] | None] = {}
        data = b"".join(self._packed[:count])
        for i, name in enumerate(self._numbers):
            columns[name], valid[name] = np.frombuffer(data, self._layout)[f"f{i}"], None
            if nulls := [row for row, of in self._nulls if of == name]:
                mask = valid[name] = np.ones(count, bool)
                mask[nulls] = False
        forms = self._forms[:count]
        for i, name in enumerate(self._names[self._first_text :], self._first_text):
            columns[name] = list(map(attrgetter(f"f{i}"), forms))
        self._nulls.clear()
        # Not new lists: `take` may be about to append to these.
        del self._packed[:count], self._forms[:count]
        return count, columns, valid

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
