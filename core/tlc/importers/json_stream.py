"""A large JSON object, read part by part: its lists in pieces of whole records.

Only the ends of records are looked for, where a piece is cut; what is between is for the decoder. A
cut is right if the piece before it decodes, since a piece that ends within a record or a text is no
JSON. Where that cannot be had cheaply, brackets are counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from tlc.importers.coco_bytes import Bytes

PIECE = 1 << 20
_LONGEST_RECORD = 256 << 20
_LONGEST_KEPT = 1 << 16
_TAILS = (1 << 14, 1 << 18)
_SPACE = re.compile(rb"[ \t\r\n]*")
_KEY = re.compile(rb'"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s,\]}"]+', re.DOTALL)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_DEPTH = np.zeros(256, np.int8)
_DEPTH[[ord("{"), ord("[")]] = 1
_DEPTH[[ord("}"), ord("]")]] = -1


class BrokenJsonError(ValueError):
    """A file is not JSON, or not the kind of JSON that is read here.

    Args:
        message: What is wrong.
        offset: The byte where that shows.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Piece:
    """Some records of a list, one after the other.

    Attributes:
        text: They, separated by commas.
        ends: Where each ends in `text`; None if they were not counted, because `check` took them.
        offset: Where `text` starts in the file.
    """

    def __init__(self, text: bytes, offset: int, ends: list[int] | None = None) -> None:
        self.text, self.offset, self.ends = text, offset, ends

    def records(self) -> Iterator[bytes]:
        """Yield the text of each record.

        Raises:
            ValueError: There is no comma between two of them.
        """
        start = 0
        for end in self.ends or ():
            text = self.text[start:end].lstrip(b" \t\r\n")
            if start and not text.startswith(b","):
                raise BrokenJsonError("a comma is missing in a list", self.offset + start)
            yield text[bool(start) :].lstrip(b" \t\r\n")
            start = end


