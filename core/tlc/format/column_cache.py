"""Decoded columns on the local disk, to be mapped by every process that reads them.

Each column is a folder named after a digest of what it is made of: the digests of the data files,
what changed them, and its type. It appears in one step, by a rename, and never changes; revisions
share the columns they have in common. One process makes a column while others that want it wait.
When all columns together take more than `Configuration.cache_size`, those that were not used for
the longest time are removed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tlc.configuration import Configuration
from tlc.errors import CacheWarning
from tlc.format.column_files import BufferFile, ColumnWriter, Piece, checksum, map_piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from tlc.format.stack import StackReader

_VERSION = "columns-1"
_HEADER, _CHECKED = "header.json", "checked.json"
_UNFINISHED = ".unfinished-"

Pieces = dict[str, list["pa.Array"]]
"""By column: arrays one below the other, more than one only where Arrow cannot hold all in one."""


class _Header(msgspec.Struct, frozen=True):
    """What a column's folder says of its files.

    Attributes:
        type: Arrow type of the cells.
        pieces: Where the rows are.
        size: Bytes of all files.
    """

    type: str
    pieces: tuple[Piece, ...]
    size: int


class _Checked(msgspec.Struct, frozen=True):
    """When the files were known to be whole.

    Attributes:
        boot: The start of the system since when; what was written before may have been lost.
        files: Length, time of the last change and number of each file then.
    """

    boot: str
    files: tuple[tuple[int, int, int], ...]


def cached_columns(
    reader: StackReader, names: Sequence[str], estimate: int | None
) -> Pieces | None:
    """Return columns in mapped memory, after putting into the cache those that are not there.

    Args:
        reader: Reads the columns.
        names: The columns.
        estimate: Bytes that they take together, as far as one knows; None to put nothing there.

    Returns:
        None if they cannot be cached. A warning says so if the disk is the reason.

    Raises:
        CorruptObjectError: A data file is damaged.
    """
    limit = Configuration.instance().cache_size
    identities = {name: reader.identity(name) for name in names}
    keys = {n: hashlib.sha256(i).hexdigest() for n, i in identities.items() if i is not None}
    if (estimate or 0) > limit or len(keys) < len(names) or not limit:
        return None
    root = Path(Configuration.instance().cache_folder, _VERSION)
    try:
        found = _opened(root, keys, reader)
        if estimate is None or len(found) == len(names):
            return found if len(found) == len(names) else None
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _lock(root):
            found |= _opened(root, _without(keys, found), reader)
            missing = _without(keys, found)
            if missing:
                _make_room(root, limit - estimate)
                _build(root, missing, reader)
                found |= _opened(root, missing, reader)
    except OSError as error:
        warnings.warn(
            CacheWarning(f"Decoded columns cannot be kept in the cache: {error}."), stacklevel=2
        )
        return None
    return found if len(found) == len(names) else None


def _without(keys: Mapping[str, str], found: Pieces) -> dict[str, str]:
    return {name: key for name, key in keys.items() if name not in found}


def _opened(root: Path, keys: Mapping[str, str], reader: StackReader) -> Pieces:
    """Return those columns that are in the cache, whole; what is damaged is removed."""
    found: Pieces = {}
    for name, key in keys.items():
        folder = root / key
        try:
            header = msgspec.json.decode((folder / _HEADER).read_bytes(), type=_Header)
            _check(folder, header, reader, name)
            found[name] = [map_piece(folder, piece, reader.types[name]) for piece in header.pieces]
            os.utime(folder / _HEADER)  # was used now
        except FileNotFoundError:
            _remove(folder)
        except (ValueError, msgspec.MsgspecError):
            _remove(folder)
    return found


def _check(folder: Path, header: _Header, reader: StackReader, name: str) -> None:
    """Make sure that the files are what was written.

    Their checksums are computed once after each start of the system, since a power cut may have
    lost what was not on the disk yet; and again if a file is not the one it was.

    Raises:
        ValueError: They are not.
        OSError: A file is missing.
    """
    rows = sum(piece.rows for piece in header.pieces)
    if header.type != str(reader.types[name]) or rows != reader.row_count:
        raise ValueError("the column is another one")
    state = _state(folder, header)
    with suppress(FileNotFoundError, msgspec.MsgspecError):
        if msgspec.json.decode((folder / _CHECKED).read_bytes(), type=_Checked) == state:
            return
    for buffer in _buffers(header):
        if checksum(folder, buffer) != buffer.crc32:
            raise ValueError("a checksum does not fit")
    _write(folder / _CHECKED, state)


def _state(folder: Path, header: _Header) -> _Checked:
    stats = [(folder / buffer.name).stat() for buffer in _buffers(header)]
    return _Checked(_boot(), tuple((s.st_size, s.st_mtime_ns, s.st_ino) for s in stats))


def _buffers(header: _Header) -> Iterator[BufferFile]:
    return (buffer for piece in header.pieces for buffer in piece.buffers if buffer.name)


@lru_cache(maxsize=1)
def _boot() -> str:
    """Return what tells this start of the system from others; where nothing does, this process."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"process-{os.getpid()}-{os.urandom(8).hex()}"


def _build(root: Path, keys: Mapping[str, str], reader: StackReader) -> None:
    """Decode columns into new folders, all at once and some rows at a time."""
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=root))
    try:
        writers = {}
        for name, key in keys.items():
            (folder / key).mkdir()
            writers[name] = ColumnWriter(folder / key, "buffer", reader.types[name])
        for start, stop in pairwise(reader.bounds()):
            for name, cells in reader.read(list(keys), start, stop).items():
                writers[name].append(cells)
        for name, key in keys.items():
            _finish(folder / key, writers[name], str(reader.types[name]))
            with suppress(FileExistsError):
                os.rename(folder / key, root / key)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _finish(folder: Path, writer: ColumnWriter, type_: str) -> None:
    pieces = tuple(writer.finish())
    size = sum(buffer.length for piece in pieces for buffer in piece.buffers)
    header = _Header(type_, pieces, size)
    _write(folder / _CHECKED, _state(folder, header))
    _write(folder / _HEADER, header)


def _write(file: Path, content: msgspec.Struct) -> None:
    temporary = file.with_name(f"{file.name}-{os.getpid()}")
    temporary.write_bytes(msgspec.json.encode(content))
    os.replace(temporary, file)


def _make_room(root: Path, limit: int) -> None:
    """Remove what was not used for the longest time until the rest takes `limit` bytes at most.

    Called with the lock, so that an unfinished folder is one that was left behind.
    """
    columns = []
    for folder in root.iterdir():
        if folder.name.startswith(_UNFINISHED):
            _remove(folder)
        elif folder.is_dir():
            columns.append((_last_use(folder), _size(folder), folder))
    taken = sum(size for _, size, _ in columns)
    for _, size, folder in sorted(columns):
        if taken <= limit:
            return
        _remove(folder)
        taken -= size


def _last_use(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return (folder / _HEADER).stat().st_mtime
    return 0.0


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def _remove(folder: Path) -> None:
    # Whoever has mapped the files keeps them; where a system refuses, they stay for the next time.
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """Let one process at a time build; the lock of one that was killed is free."""
    with (root / "lock").open("ab") as file:
        try:
            import fcntl
        except ImportError:  # Windows: two may build, and one of them for nothing
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
