"""Parquet files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, ClassVar

from tlc.errors import OptionError
from tlc.export.exporter import Exporter
from tlc.export.output import write_file
from tlc.export.rows import exported_parts
from tlc.format.parquet.rows_schema import with_rows_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from tlc.table import Table
    from tlc.url import Url


class ParquetExporter(Exporter):
    """Writes all columns with their types, and the table's schema in the metadata."""

    supported_format = "parquet"
    file_extensions: ClassVar[frozenset[str]] = frozenset({".parquet"})
    priority = 1

    def _do_export(
        self,
        table: Table,
        output_url: Url,
        weight_threshold: float,
        compression: str = "zstd",
        **_: Any,
    ) -> None:
        """Write a Parquet file.

        Args:
            table: The table.
            output_url: The file.
            weight_threshold: Rows whose weight is below it are left out.
            compression: "none", "snappy", "gzip", "brotli", "lz4" or "zstd".
        """
        if compression not in _COMPRESSIONS:
            raise OptionError(
                f"There is no compression {compression!r} of Parquet files.",
                hint=f"there are {', '.join(_COMPRESSIONS)}.",
            )
        parts = exported_parts(table, weight_threshold, as_stored=True)
        write_file(output_url, _pieces(parts, with_rows_schema(table.rows_schema), compression))


_COMPRESSIONS = ("none", "snappy", "gzip", "brotli", "lz4", "zstd")


def _pieces(
    parts: Iterator[pa.RecordBatch], schema: pa.Schema, compression: str
) -> Iterator[bytes]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), schema, compression=compression) as writer:
        for part in parts:
            writer.write_batch(part.cast(schema))
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """Keeps what is written until somebody takes it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
