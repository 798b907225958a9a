"""Where the bytes of a Parquet file come from: the local disk, or any other store."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc.url import Url, UrlAdapterRegistry
from tlc.url.ranges import RangeFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

_GAP = 64 * 1024
"""Parts of a remote file that lie closer together than this are fetched as one."""

_TAIL = 64 * 1024
"""Bytes at the end of a remote file that are fetched at first: most footers are shorter."""

Span = tuple[int, int]
"""Two offsets in a file: of the first byte, and of the one after the last."""


class Source:
    """A file that is open for Arrow.

    Attributes:
        file: What Arrow reads.
        size: Length of the file.
        readers: What has been made to decode it, by the columns that are kept as codes.
    """

    def __init__(self, file: pa.NativeFile, size: int, parts: _RemoteParts | None) -> None:
        self.file = file
        self.size = size
        self.readers: dict[tuple[str, ...], Any] = {}
        self._parts = parts

    @property
    def is_remote(self) -> bool:
        """Whether parts of it have to be fetched."""
        return self._parts is not None

    def read_at(self, length: int, offset: int) -> bytes:
        """Return some bytes from an offset on; fewer at the end of the file."""
        if self._parts is None:
            return self.file.read_at(length, offset)
        return self._parts.between(offset, offset + length)

    def prefetch(self, spans: Iterable[Span]) -> None:
        """Fetch the parts of a remote file that will be read, several at once."""
        if self._parts is not None:
            self._parts.prefetch(spans)


@contextmanager
def opened(url: Url, size: int | None) -> Iterator[Source]:
    """Open a file for Arrow.

    Args:
        url: The file.
        size: Its length if that is known, so that a store need not be asked for it.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It cannot be read.
    """
    import pyarrow as pa

    adapter, url = UrlAdapterRegistry.resolve(url)
    path = adapter.local_path(url)
    if path is not None:
        if not path.is_file():  # to open a pipe could take forever
            raise FileNotFoundError(str(path))
        # No memory map: when a file gets shorter or its disk fails, a map ends the process.
        with pa.OSFile(str(path)) as file:
            yield Source(file, file.size(), None)
        return
    size = adapter.get_file_size(url) if size is None else size
    parts = _RemoteParts(url, size)
    with pa.PythonFile(parts, mode="r") as file:
        yield Source(file, size, parts)


class _RemoteParts(RangeFile):
    """A remote file of which all parts stay that were fetched, until it is closed."""

    def __init__(self, url: Url, size: int) -> None:
        super().__init__(
            lambda start, stop: UrlAdapterRegistry.read_range(url, start, stop - start), size
        )
        self._parts: dict[Span, bytes] = {}

    def prefetch(self, spans: Iterable[Span]) -> None:
        """Fetch parts, those that lie close together in one request."""
        from tlc.url.parallel import in_parallel

        wanted = [span for span in _joined(spans) if self._holder(*span) is None]
        contents = in_parallel(lambda span: self._fetch(*span), wanted)
        self._parts |= zip(wanted, contents, strict=True)

    def between(self, start: int, stop: int) -> bytes:
        stop = min(stop, self._size)
        if start >= stop:
            return b""
        if self._holder(start, stop) is None:
            self.prefetch(
                [(min(start, max(0, self._size - _TAIL)), stop)]
                if stop == self._size
                else [(start, stop)]
            )
        first, content = self._holder(start, stop) or (start, b"")
        return content[start - first : stop - first]

    def _holder(self, start: int, stop: int) -> tuple[int, bytes] | None:
        for (first, last), content in self._parts.items():
            if first <= start and stop <= last:
                return first, content
        return None


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] <= _GAP:
            joined[-1] = joined[-1][0], max(stop, joined[-1][1])
        else:
            joined.append((start, stop))
    return joined
