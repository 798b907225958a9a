"""Content of remote files on the local disk, so that a later epoch does not fetch it again.

Any number of processes share the folder. An entry appears in one step and never changes; one that
was damaged is as good as missing. What was not used for the longest time goes first.
"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
import zlib
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from tlc.errors import CacheWarning

__all__ = ["CachedContent", "ContentCache"]

_UNFINISHED = ".unfinished-"
_LEFT_BEHIND = 3600.0  # seconds after which nobody finishes an entry
_ROUNDS = 32
_SEAL = b"tlc1"


class CachedContent(NamedTuple):
    """What the cache has of a file.

    Attributes:
        tag: The tag that the content had where it comes from.
        content: The content.
    """

    tag: str
    content: bytes


class ContentCache:
    """Entries by url.

    Args:
        folder: Where they are; made when it is needed.
        limit: The most bytes that they may take; each process may exceed it by a 32nd.
    """

    def __init__(self, folder: str | os.PathLike[str], limit: int) -> None:
        self._folder = Path(folder)
        self._limit = limit
        self._lock = Lock()
        self._added = limit  # so that the first addition looks what others have left

    def find(self, url: str) -> CachedContent | None:
        """Return what there is of a file; None if there is nothing whole."""
        path = self._path(url)
        try:
            entry = path.read_bytes()
            found = _opened(entry)
            if found is None:
                path.unlink()
            else:
                os.utime(path)  # was used now
        except OSError:
            return None
        return found

    def keep(self, url: str, tag: str, content: bytes) -> None:
        """Put the content of a file into the cache, in place of what was there of it.

        A disk that is full, say, gives a warning: the cache is no reason to stop.
        """
        entry = _closed(tag, content)
        if len(entry) > self._limit // _ROUNDS:
            return  # one such file would push out very many others
        path = self._path(url)
        temporary = path.with_name(f"{_UNFINISHED}{os.getpid()}-{os.urandom(8).hex()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(entry))
            temporary.write_bytes(entry)
            os.replace(temporary, path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            warnings.warn(
                CacheWarning(f"Remote files cannot be kept in the cache: {error}."), stacklevel=2
            )

    def _path(self, url: str) -> Path:
        name = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / name[:2] / name

    def _make_room(self, wanted: int) -> None:
        with self._lock:
            self._added += wanted
            if self._added <= self._limit // _ROUNDS:
                return
            self._added = wanted
        entries = sorted(self._entries())
        taken = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if taken <= self._limit - self._limit // _ROUNDS:
                return
            with suppress(OSError):  # another process may be faster
                os.unlink(path)
            taken -= size

    def _entries(self) -> list[tuple[float, int, str]]:
        """Return last use, size and path of all entries; remove what others have left behind."""
        found = []
        for folder in self._folder.iterdir():
            for entry in os.scandir(folder):
                with suppress(OSError):
                    status = entry.stat()
                    if not entry.name.startswith(_UNFINISHED):
                        found.append((status.st_mtime, status.st_size, entry.path))
                    elif status.st_mtime < time.time() - _LEFT_BEHIND:
                        os.unlink(entry.path)
        return found


def _closed(tag: str, content: bytes) -> bytes:
    described = tag.encode()
    checksum = zlib.crc32(content, zlib.crc32(described))
    head = _SEAL + len(described).to_bytes(4, "little") + checksum.to_bytes(4, "little")
    return head + described + content


def _opened(entry: bytes) -> CachedContent | None:
    length = int.from_bytes(entry[4:8], "little")
    tag, content = entry[12 : 12 + length], entry[12 + length :]
    checksum = zlib.crc32(content, zlib.crc32(tag)).to_bytes(4, "little")
    if entry[:4] != _SEAL or entry[8:12] != checksum or len(tag) != length:
        return None
    return CachedContent(tag.decode(), content)
