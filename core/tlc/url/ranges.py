"""A file object over a store that fetches only the parts that are read."""

from __future__ import annotations

import io
from collections.abc import Callable

__all__ = ["RangeFile"]

READ_AHEAD = 128 * 1024
"""Least number of bytes of a request: smaller ones take as long."""

Fetch = Callable[[int, int], bytes]
"""Returns the bytes between two offsets."""


class RangeFile(io.RawIOBase):
    """Reads a file in parts. Keeps the part that was fetched last, and the beginning.

    Args:
        fetch: Returns the bytes between two offsets of the file.
        size: Length of the file.
        head: The first bytes, if they are known already.
    """

    def __init__(self, fetch: Fetch, size: int, head: bytes = b"") -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._head = head
        self._part, self._start = b"", 0
        self._offset = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._offset

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to an offset from the start, from here or from the end; return it from the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"There is nothing before the start of a file: {base + offset}.")
        self._offset = base + offset
        return self._offset

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, all of them if `size` is negative or None; fewer at the end."""
        start = self._offset
        stop = self._size if size is None or size < 0 else min(start + size, self._size)
        content = self.between(start, stop) if start < stop else b""
        self._offset += len(content)
        return content

    def readall(self) -> bytes:
        """Return all that follows."""
        return self.read()

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill a buffer; return how many bytes there were."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def between(self, start: int, stop: int) -> bytes:
        """Return the bytes between two offsets, both within the file."""
        if stop <= len(self._head):
            return self._head[start:stop]
        if not self._start <= start <= stop <= self._start + len(self._part):
            end = min(max(stop, start + READ_AHEAD), self._size)
            self._part, self._start = self._fetch(start, end), start
        return self._part[start - self._start : stop - self._start]
