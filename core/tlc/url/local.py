"""Urls of files on this machine."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tlc.configuration import Configuration
from tlc.errors import TlcError, UnsupportedOperationError, UrlNotFoundError
from tlc.url import publish
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.disk import current_disk
from tlc.url.options import Scheme
from tlc.url.refusals import file_errors_of, is_folder, storage_error
from tlc.url.unfinished import GRACE_SECONDS, TEMP_PREFIX, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from tlc.url.url import Url

__all__ = ["LocalUrlAdapter"]

_PIECE = 1 << 20


class LocalUrlAdapter(UrlAdapter):
    """Reads and writes files, durably unless `Configuration.durability` says otherwise."""

    def schemes(self) -> list[str]:
        """Return ``["file"]``."""
        return [Scheme.FILE]

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        with _errors_of(url), open(url.path, "rb", buffering=0, opener=_open_regular) as file:
            return file.read()

    def open_binary(self, url: Url) -> BinaryIO:
        """Return the file, opened to read what is asked for."""
        with _errors_of(url):
            return open(url.path, "rb", opener=_open_regular)

    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder."""
        return os.path.exists(url.path)

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write a file or replace it, in one step."""
        with _errors_of(url):
            publish.replace(url.path, (content,), durable=_durable())
        return url

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write a file that must not exist, in one step."""
        with _errors_of(url):
            publish.create(url.path, content, durable=_durable())
        return url

    def append_binary_content_to_url(
        self, url: Url, content: bytes, *, durable: bool = True
    ) -> Url:
        """Add a record to the end of a file."""
        with _errors_of(url):
            publish.append(url.path, content, durable=_durable(), wait=durable)
        return url

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder, sorted by name."""
        with _errors_of(url), os.scandir(url.path) as entries:
            kept = [each for each in entries if not each.name.startswith(TEMP_PREFIX)]
        return (_entry(url, each) for each in sorted(kept, key=lambda each: each.name))

    def list_folders(self, url: Url) -> list[str]:
        """Return the names of the folders in a folder, sorted, without a look at each."""
        with _errors_of(url), os.scandir(url.path) as entries:
            return sorted(each.name for each in entries if each.is_dir())

    def delete_url(self, url: Url) -> None:
        """Delete a file."""
        self._refuse_folder(url)
        with _errors_of(url):
            current_disk().unlink(url.path)

    def delete_tree(self, url: Url) -> None:
        """Delete a folder and all below it."""
        with _errors_of(url):
            current_disk().remove_tree(url.path)

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file in bytes."""
        self._refuse_folder(url)
        with _errors_of(url):
            return os.stat(url.path).st_size

    def is_dir(self, url: Url) -> bool:
        """Return whether there is a folder."""
        return os.path.isdir(url.path)

    def make_dirs(self, url: Url) -> None:
        """Make a folder and those above it that are missing."""
        with _errors_of(url):
            publish.make_folders(url.path, durable=_durable())

    def copy_url(self, source: Url, destination: Url) -> Url:
        """Copy a file in pieces, so that its size does not matter."""
        with _errors_of(source):
            original = open(source.path, "rb")  # noqa: SIM115 - closed by the `with` below
        with original, _errors_of(destination):
            pieces = _pieces(original, source)
            publish.replace(destination.path, pieces, durable=_durable())
        return destination

    def supports_append(self) -> bool:
        """Return True."""
        return True

    def local_path(self, url: Url) -> Path:
        """Return the path of the file."""
        return Path(url.path)

    def sweep_unfinished(self, url: Url, older_than_seconds: float = GRACE_SECONDS) -> list[str]:
        """Remove files below a folder that a writer began and that nobody will finish."""
        return sweep(url.path, older_than_seconds)

    def _refuse_folder(self, url: Url) -> None:
        if os.path.isdir(url.path):
            raise is_folder(url)


def _open_regular(path: str, flags: int) -> int:
    """Open a file for reading, but nothing like a pipe or a device, which may never end."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    if os.path.isdir(path):
        raise IsADirectoryError(path)
    raise UnsupportedOperationError(f"{path} is neither a file nor a folder.")


def _pieces(file: BinaryIO, url: Url) -> Iterator[bytes]:
    while True:
        with _errors_of(url):
            piece = file.read(_PIECE)
        if not piece:
            return
        yield piece


def _durable() -> bool:
    return Configuration.instance().durability == "commit"


def _entry(folder: Url, entry: os.DirEntry[str]) -> UrlAdapterDirEntry:
    path = f"{folder.path.rstrip('/')}/{entry.name}"
    try:
        status = entry.stat()
    except FileNotFoundError:  # a link that leads nowhere
        return UrlAdapterDirEntry(entry.name, path)
    is_dir = entry.is_dir()
    size = None if is_dir else status.st_size
    return UrlAdapterDirEntry(entry.name, path, is_dir=is_dir, size=size, mtime=status.st_mtime)


@contextmanager
def _errors_of(url: Url) -> Iterator[None]:
    try:
        with file_errors_of(url):
            yield
    except TlcError:
        raise
    except ValueError as error:  # a zero byte, or half a character
        raise UrlNotFoundError(f"No file can have the name {url!r}.") from error
    except OSError as error:
        raise storage_error(error, url) from error
