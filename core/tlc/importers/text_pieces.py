"""Files of text in pieces that end where a record does, so that files may be larger than memory."""

from __future__ import annotations

import codecs
import hashlib
import re
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from tlc.importers.text_file import MARK, UTF8, check_start, known_encoding, not_encoded, refused
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt

    from tlc.url import Url

PIECE = 1 << 23
"""Bytes that are read at a time."""

LONGEST = 1 << 28
"""Bytes that one record may have."""


class Piece(NamedTuple):
    """Whole records, as UTF-8, with how many lines and bytes of the file come before them."""

    data: bytes
    line: int
    start: int


class TextPieces:
    """The pieces of a file, which is read anew each time that they are asked for.

    Args:
        file: The file.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        end: Tells where the last whole record of some text ends; 0 if none does.
        hint: What to do about another encoding, if it cannot be passed.

    Attributes:
        length: Bytes of the file, known when all pieces were read once.
        digest: Their digest, likewise.
    """

    def __init__(
        self, file: Url, encoding: str | None, end: Callable[[bytes], int], *, hint: str = ""
    ) -> None:
        self.file = file
        self._hint = hint
        self.length = 0
        self.digest = ""
        self._encoding = encoding
        self._end = end

    def __iter__(self) -> Iterator[Piece]:
        """Read the file.

        Raises:
            UrlNotFoundError: There is no such file.
            AnnotationFileError: It is no text of its encoding, it has a record that is too long, or
                it is not what it was when it was read before.
            OptionError: There is no such encoding.
        """
        line = start = 0
        waiting = b""
        for text, is_last in self._texts():
            waiting += text
            stop = len(waiting) if is_last else self._end(waiting)
            if not stop and len(waiting) > LONGEST:
                message = f"a record has more than {LONGEST >> 20} MiB"
                raise refused(
                    *("TOO_LONG", self.file, f"line {line + 1}", message),
                    hint="are there quotes that never end?",
                )
            if stop or is_last:
                piece = Piece(waiting[:stop], line, start)
                waiting = waiting[stop:]
                self._check(piece)
                yield piece
                line += lines_in(piece.data)
                start += stop

    def _texts(self) -> Iterator[tuple[bytes, bool]]:
        """Yield the text bit by bit, each with whether it is the last."""
        digest, length = hashlib.sha256(), 0
        with closing(UrlAdapterRegistry.open_binary(self.file)) as file:
            part = file.read(PIECE)
            check_start(part, self.file, self._encoding, self._hint)
            recoded = _Recoder(known_encoding(self._encoding or UTF8), self.file)
            following = part
            while True:
                part = following
                digest.update(part)
                following = file.read(PIECE) if part else b""
                text = recoded(part, is_last=not following)
                yield (text if length else text.removeprefix(MARK)), not following
                length += len(part)
                if not following:
                    break
        found = f"sha256:{digest.hexdigest()}"
        if self.digest not in ("", found):
            raise refused("FILE_CHANGED", self.file, "", "it has changed while it was read")
        self.length, self.digest = length, found

    def _check(self, piece: Piece) -> None:
        if not piece.data.isascii():
            try:
                piece.data.decode()
            except UnicodeDecodeError as error:
                raise not_encoded(
                    error, UTF8, self.file, piece.line, piece.start, self._hint
                ) from error


class _Recoder:
    """Makes UTF-8 of text in another encoding."""

    def __init__(self, encoding: str, file: Url) -> None:
        self._encoding = encoding
        self._file = file
        is_utf8 = encoding in (UTF8, "utf-8-sig")
        self._decoder = None if is_utf8 else codecs.getincrementaldecoder(encoding)()
        self._done = self._lines = 0

    def __call__(self, part: bytes, *, is_last: bool) -> bytes:
        if self._decoder is None:
            return part
        held = len(self._decoder.getstate()[0])
        try:
            text = self._decoder.decode(part, is_last)
        except UnicodeDecodeError as error:
            start = self._done - held
            raise not_encoded(error, self._encoding, self._file, self._lines, start) from error
        self._done += len(part)
        self._lines += part.count(b"\n")
        return text.encode(errors="surrogatepass")


def lines_in(data: bytes) -> int:
    """Return how many lines end in some text."""
    return data.count(b"\n") or data.count(b"\r")


def last_line_end(data: bytes) -> int:
    """Return where the last whole line ends; 0 if none does."""
    return data.rfind(b"\n") + 1


class CsvRecords:
    """Tells where records of CSV end, which may have new lines in quotes.

    Args:
        delimiter: What separates cells.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        before = rb"(?:\A|[\r\n%s])" % re.escape(self._delimiter)
        self._quoted = re.compile(before + rb'"[^"]*(?:""[^"]*)*(?:"|\Z)')

    def last_end(self, data: bytes) -> int:
        """Return where the last whole record ends; 0 if none does."""
        # Files with a line end of Macs of old have no other; the other half of \r\n may follow.
        new_line, stop = (b"\n", len(data)) if b"\n" in data else (b"\r", len(data) - 1)
        quotes = self._plain_quotes(data)
        if quotes is None:
            parts = ((first, min(last, stop)) for first, last in self._unquoted(data))
            return max(data.rfind(new_line, *part) for part in parts) + 1
        at = data.rfind(new_line, 0, stop)
        while at >= 0 and (before := int(quotes.searchsorted(at))) % 2:
            at = data.rfind(new_line, 0, int(quotes[before - 1]))
        return at + 1

    def header_end(self, data: bytes) -> int:
        """Return where the first record ends that is no blank line."""
        blank = len(data) - len(data.lstrip(b"\r\n"))
        new_line = b"\n" if b"\n" in data else b"\r"
        for first, last in self._unquoted(data):
            at = data.find(new_line, max(first, blank), last)
            if at >= 0:
                return at + 1
        return len(data)

    def _plain_quotes(self, data: bytes) -> npt.NDArray[np.int64] | None:
        """Return where quotes are; None if some of them are within cells, and mean nothing."""
        import numpy as np

        text = np.frombuffer(data, np.uint8)
        quotes = np.flatnonzero(text == ord('"'))
        opening = quotes[::2]
        # After another quote it is the second half of one that stands for itself.
        before = text[opening[opening > 0] - 1]
        is_plain = np.isin(before, np.frombuffer(b'\r\n"' + self._delimiter, np.uint8)).all()
        return quotes if is_plain else None

    def _unquoted(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield the parts of some text that are not in quotes."""
        start = 0
        if b'"' in data:
            for match in self._quoted.finditer(data):
                yield start, match.start() + 1
                start = match.end()
        yield start, len(data)
