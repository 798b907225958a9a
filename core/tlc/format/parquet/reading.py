"""Parquet files of objects: what they are made of, and their columns as Arrow arrays."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from tlc.errors import CorruptObjectError, TlcError, UrlNotFoundError
from tlc.format.dictionaries import plain_cells
from tlc.format.manifest import FileEntry, digest
from tlc.format.parquet.decoding import decode_group, reader, spans
from tlc.format.parquet.footer import FILE_NAME, SEAL_LENGTH, seal
from tlc.format.parquet.footer_check import check_footer
from tlc.format.parquet.limits import LimitExceededError, leaves_by_column
from tlc.format.parquet.source import Source, opened
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.references import follow
from tlc.url.refusals import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    import pyarrow.parquet as pq

EMBEDDED_SCHEMA = b"tlc.rows_schema"
_HINT = "restore the file from a copy; other tables are not affected."
_LIMIT_HINT = (
    "if you know where the file comes from, allow more with TLC_MAX_DECODED_BYTES; it may have "
    "been made to fill the memory of whoever reads it."
)
_LONGEST_FOOTER = 1 << 28


class DataFile:
    """A Parquet file of an object, decoded one row group at a time.

    It is opened for each read and keeps only its footer in between. Threads may share it.

    Args:
        url: The file.
        entry: What the manifest says of it; None if there is none yet, and the file must tell by
            itself whether it is whole and in its place.
    """

    def __init__(self, url: Url, entry: FileEntry | None = None) -> None:
        self.url = url
        self._entry = entry
        self._footer: pq.FileMetaData | None = None

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer.

        Raises:
            CorruptObjectError: The file is missing or damaged.
        """
        if self._footer is None:
            with self._open():
                pass
        return self._footer

    def group_rows(self) -> list[int]:
        """Return how many rows each row group has.

        Raises:
            CorruptObjectError: The file is missing or damaged.
        """
        metadata = self.metadata
        return [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]

    def read(self, group: int, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Decode some columns of a row group; texts that repeat may be codes of a dictionary.

        Raises:
            CorruptObjectError: The file is missing or damaged, lacks a column, or would decode to
                more than `Configuration.max_decoded_bytes`.
        """
        return self.read_groups([group], columns)[0]

    def read_groups(
        self, groups: Iterable[int] | None, columns: Sequence[str]
    ) -> list[dict[str, pa.Array]]:
        """Decode some columns of several row groups, or of all if `groups` is None.

        Raises:
            CorruptObjectError: See `read`.
        """
        with self._open() as source:
            metadata, leaves = self.metadata, self._leaves
            missing = [name for name in columns if name not in leaves]
            if missing:
                raise self._damaged(f"it has no column {missing[0]!r}")
            wanted = {name: leaves[name] for name in columns}
            numbers = range(metadata.num_row_groups) if groups is None else list(groups)
            if source.is_remote:
                places = (spans(metadata, number, wanted.values()) for number in numbers)
                source.prefetch(chain.from_iterable(places))
            return [decode_group(source, metadata, number, wanted) for number in numbers]

    @cached_property
    def _leaves(self) -> dict[str, list[tuple[int, str]]]:
        return leaves_by_column(self.metadata)

    @contextmanager
    def _open(self) -> Iterator[Source]:
        import pyarrow as pa

        # A store need not be asked how long a file is if the digest of its end is known.
        entry = self._entry
        known = entry.length if entry is not None and entry.footer else None
        try:
            with opened(self.url, known) as source:
                if self._footer is None or source.size != self._length:
                    self._footer = self._read_footer(source)
                yield source
        except TlcError as error:
            if isinstance(error, UrlNotFoundError):
                raise self._damaged("it is missing") from error
            raise
        except FileNotFoundError as error:
            raise self._damaged("it is missing") from error
        except LimitExceededError as error:
            raise self._damaged(str(error), hint=_LIMIT_HINT) from error
        except MemoryError as error:
            reason = "it decodes to more than there is memory"
            raise self._damaged(reason, hint=_LIMIT_HINT) from error
        except OSError as error:
            if error.errno is not None:
                raise storage_error(error, self.url) from error
            raise self._damaged(str(error)) from error
        except (pa.ArrowException, ValueError, LookupError, OverflowError, RecursionError) as error:
            raise self._damaged(str(error)) from error

    @property
    def _length(self) -> int | None:
        return self._entry.length if self._entry is not None else None

    def _read_footer(self, source: Source) -> pq.FileMetaData:
        entry = self._entry
        if entry is not None and source.size != entry.length:
            raise self._damaged(f"it has {source.size} bytes instead of {entry.length}")
        end = source.read_at(8, max(0, source.size - 8))
        length = int.from_bytes(end[:4], "little") + 8
        if end[4:] != b"PAR1" or not 8 < length <= min(source.size, _LONGEST_FOOTER):
            raise self._damaged("it does not end as a Parquet file does")
        footer = source.read_at(length, source.size - length)
        if entry is not None and entry.footer not in ("", digest(footer)):
            raise self._damaged("the digest of its footer is another one")
        metadata = reader(source).metadata
        check_footer(footer, metadata)
        groups = range(metadata.num_row_groups)
        if metadata.num_rows != sum(metadata.row_group(number).num_rows for number in groups):
            raise self._damaged("its row groups are more or less than the whole")
        if entry is not None and metadata.num_rows != entry.rows:
            raise self._damaged(f"it has {metadata.num_rows} rows instead of {entry.rows}")
        if entry is None:
            self._check_seal(source, footer, metadata)
        return metadata

    def _check_seal(self, source: Source, footer: bytes, metadata: pq.FileMetaData) -> None:
        if source.read_at(SEAL_LENGTH, source.size - len(footer) - SEAL_LENGTH) != seal(footer):
            raise self._damaged("the checksum of its footer does not fit")
        name = (metadata.metadata or {}).get(FILE_NAME, b"").decode(errors="replace")
        if name != self.url.name:
            raise self._damaged(f"it is {name!r}, which lies in another file's place")

    def _damaged(self, reason: str, *, hint: str = _HINT) -> CorruptObjectError:
        return CorruptObjectError(f"The data file {self.url} is damaged: {reason}.", hint=hint)


def data_file(folder: Url, entry: FileEntry) -> DataFile:
    """Return the file that the manifest in `folder` calls `entry`.

    Raises:
        CorruptObjectError: It lies on another web server.
    """
    return DataFile(follow(entry.path, folder), entry)


def read_column(folder: Url, entry: FileEntry, column: str) -> pa.ChunkedArray:
    """Read one column of the file that `entry` names.

    Raises:
        CorruptObjectError: The file is missing, has another length, or its pages are damaged.
    """
    import pyarrow as pa

    file = data_file(folder, entry)
    groups = range(len(file.group_rows()))
    parts = [plain_cells(file.read(group, [column])[column]) for group in groups]
    # A file without row groups still says which type its columns have.
    type_ = None if parts else file.metadata.schema.to_arrow_schema().field(column).type
    return pa.chunked_array(parts, type_)


def read_metadata(folder: Url, entry: FileEntry) -> dict[bytes, bytes]:
    """Return the words that the writer left in the file beside the columns.

    Raises:
        CorruptObjectError: The file is missing or damaged.
    """
    return dict(data_file(folder, entry).metadata.metadata or {})


def describe(folder: Url, path: str) -> FileEntry:
    """Return what a manifest would say of a file, but for its digest, which nobody has noted.

    Raises:
        CorruptObjectError: The file is missing or damaged.
    """
    url = folder / path
    rows = DataFile(url).metadata.num_rows
    length = UrlAdapterRegistry.get_file_size(url)
    return FileEntry(path=path, length=length, digest="", rows=rows)