class JsonObject:
    """Walks through the members of the object in a file.

    Args:
        file: Open at its start.
    """

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._data = b""
        self._at = 0
        self._start = 0
        self._done = False
        self._counts = False
        self._cut_at = 0
        self._expect(b"{", "it does not start with an object")

    def names(self) -> Iterator[str]:
        """Yield the name of each member; `pieces` or `skip` has to be called before the next.

        Raises:
            ValueError: The file is not JSON.
        """
        if self._peek() == b"}":
            self._at += 1
            return
        while True:
            yield self._name()
            following = self._peek()
            self._at += 1
            if following == b"}":
                return
            if following != b",":
                raise self._broken("a comma or the end of the object is missing")
            self._peek()

    def is_list(self) -> bool:
        """Whether the value of the member is a list."""
        return self._peek() == b"["

    def pieces(self, check: Callable[[bytes], int | None]) -> Iterator[Piece]:
        """Yield the records of the list that comes next.

        Args:
            check: Decodes the list of the records that it is given. Returns None if that is all of
                it; where the last bracket of the list is, if there is more behind; -1 if it does
                not decode. What it has taken comes without `ends`.

        Raises:
            ValueError: The list does not end.
        """
        self._at += 1
        while self._peek() != b"]":
            self._more(PIECE + 1)
            piece = None if self._counts else self._guess(check)
            yield piece or self._counted()
            if self._peek() == b",":
                self._at += 1
                if self._peek() in (b"]", b""):
                    raise self._broken("there is a comma after the end of a list")
            elif self._peek() != b"]":
                raise self._broken("a comma or the end of a list is missing")
        self._at += 1

    def skip(self) -> bytes | None:
        """Go past the value that comes next; return it if it is short.

        Raises:
            ValueError: It does not end.
        """
        kept = b""
        depth = 0
        if self._peek() not in (b"{", b"["):
            return self._scalar()
        while True:
            part = self._data[self._at :]
            places, depths = _brackets(part, depth)
            closing = np.flatnonzero(depths == 0)
            stop = int(places[closing[0]]) + 1 if closing.size else _outside(part)
            if len(kept) <= _LONGEST_KEPT:
                kept += part[:stop]
            self._at += stop
            if closing.size:
                return kept if len(kept) <= _LONGEST_KEPT else None
            depth = int(depths[-1]) if depths.size else depth
            if not self._grow():
                raise self._broken("the file ends within a value")

    def check_end(self) -> None:
        """Raise if anything follows the object.

        Raises:
            ValueError: So it is.
        """
        if self._peek():
            raise self._broken("there is more after the end of the object")

    def _guess(self, check: Callable[[bytes], int | None]) -> Piece | None:
        """Return the records up to the last end of one in sight, if `check` takes them."""
        start, limit = self._at, min(self._at + PIECE, len(self._data))
        at_end = self._done and limit == len(self._data)
        stop = limit if at_end else _last_cut(self._data, start, limit)
        end = check(self._as_list(stop))
        if end is not None and end > 0:
            stop = start + end - 1  # it counts the bracket that was put before
            end = check(self._as_list(stop))
        space = _SPACE.match(self._data, start, stop)
        if end is not None or (space and space.end() == stop):
            self._cut_at = stop - start
            return None
        self._at = stop
        return Piece(b"", self._start + start)

    def _as_list(self, stop: int) -> bytes:
        """Return the records up to a place as a list, with as little copying as can be."""
        return b"".join((b"[", memoryview(self._data)[self._at : stop], b"]"))

    def _counted(self) -> Piece:
        """Return the records whose brackets all close within what is in memory."""
        size = PIECE * 2
        while True:
            self._more(size)
            text = self._data[self._at : self._at + size]
            places, depths = _brackets(text, 0)
            closing = np.flatnonzero(depths < 0)
            inner = depths[: closing[0]] if closing.size else depths
            ends = places[: len(inner)][inner == 0] + 1
            if ends.size or closing.size:
                break
            if size > _LONGEST_RECORD or len(text) < size:
                raise self._broken("a list does not end")
            size *= 2
        # Where a cut was wrong, others would be, too.
        self._counts |= not closing.size and self._cut_at not in ends
        return self._cut(text, ends, int(places[closing[0]]) if closing.size else None)

    def _cut(self, text: bytes, ends: npt.NDArray[np.int64], closing: int | None) -> Piece:
        offset = self._start + self._at
        stop = int(ends[-1]) if ends.size else 0
        odd = b"" if closing is None else text[stop:closing].strip(b" \t\r\n")
        if odd == b",":
            raise self._broken("there is a comma after the end of a list")
        if odd and closing is not None:
            # Something without brackets of its own, which is no record.
            stop = closing
            ends = np.append(ends, stop)
        elif not ends.size:
            raise self._broken("a list holds something odd")
        self._at += stop
        return Piece(text[:stop], offset, [int(end) for end in ends])

    def _name(self) -> str:
        match = _KEY.match(self._data, self._at)
        while match is None:
            if len(self._data) - self._at > _LONGEST_KEPT or not self._grow():
                raise self._broken("the name of a member is missing")
            match = _KEY.match(self._data, self._at)
        self._at = match.end()
        return match[1].decode("utf-8", "replace")

    def _scalar(self) -> bytes | None:
        while True:
            match = _SCALAR.match(self._data, self._at)
            more = (not match or match.end() == len(self._data)) and self._grow()
            if match and not more:
                self._at = match.end()
                return match[0] if len(match[0]) <= _LONGEST_KEPT else None
            if not more or len(self._data) > _LONGEST_RECORD:
                raise self._broken("a value is missing")

    def _expect(self, wanted: bytes, message: str) -> None:
        if self._peek() != wanted:
            raise self._broken(message)
        self._at += 1
        self._peek()

    def _peek(self) -> bytes:
        """Return the next byte that is no space, and go there; empty at the end of the file."""
        while True:
            match = _SPACE.match(self._data, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._data) or not self._more(1):
                return self._data[self._at : self._at + 1]

    def _more(self, size: int) -> bool:
        """Have at least `size` bytes from here on in memory, and return whether there are."""
        missing = size - (len(self._data) - self._at)
        if missing > 0 and not self._done:
            wanted = max(missing, PIECE)
            read = self._file.read(wanted)
            self._done = len(read) < wanted
            self._start += self._at
            self._data = self._data[self._at :] + read
            self._at = 0
        return len(self._data) - self._at >= size

    def _grow(self) -> bool:
        """Have twice as much in memory, and return whether there was more."""
        size = len(self._data) - self._at
        self._more(size + max(size, PIECE))
        return len(self._data) - self._at > size

    def _broken(self, message: str) -> BrokenJsonError:
        near = self._data[self._at : self._at + 30].decode("utf-8", "replace")
        place = f", near {near!r}" if near else ", at the end"
        return BrokenJsonError(message + place, self._start + self._at)


def _last_cut(data: bytes, start: int, stop: int) -> int:
    """Return where the last record ends that another one seems to follow; `start` if none does."""
    for tail in (*_TAILS, stop - start):
        cuts = [
            match.start() + 1 for match in _BETWEEN.finditer(data, max(start, stop - tail), stop)
        ]
        if cuts:
            return cuts[-1]
    return start


def _brackets(text: bytes, depth: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where brackets are that stand outside of texts, and the depth after each.

    Args:
        text: Starts outside of a text.
        depth: The depth at its start.
    """
    plain = _ESCAPED.sub(b"__", text) if b"\\" in text else text
    codes = np.frombuffer(plain, np.uint8)
    places = np.flatnonzero(_DEPTH[codes])
    quotes = np.flatnonzero(codes == ord('"'))
    places = places[(np.searchsorted(quotes, places) & 1) == 0]
    return places, depth + np.cumsum(_DEPTH[codes[places]], dtype=np.int64)


def _outside(text: bytes) -> int:
    """Return where a text can be cut, so that the rest starts outside of quotes."""
    plain = _ESCAPED.sub(b"__", text) if b"\\" in text else text
    return len(text) if plain.count(b'"') % 2 == 0 else plain.rindex(b'"')
