"""The end of a Parquet file, which describes it and has no checksum of its own."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


FILE_NAME = b"tlc.file"
SEAL_LENGTH = 8
_MARK = b"tlcF"


def seal(end: bytes | memoryview) -> bytes:
    """Return a checksum of a footer; it stands before it, where Parquet readers do not look."""
    return _MARK + zlib.crc32(end).to_bytes(4, "little")


def footer(data: bytes | pa.Buffer) -> memoryview:
    """Return the end of a Parquet file that describes it: its length and a mark stand last."""
    view = memoryview(data)
    length = int.from_bytes(view[-8:-4], "little")
    return view[-8 - length :]
