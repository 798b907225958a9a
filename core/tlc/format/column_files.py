"""Arrow arrays in plain files, one for each buffer, to be mapped into memory by many processes.

The files hold nothing but the buffers; what they mean is told by the type of the column, which
whoever maps them knows. So the memory taken is that of the pages in use, and the system can take
it back at any time.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from tlc.format.plain import numbers_of, validity_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    import pyarrow as pa

_LARGEST_PIECE = 1 << 30
"""Bytes of texts and lists after which a new piece begins: Arrow counts them in 32 bits."""


class BufferFile(msgspec.Struct, frozen=True):
    """A file with one buffer.

    Attributes:
        name: Its name; empty for a buffer that is not there because all cells are valid.
        length: Its bytes.
        crc32: Their CRC-32.
    """

    name: str
    length: int = 0
    crc32: int = 0


class Piece(msgspec.Struct, frozen=True):
    """Some rows of a column.

    Attributes:
        rows: How many.
        buffers: Files of the buffers in Arrow's order: children after their parent.
    """

    rows: int
    buffers: tuple[BufferFile, ...]


class ColumnWriter:
    """Writes a column part by part; the memory it takes does not grow with it.

    Args:
        folder: Where the files go.
        stem: Start of their names.
        type_: Arrow type of the cells.
    """

    def __init__(self, folder: Path, stem: str, type_: pa.DataType) -> None:
        self._folder, self._stem, self._type = folder, stem, type_
        self._made = 0
        self._pieces: list[Piece] = []
        self._size = 0
        self._node = _node(type_, self._file)

    def append(self, cells: pa.Array) -> None:
        """Write the next rows.

        Raises:
            OSError: They cannot be written.
        """
        self._size += cells.nbytes
        if self._size > _LARGEST_PIECE and self._node.rows and _has_offsets(self._type):
            self._close_piece()
            self._size, self._node = cells.nbytes, _node(self._type, self._file)
        self._node.append(cells)

    def finish(self) -> list[Piece]:
        """Write the rest, and return what was written.

        Raises:
            OSError: It cannot be written.
        """
        self._close_piece()
        return self._pieces

    def _close_piece(self) -> None:
        self._pieces.append(Piece(self._node.rows, tuple(self._node.close())))

    def _file(self) -> _File:
        self._made += 1
        return _File(self._folder, f"{self._stem}-{self._made}")


def map_piece(folder: Path, piece: Piece, type_: pa.DataType) -> pa.Array:
    """Return the rows of a piece as an array in mapped memory.

    Raises:
        OSError: A file is missing or cannot be mapped.
        ValueError: A file is shorter than it should be, or there are too few.
    """
    return _mapped(folder, iter(piece.buffers), type_, piece.rows)


def checksum(folder: Path, buffer: BufferFile) -> int:
    """Return the CRC-32 of a file as it is now.

    Raises:
        OSError: It cannot be read.
    """
    crc = 0
    with (folder / buffer.name).open("rb") as file:
        while data := file.read(1 << 20):
            crc = zlib.crc32(data, crc)
    return crc


class _File:
    """A buffer that is being written."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name, self._length, self._crc = name, 0, 0
        self._file: BinaryIO = (folder / name).open("xb")
        self._bits: np.ndarray | None = None

    def write(self, values: np.ndarray | memoryview) -> None:
        if not len(values):
            return
        data = (values if isinstance(values, memoryview) else values.data).cast("B")
        self._file.write(data)
        self._length += len(data)
        self._crc = zlib.crc32(data, self._crc)

    def write_bits(self, values: np.ndarray) -> None:
        """Write booleans, eight to a byte; what does not fill a byte waits for the next."""
        import numpy as np

        bits = values if self._bits is None else np.concatenate([self._bits, values])
        full = len(bits) - len(bits) % 8
        self.write(np.packbits(bits[:full], bitorder="little"))
        self._bits = bits[full:]

    def close(self) -> BufferFile:
        import numpy as np

        if self._bits is not None and len(self._bits):
            self.write(np.packbits(self._bits, bitorder="little"))
        self._file.close()
        return BufferFile(self._name, self._length, self._crc)


class _Node(ABC):
    """A column, or a part of a nested one, that is being written."""

    def __init__(self, new_file: Callable[[], _File]) -> None:
        self._new_file = new_file
        self._valid: _File | None = None
        self.rows = 0

    def append(self, cells: pa.Array) -> None:
        import numpy as np

        valid = validity_of(cells)
        if valid is not None and self._valid is None:
            self._valid = self._new_file()
            self._valid.write_bits(np.ones(self.rows, bool))
        if self._valid is not None:
            self._valid.write_bits(np.ones(len(cells), bool) if valid is None else valid)
        self._add(cells)
        self.rows += len(cells)

    def close(self) -> Iterator[BufferFile]:
        yield BufferFile("") if self._valid is None else self._valid.close()
        yield from self._close()

    @abstractmethod
    def _add(self, cells: pa.Array) -> None:
        """Write the cells, but for which of them are null."""

    @abstractmethod
    def _close(self) -> Iterator[BufferFile]:
        """Write the rest; yield what `_add` has written."""


class _Numbers(_Node):
    def __init__(self, new_file: Callable[[], _File], type_: pa.DataType) -> None:
        super().__init__(new_file)
        self._values = new_file()

    def _add(self, cells: pa.Array) -> None:
        import pyarrow as pa

        write = self._values.write_bits if pa.types.is_boolean(cells.type) else self._values.write
        write(numbers_of(cells))

    def _close(self) -> Iterator[BufferFile]:
        yield self._values.close()


