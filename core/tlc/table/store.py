"""The decoded part of a table: as little as is asked for, and no more than memory allows.

Rows are decoded in blocks, which are row groups as a rule. Blocks stay, until together they take
more than their share of memory. Then the columns are decoded into files, once, and mapped from
there; so they are in worker processes, of which each would hold what all others hold too.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from tlc.errors import ColumnError
from tlc.format.dictionaries import concatenated, is_coded_text, plain_cells
from tlc.format.memory import in_worker, memory_share, release_memory
from tlc.table.blocks import Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tlc.format.stack import StackReader

_WORTH_SHARING = 4 << 20
"""Bytes that a table has to take before worker processes share one copy."""


class BlockStore:
    """The blocks of a table. Threads may share it.

    Args:
        reader: Reads the columns.
    """

    def __init__(self, reader: StackReader) -> None:
        self._reader = reader
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._blocks: list[Block] = []
        self._bounds: list[int] = []
        self._step = 0
        self._loaded: list[Block] = []
        self._size = 0
        self._whole: dict[str, pa.Array] = {}
        self._tried_files = self._tried_join = False

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one thread at a time change blocks, or make readers of what is in them."""
        if self._process != os.getpid():
            # A thread that held the lock when this process was forked is not here.
            self._lock, self._process = threading.RLock(), os.getpid()
        with self._lock:
            yield

    def find(self, row: int) -> Block:
        """Return the block that a row lies in, with whatever columns it has so far.

        Raises:
            CorruptObjectError: The layers of the table contradict each other.
        """
        if self._step:
            return self._blocks[row // self._step]
        if not self._blocks:
            with self.locked():
                self._divide(self._reader.bounds())
        return self._blocks[bisect_right(self._bounds, row) - 1]

    def load(self, row: int, names: Sequence[str]) -> Block:
        """Return the block that a row lies in, with these columns.

        Raises:
            CorruptObjectError: A data file is damaged.
        """
        with self.locked():
            block = self.find(row)
            if not block.columns:
                self._make_room(names)
                block = self.find(row)
            missing = [name for name in names if name not in block.columns]
            if missing:
                self._add(block, missing)
            return block

    def single(self, names: Sequence[str]) -> Block | None:
        """Return one block with all rows and these columns; None if that would take long.

        It is there if there is but one block, or if all are loaded: then they are joined.

        Raises:
            CorruptObjectError: A data file is damaged.
        """
        if not self._blocks:
            self.find(0)
        if len(self._blocks) == 1:
            block = self._blocks[0]
            return block if block.columns.keys() >= set(names) else self.load(0, names)
        if len(self._loaded) < len(self._blocks) or self._tried_join:
            return None
        with self.locked():
            self._join()
            return self.single(names)

    def column(self, name: str) -> pa.Array:
        """Return all of a column.

        Raises:
            CorruptObjectError: A data file is damaged.
            ColumnError: It has more text, or items of lists, than an Arrow array can hold.
        """
        with self.locked():
            if name not in self._whole:
                pieces = self._pieces(name)
                if len(pieces) > 1:
                    raise ColumnError(
                        f"Column {name!r} is too large for one Arrow array.",
                        hint="read it in parts, with get_batch.",
                    )
                self._whole[name] = pieces[0]
                for block in self._blocks:
                    if name in block.columns and not is_coded_text(block.columns[name]):
                        block.put(name, pieces[0].slice(block.first, block.stop - block.first))
            return self._whole[name]

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield columns block by block, from the files, and keep nothing.

        Raises:
            CorruptObjectError: A data file is damaged.
        """
        for start, stop in pairwise(self._reader.bounds()):
            yield self._reader.read(names, start, stop)

    def _pieces(self, name: str) -> list[pa.Array]:
        """Return all of a column, from the blocks if they have it."""
        if self._blocks and all(name in block.columns for block in self._blocks):
            return _joined([plain_cells(block.columns[name]) for block in self._blocks])
        bounds, count = self._reader.bounds(), self._reader.row_count
        if len(bounds) < 3 or _fixed_size(self._reader.types[name]) * count <= memory_share():
            return [self._reader.read_column(name)]
        first = self._reader.read([name], 0, bounds[1])[name]
        estimate = first.nbytes * count // bounds[1]
        pieces = self._from_files([name], estimate) if estimate > memory_share() else None
        if pieces:
            return pieces[name]
        rest = pairwise(bounds[1:])
        return _joined([first, *(self._reader.read([name], *each)[name] for each in rest)])

    def _divide(self, bounds: list[int]) -> None:
        """Start anew with empty blocks."""
        sizes = {stop - start for start, stop in pairwise(bounds[:-1])}
        last = bounds[-1] - bounds[-2] if len(bounds) > 1 else 0
        step = bounds[1] - bounds[0] if len(bounds) > 1 else 0
        self._step = 0
        self._bounds = bounds
        self._blocks = [Block(start, stop) for start, stop in pairwise(bounds)]
        self._loaded, self._size = [], 0
        if sizes <= {step} and last <= step:
            self._step = step

    def _add(self, block: Block, names: Sequence[str]) -> None:
        known = {name: self._whole[name] for name in names if name in self._whole}
        others = [name for name in names if name not in known]
        columns = self._reader.read(others, block.first, block.stop, coded=True) if others else {}
        for name, cells in known.items():
            columns[name] = cells.slice(block.first, block.stop - block.first)
        if not block.columns:
            self._loaded.append(block)
        self._size += sum(columns[name].nbytes for name in others)
        for name in names:
            block.put(name, columns[name])

    def _make_room(self, names: Sequence[str]) -> None:
        """Get ready for one more block: use files if memory will not do, or drop the oldest."""
        if not self._loaded:
            pieces = self._from_files(names, None) if in_worker() else None
            if pieces:  # of another worker
                self._replace(pieces)
            return
        rows = sum(block.stop - block.first for block in self._loaded)
        estimate = self._size * self._reader.row_count // max(1, rows)
        share = memory_share()
        shared = in_worker() and estimate > _WORTH_SHARING
        if (shared or estimate > share) and not self._tried_files:
            self._tried_files = True
            pieces = self._from_files(names, estimate)
            if pieces:
                self._replace(pieces)
                release_memory()
                return
        each = self._size // len(self._loaded)
        while self._loaded and self._size + each > share:
            self._drop(self._loaded.pop(0))

    def _drop(self, block: Block) -> None:
        self._size -= sum(block.columns[name].nbytes for name in block.columns.keys() - self._whole)
        self._blocks[self._blocks.index(block)] = Block(block.first, block.stop)

    def _from_files(
        self, names: Sequence[str], estimate: int | None
    ) -> Mapping[str, list[pa.Array]] | None:
        from tlc.format.column_cache import cached_columns  # late: few processes need it

        return cached_columns(self._reader, names, estimate)

    def _join(self) -> None:
        """Make one block of all, which are loaded; or a few, if Arrow cannot hold all in one."""
        self._tried_join = True
        names = set.intersection(*(set(block.columns) for block in self._blocks))
        size = self._size
        pieces = {}
        for name in names:
            pieces[name] = _joined([block.columns[name] for block in self._blocks])
            for block in self._blocks:  # so that no two columns are there twice at a time
                block.drop(name)
        self._replace(pieces)
        self._loaded, self._size = list(self._blocks), size

    def _replace(self, pieces: Mapping[str, list[pa.Array]]) -> None:
        """Make blocks of the pieces of columns, as large as they can be."""
        ends = {0}
        for parts in pieces.values():
            total = 0
            for part in parts:
                total += len(part)
                ends.add(total)
        self._divide(sorted(ends))
        for name, parts in pieces.items():
            for block, cells in zip(self._blocks, _cut(parts, self._bounds), strict=True):
                block.put(name, cells)


def _fixed_size(type_: pa.DataType) -> int:
    """Return the bytes of each cell; very many if they differ from cell to cell."""
    try:
        return type_.bit_width // 8 + 1
    except ValueError:
        return 1 << 32


def _joined(parts: list[pa.Array]) -> list[pa.Array]:
    """Return arrays as one, or as few as can hold the cells."""
    import pyarrow as pa

    if len(parts) == 1:
        return parts
    try:
        return [concatenated(parts)]
    except pa.ArrowInvalid:  # more than 2 GiB of text
        half = len(parts) // 2
        return _joined(parts[:half]) + _joined(parts[half:])


def _cut(parts: list[pa.Array], bounds: list[int]) -> Iterator[pa.Array]:
    """Yield the cells between bounds, none of which lie in two of the parts."""
    first, number = 0, 0
    for start, stop in pairwise(bounds):
        while start >= first + len(parts[number]):
            first += len(parts[number])
            number += 1
        yield parts[number].slice(start - first, stop - start)
