"""Arrays in chunk files: a cell refers to one as ``<url of the file>:<offset>-<length>``.

The bytes are those of the array, little-endian and flat. A file holds the arrays of one cell;
those of a large cell go to several files. Any url will do whose adapter can read it, so that data
can stay in files of other programs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import DEFAULT_BULK_DATA_CHUNK_SIZE_MB
from tlc.errors import CorruptObjectError, SchemaError
from tlc.sample_types.base import EncodedSample, written
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.sample_types.base import ExternalizationContext

EXTENSION = ".raw"

_PART = re.compile(r"(?s)(.+):(\d+)-(\d+)")


class ChunkWriter:
    """Writes arrays of one cell into chunk files.

    Args:
        context: Says where files go.
    """

    def __init__(self, context: ExternalizationContext) -> None:
        self._context = context
        self._waiting: list[tuple[dict[str, Any], str, bytes]] = []
        self._size = 0

    def put(self, holder: dict[str, Any], name: str) -> None:
        """Put a reference in place of the array ``holder[name]``, by `finish` at the latest."""
        array = holder[name]
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        if self._size and self._size + len(data) > DEFAULT_BULK_DATA_CHUNK_SIZE_MB << 20:
            self.finish()
        self._waiting.append((holder, name, data))
        self._size += len(data)

    def finish(self) -> None:
        """Write what is left."""
        if not self._waiting:
            return
        content = b"".join(data for _, _, data in self._waiting)
        url, offset = written(EncodedSample(content, EXTENSION), self._context), 0
        for holder, name, data in self._waiting:
            holder[name] = f"{url}:{offset}-{len(data)}"
            offset += len(data)
        self._waiting, self._size = [], 0


def read_part(reference: str, dtype: str) -> npt.NDArray[Any]:
    """Return the array that a reference leads to, flat.

    Args:
        reference: Url of a file, with ``:offset-length`` for a part of it.
        dtype: Type of the numbers, such as ``"float32"``.

    Raises:
        UrlNotFoundError: There is no such file.
        CorruptObjectError: It ends before that part, or the part is no whole number of items.
    """
    match = _PART.fullmatch(reference)
    if match is None:
        data = Url(reference).to_absolute().read_bytes()
    else:
        url, offset, length = Url(match[1]).to_absolute(), int(match[2]), int(match[3])
        data = UrlAdapterRegistry.read_range(url, offset, length)
        if len(data) != length:
            raise CorruptObjectError(
                f"The file {url} has {len(data)} bytes from {offset} on, where a cell refers to "
                f"{length}.",
                hint="Restore the file from a copy.",
            )
    kind = np.dtype(dtype).newbyteorder("<")
    if len(data) % kind.itemsize:
        raise CorruptObjectError(f"{reference} is no whole number of {dtype}.")
    return np.frombuffer(data, kind).astype(dtype)


def check_reference(reference: str) -> str:
    """Return a reference as rows hold it.

    Raises:
        SchemaError: It is not absolute.
    """
    if not Url(reference).is_absolute:
        raise SchemaError(
            f"The reference {reference!r} is relative.",
            hint="Give an absolute url, with ':offset-length' for a part of the file.",
        )
    return reference
