"""Urls of files that live in this process and end with it, for tests and trials."""

from __future__ import annotations

import posixpath
import time
from threading import RLock
from typing import TYPE_CHECKING

from tlc.errors import UnsupportedOperationError, UrlExistsError, UrlNotFoundError
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.options import Scheme
from tlc.url.refusals import is_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.url.url import Url

__all__ = ["MemoryUrlAdapter"]


class MemoryUrlAdapter(UrlAdapter):
    """Keeps files in a dictionary. Behaves as a local disk does, folders included."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._files: dict[str, tuple[bytes, float]] = {}
        self._folders: set[str] = set()

    def schemes(self) -> list[str]:
        """Return ``["memory"]``."""
        return [Scheme.MEMORY]

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        with self._lock:
            return self._file(url)

    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder."""
        with self._lock:
            return _key(url) in self._files or _key(url) in self._folders

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write a file or replace it."""
        with self._lock:
            if _key(url) in self._folders:
                raise is_folder(url)
            self._make_folders(posixpath.dirname(_key(url)))
            self._files[_key(url)] = (bytes(content), time.time())
        return url

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write a file that must not exist."""
        with self._lock:
            if self.exists(url):
                raise UrlExistsError(f"Something exists already at {url}.")
            return self.write_binary_content_to_url(url, content)

    def append_binary_content_to_url(
        self, url: Url, content: bytes, *, durable: bool = True
    ) -> Url:
        """Add a record to the end of a file."""
        with self._lock:
            before, _ = self._files.get(_key(url), (b"", 0.0))
            return self.write_binary_content_to_url(url, before + content)

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder, sorted by name."""
        with self._lock:
            if _key(url) not in self._folders:
                raise _not_found(url)
            paths = sorted(self._children(_key(url), self._files.keys() | self._folders))
            return iter([self._entry(url, path) for path in paths])

    def delete_url(self, url: Url) -> None:
        """Delete a file."""
        with self._lock:
            self._file(url)
            del self._files[_key(url)]

    def delete_tree(self, url: Url) -> None:
        """Delete a folder and all below it."""
        with self._lock:
            if _key(url) not in self._folders:
                raise _not_found(url)
            below = f"{_key(url)}/"
            self._files = {p: f for p, f in self._files.items() if not p.startswith(below)}
            kept = {path for path in self._folders if not path.startswith(below)}
            self._folders = kept - {_key(url)}

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file in bytes."""
        with self._lock:
            return len(self._file(url))

    def is_dir(self, url: Url) -> bool:
        """Return whether there is a folder."""
        with self._lock:
            return _key(url) in self._folders

    def make_dirs(self, url: Url) -> None:
        """Make a folder and those above it that are missing."""
        with self._lock:
            self._make_folders(_key(url))

    def supports_append(self) -> bool:
        """Return True."""
        return True

    def _file(self, url: Url) -> bytes:
        if _key(url) in self._folders:
            raise is_folder(url)
        if _key(url) not in self._files:
            raise _not_found(url)
        return self._files[_key(url)][0]

    def _make_folders(self, path: str) -> None:
        while path not in self._folders:
            if path in self._files:
                raise UnsupportedOperationError(
                    f"The folder {path} cannot be made: there is a file of that name."
                )
            self._folders.add(path)
            path = posixpath.dirname(path)

    def _children(self, folder: str, paths: set[str]) -> list[str]:
        return [path for path in paths if path != folder and posixpath.dirname(path) == folder]

    def _entry(self, folder: Url, path: str) -> UrlAdapterDirEntry:
        name = posixpath.basename(path)
        if path in self._folders:
            return UrlAdapterDirEntry(name, str(folder / name), is_dir=True)
        content, mtime = self._files[path]
        return UrlAdapterDirEntry(name, str(folder / name), size=len(content), mtime=mtime)


def _key(url: Url) -> str:
    return url.path.strip("/")  # x:// and x:/// are one root


def _not_found(url: Url) -> UrlNotFoundError:
    return UrlNotFoundError(f"Nothing exists at {url}.")
