"""The end of a Parquet file, which describes it and has no checksum of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def footer(data: bytes | pa.Buffer) -> memoryview:
    """Return the end of a Parquet file that describes it: its length and a mark stand last."""
    view = memoryview(data)
    length = int.from_bytes(view[-8:-4], "little")
    return view[-8 - length :]
