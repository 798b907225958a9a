"""Which lines of an NDJSON file are wrong, and what about them.

Only files that Arrow does not take as they are need this.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from tlc.importers.report import Problem, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.importers.ndjson_types import Kinds
    from tlc.importers.report import Problems
    from tlc.importers.text_pieces import Piece
    from tlc.url import Url

DEEPEST = 100
"""Lists and dictionaries within each other that a record may have."""

_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_LONG_NUMBER = re.compile(rb"(?<![\w.+-])-?[0-9]{16,}(?![\w.])")
_NULL_RECORD = re.compile(rb"(?:\A|[}\n])\s*null")
_BLOCK = 1 << 12
_PART = 1 << 22
_KINDS = {bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "a list"}
_Known = dict[tuple[str, ...], tuple[str, int]]


class Lines:
    """The lines of a piece of a file.

    Args:
        piece: The piece.
        file: Where it is, for messages.
        problems: Gets the lines that are wrong.
    """

    def __init__(self, piece: Piece, file: Url, problems: Problems) -> None:
        self.bad: set[int] = set()
        self._piece = piece
        self._file = file
        self._problems = problems

    @cached_property
    def _lines(self) -> list[bytes]:
        return self._piece.data.split(b"\n")

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(line) + 1 for line in self._lines), initial=0))

    @property
    def rest(self) -> bytes:
        """The lines of which nothing wrong was found; others are empty."""
        if not self.bad:
            return self._piece.data
        lines = enumerate(self._lines)
        return b"\n".join(b"" if number in self.bad else line for number, line in lines)

    def find_faults(self, kinds: Kinds) -> None:
        """Find lines that are no records, or whose values have other types than those before.

        Args:
            kinds: What some values must be.
        """
        known: _Known = {path: (kind, -1) for path, kind in kinds.items()}
        first = self._piece.line
        self.find_deep()
        for number, line in self._records():
            try:
                record = _loaded(line)
                found = _checked(record, known)
            except _Fault as fault:
                self._tell(number, fault)
                continue
            known.update(
                {path: (kind, first + number) for path, kind in found.items() if path not in known}
            )

    def find_deep(self) -> None:
        """Find lines that are so deep that they cannot be parsed safely."""
        for number, line in self._records():
            if line.count(b"[") + line.count(b"{") > DEEPEST and _depth(line) > DEEPEST:
                self._tell(number, _Fault("JSON_DEPTH", "lists and dictionaries are too deep"))

    def find_inexact(self, schema: pa.Schema) -> None:
        """Find lines with whole numbers that a column of floats does not hold."""
        for number, line in self._records():
            if not _LONG_NUMBER.search(line):
                continue
            try:
                value: object = _inexact(json.loads(line), schema)
            except ValueError:  # thousands of digits
                value = "so long that it is not read"
            if value:
                message = "a float does not hold all digits of a number"
                hint = "write it as text; numbers below 2**64 fit Uint64Schema()."
                self._tell(number, _Fault("NUMBER_RANGE", message, value, hint))

    def _records(self) -> Iterator[tuple[int, bytes]]:
        for number, line in enumerate(self._lines):
            if number not in self.bad and line.strip():
                yield number, line

    def _tell(self, number: int, fault: _Fault) -> None:
        self.bad.add(number)
        start = self._piece.start + self._starts[number]
        is_last = number == len(self._lines) - 1
        if fault.code == "JSON_SYNTAX" and is_last:  # there is no new line after it
            fault = _Fault(
                "NDJSON_TRUNCATED", "the last line is cut off", hint="is the file whole?"
            )
        self._problems.add(
            Problem(
                code=fault.code,
                file=str(self._file),
                record=f"line {self._piece.line + number + 1}, byte {start}",
                value=shortened(fault.value or self._lines[number].decode(errors="replace")),
                message=fault.message,
                hint=fault.hint,
            )
        )


class _Fault(Exception):  # noqa: N818
    """What is wrong with a line."""

    def __init__(self, code: str, message: str, value: object = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.value = value
        self.hint = hint


def may_be_deep(data: bytes) -> bool:
    """Whether there may be a line too deep to be parsed safely; told without a look at lines."""
    import numpy as np

    deepest = 20 * DEEPEST  # what is below is refused when its type is known
    depth = 0
    for start in range(0, len(data), _PART):
        # With this bit "[" and "{" are one character, and "]" and "}" another.
        part = np.frombuffer(data, np.uint8, min(_PART, len(data) - start), start) | 32
        opening, closing = part == ord("{"), part == ord("}")
        for block in range(0, len(part), _BLOCK):
            count = int(np.count_nonzero(opening[block : block + _BLOCK]))
            if depth + count > deepest:
                return True
            depth += count - int(np.count_nonzero(closing[block : block + _BLOCK]))
    return False


def may_have_null_records(data: bytes) -> bool:
    """Whether there may be a record that is null, which makes Arrow 26 end the process."""
    return b"null" in data and _NULL_RECORD.search(data) is not None


def has_long_numbers(cells: Any) -> bool:
    """Whether there are floats, in a column or below, that may have been longer whole numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(cells.type):
        return pc.any(pc.greater_equal(pc.abs(cells), 2.0**53)).as_py() is True
    if pa.types.is_struct(cells.type):
        return any(map(has_long_numbers, cells.flatten()))
    return pa.types.is_list(cells.type) and has_long_numbers(cells.flatten())


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(line):
        first = token[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _loaded(line: bytes) -> dict[str, Any]:
    """Return the record of a line.

    Raises:
        _Fault: It is none.
    """
    try:
        record = json.loads(line, object_pairs_hook=_dictionary, parse_float=_float)
    except ValueError as error:
        raise _Fault("JSON_SYNTAX", f"this is no JSON: {error}") from error
    if not isinstance(record, dict):
        kind = _KINDS.get(type(record), "null")
        raise _Fault("JSON_TYPE", f"a record is a dictionary, and this is {kind}")
    return record


def _dictionary(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _Fault("JSON_DUP_KEY", f"a dictionary has the key {repeated!r} twice")
    return found


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Fault("NUMBER_RANGE", "a number is too large", text)
    return value


def _checked(record: dict[str, Any], known: _Known) -> dict[tuple[str, ...], str]:
    """Return what the values of a record are.

    Raises:
        _Fault: One is something else than in lines before, or cannot be stored.
    """
    found: dict[tuple[str, ...], str] = {}
    for path, value in _values(record, ()):
        kind = _KINDS.get(type(value), "a dictionary")
        if isinstance(value, str) and not value.isascii():
            _check_text(value)
        if isinstance(value, int) and abs(value) > 1e308:
            raise _Fault("NUMBER_RANGE", "a number is too large", value)
        before, line = known.get(path) or (found.setdefault(path, kind), -1)
        if kind != before:
            place = f"in line {line + 1}" if line >= 0 else "elsewhere"
            name = ".".join(path)
            message = f"{name!r} is {kind}, and {before} {place}"
            raise _Fault("JSON_TYPE", message, repr(value))
    return found


def _values(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if path and value is not None:
        yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            _check_text(key)
            yield from _values(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from _values(part, (*path, "[]"))


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Fault("JSON_SURROGATE", "half a character has no text", ascii(text)) from error


def _is_float(value: int) -> bool:
    """Whether there is a float that is exactly this."""
    try:
        return int(float(value)) == value
    except OverflowError:
        return False


def _inexact(value: Any, kind: Any) -> int | None:
    """Return a whole number that the Arrow type of its column does not hold."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = [(part, kind.field(key)) for key, part in value.items() if part is not None]
    elif isinstance(value, list):
        parts = [(part, kind.value_type) for part in value]
    elif isinstance(value, int) and str(kind) == "double" and not _is_float(value):
        return value
    found = (_inexact(part, getattr(inner, "type", inner)) for part, inner in parts)
    return next((number for number in found if number is not None), None)
