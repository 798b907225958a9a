"""The bytes of a COCO file as UTF-8, wherever it is: read once, part by part, some parts ahead."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from tlc.errors import OptionError
from tlc.importers.text_file import MARK, UTF8, check_start, known_encoding
from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tlc.url import Url

HERE, ELSEWHERE = 1 << 20, 4 << 20
"""Bytes of a part: of a file on this machine, and of another, where each is a request."""

_FIRST = 16


class Bytes(Protocol):
    """What is needed of a file."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; fewer than asked for only at the end."""
        ...


class Arriving(io.RawIOBase):
    """Reads a file from its start to its end; fetches a part while the one before is used.

    Args:
        file: The file, which is closed with this one.
        part: Bytes of a part.

    Attributes:
        digest: Digest of the file; None until all of it was fetched.
        length: Bytes that were fetched.
    """

    def __init__(self, file: BinaryIO, part: int) -> None:
        super().__init__()
        self.digest: str | None = None
        self.length = 0
        self._file, self._size = file, part
        self._hash = hashlib.sha256()
        self._threads = ThreadPoolExecutor(1)
        self._next: Future[bytes] = self._threads.submit(self._fetch)
        self._part = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer as far as the part reaches; return how many bytes there were."""
        if not self._part and self.digest is None:
            self._part = memoryview(self._next.result())
            self._next = self._threads.submit(self._fetch)
        count = min(len(buffer), len(self._part))
        buffer[:count] = self._part[:count]
        self._part = self._part[count:]
        return count

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            self._threads.shutdown(cancel_futures=True)
            self._file.close()
        super().close()

    def _fetch(self) -> bytes:
        part = self._file.read(self._size)
        self._hash.update(part)
        self.length += len(part)
        if not part:
            self.digest = f"sha256:{self._hash.hexdigest()}"
        return part


class Recoded:
    """Reads text in any encoding as UTF-8, without a byte order mark."""

    def __init__(self, file: io.BufferedReader[Any], encoding: str) -> None:
        self._text = io.TextIOWrapper(file, encoding, newline="")
        self._is_start = True

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at least as many as asked for unless there are no more."""
        text = self._text.read(size + self._is_start)
        if self._is_start:
            text, self._is_start = text.removeprefix("\ufeff"), False
        return text.encode(errors="surrogatepass")


def arriving(url: Url) -> Arriving:
    """Return a file from wherever it is.

    Raises:
        UrlNotFoundError: There is none.
    """
    adapter, resolved = UrlAdapterRegistry.resolve(url)
    part = ELSEWHERE if adapter.local_path(resolved) is None else HERE
    return Arriving(adapter.open_binary(resolved), part)


def as_utf8(file: io.RawIOBase, encoding: str | None, url: Url) -> Bytes:
    """Return the text of a file as UTF-8, without byte order mark.

    Args:
        file: The file, at its start.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        url: What to call it.

    Raises:
        AnnotationFileError: It is no text, or its start tells that it is not UTF-8.
        OptionError: There is no such encoding.
    """
    buffered = io.BufferedReader(file)
    start = buffered.peek(_FIRST)[:_FIRST]
    check_start(start, url, encoding)
    name = known_encoding(encoding or UTF8)
    if name not in (UTF8, "utf-8-sig"):
        try:
            return Recoded(buffered, name)
        except LookupError as error:
            raise OptionError(
                f"encoding is {encoding!r}, which is not one of text.",
                hint='it is a name such as "utf-16" or "cp1252".',
            ) from error
    if start.startswith(MARK):
        buffered.read(len(MARK))
    return buffered
