"""The bytes of a COCO file as UTF-8, wherever it is: read once, part by part."""

from __future__ import annotations

import codecs
import hashlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, Self

from tlc.errors import OptionError
from tlc.importers.text_file import MARK, UTF8, check_start, known_encoding
from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import BinaryIO

    from tlc.url import Url

_PART = 4 << 20
"""Bytes of a request for a part of a file that is not on this machine."""

_FIRST = 16
_MOST_UNHASHED = 4
"""So many parts may wait for their digest; each is held until then."""


class Bytes(Protocol):
    """What is needed of a file."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; fewer than asked for only at the end."""
        ...


class Ahead:
    """Reads a file that is elsewhere; fetches a part while the one before is used."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._threads = ThreadPoolExecutor(1)
        self._next = self._threads.submit(file.read, _PART)
        self._rest = b""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        while len(self._rest) < size and (part := self._next.result()):
            self._next = self._threads.submit(self._file.read, _PART)
            self._rest += part
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def close(self) -> None:
        """Let go of the file."""
        self._threads.shutdown(cancel_futures=True)
        self._file.close()


class Arriving:
    """Reads a file from its start to its end, and makes its digest beside that.

    Args:
        file: The file, which is closed with this one.

    Attributes:
        digest: Digest of the file; None until all of it was read.
        length: Bytes that were read.
    """

    def __init__(self, file: BinaryIO | Ahead) -> None:
        self.digest: str | None = None
        self.length = 0
        self._file = file
        self._hash = hashlib.sha256()
        self._threads = ThreadPoolExecutor(1)
        self._hashing: deque[Future[None]] = deque()

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        part = self._file.read(size)
        self.length += len(part)
        if part:
            self._hashing.append(self._threads.submit(self._hash.update, part))
        is_end = len(part) < size
        while self._hashing and (is_end or len(self._hashing) > _MOST_UNHASHED):
            self._hashing.popleft().result()
        if is_end:
            self.digest = f"sha256:{self._hash.hexdigest()}"
        return part

    def close(self) -> None:
        """Let go of the file."""
        self._threads.shutdown(cancel_futures=True)
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Recoded:
    """Reads text in any encoding as UTF-8, without a byte order mark.

    Raises:
        LookupError: The encoding is not one of text.
    """

    def __init__(self, file: Bytes, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        if not isinstance(self._decoder.decode(b""), str):
            raise LookupError(encoding)
        self._rest = b""
        self._is_start, self._is_end = True, False

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        while len(self._rest) < size and not self._is_end:
            part = self._file.read(size)
            self._is_end = len(part) < size
            text = self._decoder.decode(part, self._is_end)
            if self._is_start and text:
                text, self._is_start = text.removeprefix("\ufeff"), False
            self._rest += text.encode(errors="surrogatepass")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


class _Begun:
    """A file whose first bytes were read already."""

    def __init__(self, start: bytes, file: Bytes) -> None:
        self._start, self._file = start, file

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""
        if not self._start:
            return self._file.read(size)
        found, self._start = self._start[:size], self._start[size:]
        return found + self._file.read(size - len(found)) if len(found) < size else found


def arriving(url: Url) -> Arriving:
    """Return a file from wherever it is.

    Raises:
        UrlNotFoundError: There is none.
    """
    adapter, resolved = UrlAdapterRegistry.resolve(url)
    file = adapter.open_binary(resolved)
    return Arriving(Ahead(file) if adapter.local_path(resolved) is None else file)


def as_utf8(file: Bytes, encoding: str | None, url: Url) -> Bytes:
    """Return the text of a file as UTF-8, without byte order mark.

    Args:
        file: The file, at its start.
        encoding: Its encoding; None for UTF-8 that was not asked for.
        url: What to call it.

    Raises:
        AnnotationFileError: It is no text, or its start tells that it is not UTF-8.
        OptionError: There is no such encoding.
    """
    start = file.read(_FIRST)
    check_start(start, url, encoding)
    name = known_encoding(encoding or UTF8)
    if name in (UTF8, "utf-8-sig"):
        return _Begun(start.removeprefix(MARK), file)
    try:
        return Recoded(_Begun(start, file), name)
    except LookupError as error:
        raise OptionError(
            f"encoding is {encoding!r}, which is not one of text.",
            hint='it is a name such as "utf-16" or "cp1252".',
        ) from error