class _Texts(_Node):
    def __init__(self, new_file: Callable[[], _File], type_: pa.DataType) -> None:
        super().__init__(new_file)
        self._ends, self._bytes = _Ends(new_file()), new_file()

    def _add(self, cells: pa.Array) -> None:
        start, stop = self._ends.add(cells)
        self._bytes.write(memoryview(cells.buffers()[2] or b"")[start:stop])

    def _close(self) -> Iterator[BufferFile]:
        yield self._ends.close()
        yield self._bytes.close()


class _Lists(_Node):
    def __init__(self, new_file: Callable[[], _File], type_: pa.DataType) -> None:
        super().__init__(new_file)
        self._ends, self._items = _Ends(new_file()), _node(type_.value_type, new_file)

    def _add(self, cells: pa.Array) -> None:
        start, stop = self._ends.add(cells)
        self._items.append(cells.values.slice(start, stop - start))

    def _close(self) -> Iterator[BufferFile]:
        yield self._ends.close()
        yield from self._items.close()


class _FixedLists(_Node):
    def __init__(self, new_file: Callable[[], _File], type_: pa.DataType) -> None:
        super().__init__(new_file)
        self._items = _node(type_.value_type, new_file)

    def _add(self, cells: pa.Array) -> None:
        size = cells.type.list_size
        self._items.append(cells.values.slice(cells.offset * size, len(cells) * size))

    def _close(self) -> Iterator[BufferFile]:
        yield from self._items.close()


class _Structs(_Node):
    def __init__(self, new_file: Callable[[], _File], type_: pa.DataType) -> None:
        super().__init__(new_file)
        self._parts = [_node(part.type, new_file) for part in type_]

    def _add(self, cells: pa.Array) -> None:
        for number, part in enumerate(self._parts):
            part.append(cells.field(number))

    def _close(self) -> Iterator[BufferFile]:
        for part in self._parts:
            yield from part.close()


class _Ends:
    """Where texts or lists end, counted through all parts."""

    def __init__(self, file: _File) -> None:
        self._file = file
        self._last: int | None = None

    def add(self, cells: pa.Array) -> tuple[int, int]:
        """Write the ends of cells; return where their bytes or items start and stop."""
        import numpy as np

        if not len(cells):
            return 0, 0
        ends = np.frombuffer(cells.buffers()[1], np.int32)[cells.offset :][: len(cells) + 1]
        last = self._last or 0
        # The first number of all is where the first text starts.
        self._file.write(ends[self._last is not None :] + np.int32(last - int(ends[0])))
        self._last = last + int(ends[-1]) - int(ends[0])
        return int(ends[0]), int(ends[-1])

    def close(self) -> BufferFile:
        return self._file.close()


def _node(type_: pa.DataType, new_file: Callable[[], _File]) -> _Node:
    import pyarrow as pa

    types = pa.types
    if types.is_string(type_) or types.is_binary(type_):
        return _Texts(new_file, type_)
    if types.is_list(type_):
        return _Lists(new_file, type_)
    if types.is_fixed_size_list(type_):
        return _FixedLists(new_file, type_)
    return (_Structs if types.is_struct(type_) else _Numbers)(new_file, type_)


def _has_offsets(type_: pa.DataType) -> bool:
    import pyarrow as pa

    types = pa.types
    if types.is_fixed_size_list(type_):
        return _has_offsets(type_.value_type)
    if types.is_struct(type_):
        return any(_has_offsets(part.type) for part in type_)
    return bool(types.is_list(type_) or types.is_string(type_) or types.is_binary(type_))


def _mapped(folder: Path, files: Iterator[BufferFile], type_: pa.DataType, rows: int) -> pa.Array:
    import pyarrow as pa

    types = pa.types
    own = 3 if types.is_string(type_) or types.is_binary(type_) else 2
    if types.is_struct(type_) or types.is_fixed_size_list(type_):
        own = 1
    buffers = [_buffer(folder, file) for file in _next(files, own)]
    children: list[Any] = []
    if types.is_struct(type_):
        children = [_mapped(folder, files, part.type, rows) for part in type_]
    elif types.is_fixed_size_list(type_):
        children = [_mapped(folder, files, type_.value_type, rows * type_.list_size)]
    elif types.is_list(type_):
        items = _last_end(buffers[1])
        children = [_mapped(folder, files, type_.value_type, items)]
    return pa.Array.from_buffers(type_, rows, buffers, children=children)


def _next(files: Iterator[BufferFile], count: int) -> list[BufferFile]:
    found = [file for _, file in zip(range(count), files, strict=False)]
    if len(found) < count:
        raise ValueError("a buffer is missing")
    return found


def _last_end(ends: pa.Buffer | None) -> int:
    return int.from_bytes(memoryview(ends)[-4:], "little") if ends else 0


def _buffer(folder: Path, file: BufferFile) -> pa.Buffer | None:
    import pyarrow as pa

    if not file.name:
        return None
    if not file.length:
        return pa.py_buffer(b"")
    with pa.memory_map(str(folder / file.name)) as source:
        buffer = source.read_buffer()
    if buffer.size != file.length:
        raise ValueError(f"{file.name} has {buffer.size} bytes instead of {file.length}")
    return buffer
