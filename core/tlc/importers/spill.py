"""Batches of records, more than memory should hold: those that are too many wait in files."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_MEMORY = 64 << 20
"""Bytes of batches that stay in memory."""

LATER = 8 << 20
"""The same once there were more."""


class Spill:
    """Keeps batches in the order in which they come. They may differ in their columns.

    Args:
        folder: Path of a folder for its files, which the caller deletes.
        name: What their names start with.
        limit: Bytes of batches that stay in memory.

    Attributes:
        size: Bytes of all batches.
    """

    def __init__(self, folder: str, name: str, limit: int = IN_MEMORY) -> None:
        self.size = 0
        self._start, self._limit = os.path.join(folder, name), limit
        self._waiting: list[pa.RecordBatch] = []
        self._held = 0
        self._files = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch."""
        size = batch.nbytes
        self.size += size
        self._held += size
        self._waiting.append(batch)
        if self._held > self._limit:
            self._write()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for number in range(self._files):
            with pa.OSFile(self._path(number)) as file:
                yield from pa.ipc.open_stream(file)
        yield from self._waiting

    def taken(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches, and let go of each."""
        for number in range(self._files):
            with pa.OSFile(self._path(number)) as file:
                yield from pa.ipc.open_stream(file)
            os.remove(self._path(number))
        self._files = 0
        waiting, self._waiting = self._waiting[::-1], []
        while waiting:
            yield waiting.pop()

    def _write(self) -> None:
        for schema, batches in groupby(self._waiting, key=lambda batch: batch.schema):
            with (
                pa.OSFile(self._path(self._files), "wb") as file,
                pa.ipc.new_stream(file, schema) as stream,
            ):
                for batch in batches:
                    stream.write_batch(batch)
            self._files += 1
        self._waiting, self._held = [], 0
        # There will be more: what is left at the end need not take as much as all might have.
        self._limit = min(self._limit, LATER)

    def _path(self, number: int) -> str:
        return f"{self._start}-{number}.arrow"
