"""Columns of Parquet files to Arrow."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tlc.errors import CorruptObjectError, UrlNotFoundError
from tlc.format.manifest import FileEntry, digest
from tlc.format.parquet.footer import footer
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    import pyarrow.parquet as pq

EMBEDDED_SCHEMA = b"tlc.rows_schema"


def read_column(folder: Url, entry: FileEntry, column: str) -> pa.ChunkedArray:
    """Read one column of the file that `entry` names.

    Raises:
        CorruptObjectError: The file is missing, has another length, or its pages are damaged.
    """
    url = Url(entry.path).to_absolute(folder)
    with _opened(url, entry) as file:
        cells = file.read(columns=[column]).column(column)
    if len(cells) != entry.rows:
        raise _damaged(url, f"column {column!r} has {len(cells)} rows instead of {entry.rows}")
    return cells


def read_metadata(folder: Url, entry: FileEntry) -> dict[bytes, bytes]:
    """Return the words that the writer left in the file beside the columns.

    Raises:
        CorruptObjectError: The file is missing or damaged.
    """
    with _opened(Url(entry.path).to_absolute(folder), entry) as file:
        return dict(file.schema_arrow.metadata or {})


def describe(folder: Url, path: str) -> FileEntry:
    """Return what a manifest would say of a file, but for its digest, which nobody has noted.

    Raises:
        CorruptObjectError: The file is missing or damaged.
    """
    url = folder / path
    with _opened(url, None) as file:
        rows = file.metadata.num_rows
    length = UrlAdapterRegistry.get_file_size(url)
    return FileEntry(path=path, length=length, digest="", rows=rows)


@contextmanager
def _opened(url: Url, entry: FileEntry | None) -> Iterator[pq.ParquetFile]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        adapter, url = UrlAdapterRegistry.resolve(url)
        path = adapter.local_path(url)
        source = pa.memory_map(str(path)) if path else pa.BufferReader(url.read_bytes())
        if entry is not None and source.size() != entry.length:
            raise _damaged(url, f"it has {source.size()} bytes instead of {entry.length}")
        if entry is not None and entry.footer not in ("", digest(footer(source.read_buffer()))):
            raise _damaged(url, "the digest of its footer is another one")
        yield pq.ParquetFile(source, page_checksum_verification=True)
    except (FileNotFoundError, UrlNotFoundError) as error:
        raise _damaged(url, "it is missing") from error
    except (pa.ArrowException, OSError) as error:
        raise _damaged(url, str(error)) from error


def _damaged(url: Url, reason: str) -> CorruptObjectError:
    return CorruptObjectError(
        f"The data file {url} is damaged: {reason}.",
        hint="restore the file from a copy; other tables are not affected.",
    )
