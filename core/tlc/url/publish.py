"""How a file comes to be on a local disk: whole or not at all, and still there after a power cut.

The order of the steps is what counts: the content to the disk, then its name, then the folder that
holds the name. `durable=False` leaves out the waiting for the disk, never a step.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from tlc.errors import UnsupportedOperationError

__all__ = ["TEMP_PREFIX", "append", "create", "make_folders", "replace"]

TEMP_PREFIX = ".tlc-tmp-"
"""Start of the names of files that are being written."""

Fill = Callable[[BinaryIO], object]
"""Writes the content into a file that is open for it."""

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)


def create(path: str, fill: Fill, *, durable: bool) -> None:
    """Publish a file that must not exist.

    Raises:
        FileExistsError: It does.
        UnsupportedOperationError: A file stands where a folder is needed.
    """
    temp = _write_temp(path, fill, durable=durable)
    try:
        _link(temp, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Exclusive, but not whole at once: the file has its name before its content.
        _write_new(path, fill, durable=durable)
    finally:
        os.unlink(temp)
    _sync_folder(os.path.dirname(path), durable=durable)


def replace(path: str, fill: Fill, *, durable: bool) -> None:
    """Publish a file, in place of another if there is one.

    Raises:
        UnsupportedOperationError: A file stands where a folder is needed.
    """
    path = os.path.realpath(path)  # as with open(): the link stays, the file it leads to changes
    temp = _write_temp(path, fill, durable=durable)
    try:
        os.replace(temp, path)
    except OSError:
        os.unlink(temp)
        raise
    _sync_folder(os.path.dirname(path), durable=durable)


def append(path: str, record: bytes, *, durable: bool) -> None:
    """Add a record to the end of a file by one write, which the system keeps together.

    Raises:
        UnsupportedOperationError: A file stands where a folder is needed.
        OSError: The disk took only a part of the record.
    """
    try:
        descriptor, is_new = os.open(path, _APPEND), False
    except (FileNotFoundError, NotADirectoryError):
        make_folders(os.path.dirname(path), durable=durable)
        descriptor, is_new = os.open(path, _APPEND | os.O_CREAT, 0o666), True
    with open(descriptor, "wb", buffering=0) as file:
        if file.write(record) != len(record):
            raise OSError(errno.ENOSPC, "Only a part of the record was written", path)
        _sync(file, durable=durable)
    if is_new:
        _sync_folder(os.path.dirname(path), durable=durable)


def make_folders(path: str, *, durable: bool) -> None:
    """Make a folder and those above it that are missing.

    Raises:
        UnsupportedOperationError: A file is in the way.
    """
    made, above = [], path
    while not os.path.isdir(above):
        above = os.path.dirname(above)
        made.append(above)
    try:
        os.makedirs(path, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UnsupportedOperationError(
            f"The folder {path} cannot be made: there is a file of that name, or above it."
        ) from error
    for folder in made:
        _sync_folder(folder, durable=durable)


def _write_temp(path: str, fill: Fill, *, durable: bool) -> str:
    folder = os.path.dirname(path)
    temp = os.path.join(folder, f"{TEMP_PREFIX}{os.getpid()}-{os.urandom(16).hex()}")
    try:
        _write_new(temp, fill, durable=durable)
    except (FileNotFoundError, NotADirectoryError):
        make_folders(folder, durable=durable)
        _write_new(temp, fill, durable=durable)
    return temp


def _write_new(path: str, fill: Fill, *, durable: bool) -> None:
    descriptor = os.open(path, _NEW_FILE, 0o666)
    try:
        with open(descriptor, "wb") as file:
            fill(file)
            file.flush()
            _sync(file, durable=durable)
    except BaseException:
        os.unlink(path)
        raise


def _link(temp: str, path: str) -> None:
    try:
        os.link(temp, path)
    except FileExistsError:
        # A network file system may repeat a request whose answer was lost, and so refuse what
        # has succeeded already.
        with suppress(FileNotFoundError):
            if os.path.samefile(temp, path):
                return
        raise


def _sync(file: BinaryIO, *, durable: bool) -> None:
    if not durable:
        return
    if sys.platform == "darwin":
        import fcntl

        # fsync leaves the content in the drive's own memory there.
        with suppress(OSError):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    os.fsync(file)


def _sync_folder(path: str, *, durable: bool) -> None:
    if not durable or os.name == "nt":  # Windows has no such call
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
