"""Tables on their way to files: in order, and kept until they are there."""

from __future__ import annotations

import threading
import time
import warnings
from collections import deque
from typing import TYPE_CHECKING

from tlc.errors import StorageError, StorageFullError, StorageFullWarning, TlcWarning
from tlc.format import parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.format.encode import ColumnEncoder
    from tlc.format.manifest import FileEntry
    from tlc.format.waiting import Waiting
    from tlc.url import Url

KEPT_BYTES = 64 << 20
"""How much waits at most for a disk that is full; then no more is taken."""

RETRY_SECONDS = 1.0


class Segments:
    """Writes tables to files of their own. Any thread may call it.

    Args:
        folder: The files lie below it.
        path: Maps the number of a file to its path below the folder.
    """

    def __init__(self, folder: Url, path: Callable[[int], str]) -> None:
        self.folder = folder
        self.files: list[FileEntry] = []
        self._spare: Waiting | None = None
        self._path = path
        self._queue: deque[tuple[pa.Table, Waiting | None]] = deque()
        self._queued_bytes = 0
        self._lock = threading.RLock()
        self._writing = False
        self._retry_at = 0.0
        self._warned = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was put in so far."""
        return not self.files and not self._queue

    def check_room(self) -> None:
        """Make room for more rows if too many wait.

        Raises:
            StorageFullError: There is no space left on the disk either.
        """
        if self._queued_bytes >= KEPT_BYTES:
            self.write()

    def take_spare(self, encoders: Mapping[str, ColumnEncoder]) -> Waiting | None:
        """Return the memory of rows that are written, for further rows of these encoders."""
        spare, self._spare = self._spare, None
        return spare if spare is not None and spare.encoders is encoders else None

    def put(self, table: pa.Table, waiting: Waiting | None = None) -> None:
        """Take a table to be written.

        Args:
            table: The rows.
            waiting: Holds their memory, and is free again once they are written.
        """
        self._queue.append((table, waiting))
        self._queued_bytes += table.nbytes

    def write(self) -> None:
        """Write all tables.

        Raises:
            StorageFullError: There is no space left. Tables that are not written are kept.
        """
        with self._lock:
            if self._writing:  # a signal came while this very thread was writing
                return
            self._writing = True
            try:
                while self._queue:
                    self._write_first()
            finally:
                self._writing = False

    def write_if_due(self) -> None:
        """Write all tables; after a failure warn once, keep them, and try again each second."""
        if not self._queue or time.monotonic() < self._retry_at:
            return
        try:
            self.write()
        except StorageError as error:
            self._retry_at = time.monotonic() + RETRY_SECONDS
            if not self._warned:
                self._warned = True
                self._warn(error)

    def _warn(self, error: StorageError) -> None:
        warnings.warn(
            f"{self.folder}: rows wait in memory, and are tried again as more come in. {error}",
            StorageFullWarning if isinstance(error, StorageFullError) else TlcWarning,
            stacklevel=6,
        )

    def _write_first(self) -> None:
        table, waiting = self._queue[0]
        entry = parquet.write(self.folder, self._path(len(self.files)), table)
        self.files.append(entry)
        self._queue.popleft()
        self._queued_bytes -= table.nbytes
        self._warned = False
        del table
        if waiting is not None:
            waiting.clear()
            self._spare = waiting
