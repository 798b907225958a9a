"""How a file comes to be on a local disk: whole or not at all, and still there after a power cut.

The order of the steps is what counts: the content to the disk, then its name, then the folder that
holds the name. `durable=False` leaves out the waiting for the disk, never a step. After an error
nothing is left, so that the caller can try again; what failed to reach the disk is never synced a
second time, since systems report such an error once and then forget the content.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tlc.errors import UnsupportedOperationError
from tlc.url.disk import Disk, current_disk
from tlc.url.unfinished import temp_name

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["append", "create", "make_folders", "replace"]

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}


def create(path: str, content: bytes | memoryview, *, durable: bool) -> None:
    """Publish a file that must not exist.

    Raises:
        FileExistsError: It does.
        UnsupportedOperationError: A file stands where a folder is needed.
    """
    disk = current_disk()
    temp = _write_temp(disk, path, (content,), durable=durable)
    try:
        _link(disk, temp, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Exclusive, but not whole at once: the file has its name before its content.
        _write_new(disk, path, (content,), durable=durable)
    finally:
        _remove(disk, temp)
    if durable:
        try:
            disk.sync_folder(os.path.dirname(path))
        except OSError:
            _remove(disk, path)  # or the name would be taken when the caller tries again
            raise


def replace(path: str, pieces: Iterable[bytes | memoryview], *, durable: bool) -> None:
    """Publish a file, in place of another if there is one.

    Raises:
        UnsupportedOperationError: A file stands where a folder is needed.
    """
    disk = current_disk()
    path = os.path.realpath(path)  # as with open(): the link stays, the file it leads to changes
    temp = _write_temp(disk, path, pieces, durable=durable)
    try:
        disk.replace(temp, path)
    except BaseException:
        _remove(disk, temp)
        raise
    if durable:
        disk.sync_folder(os.path.dirname(path))


def append(path: str, record: bytes, *, durable: bool, wait: bool = True) -> None:
    """Add a record to the end of a file by one write, which the system keeps together.

    After an error the file may end with a part of the record.

    Args:
        path: The file, which is made if it is missing.
        record: What to add.
        durable: Whether the name of a new file, and what `wait` asks for, goes to the disk.
        wait: Whether to wait until the record is on the disk.

    Raises:
        UnsupportedOperationError: A file stands where a folder is needed.
        OSError: The disk took only a part of the record.
    """
    disk = current_disk()
    try:
        descriptor, is_new = disk.open_append(path, create=False), False
    except (FileNotFoundError, NotADirectoryError):
        make_folders(os.path.dirname(path), durable=durable)
        descriptor, is_new = disk.open_append(path, create=True), True
    try:
        if disk.write(descriptor, record) != len(record):
            raise OSError(errno.ENOSPC, "Only a part of the record was written", path)
        if durable and wait:
            disk.sync(descriptor)
    except BaseException:
        _close(disk, descriptor)
        raise
    disk.close(descriptor)
    # Also if nobody waits for this record: a later one that somebody waits for needs the name.
    if is_new and durable:
        disk.sync_folder(os.path.dirname(path))


def make_folders(path: str, *, durable: bool) -> None:
    """Make a folder and those above it that are missing.

    Raises:
        UnsupportedOperationError: A file is in the way.
    """
    missing, above = [], path
    while not os.path.isdir(above):
        missing.append(above)
        above = os.path.dirname(above)
    disk, made = current_disk(), list[str]()
    try:
        for folder in reversed(missing):
            if _make_folder(disk, folder):
                made.append(folder)
        for folder in missing if durable else ():
            disk.sync_folder(os.path.dirname(folder))
    except OSError as error:
        # A folder that stayed would pass for one whose name is on the disk.
        for folder in reversed(made):
            with suppress(OSError):
                disk.remove_folder(folder)
        if isinstance(error, FileExistsError | NotADirectoryError):
            raise UnsupportedOperationError(
                f"The folder {path} cannot be made: there is a file of that name, or above it."
            ) from error
        raise


def _make_folder(disk: Disk, path: str) -> bool:
    """Make a folder and return True, or False if somebody else was faster."""
    try:
        disk.make_folder(path)
    except FileExistsError:
        if os.path.isdir(path):
            return False
        raise
    return True


def _write_temp(
    disk: Disk, path: str, pieces: Iterable[bytes | memoryview], *, durable: bool
) -> str:
    folder = os.path.dirname(path)
    temp = os.path.join(folder, temp_name())
    try:
        _write_new(disk, temp, pieces, durable=durable)
    except (FileNotFoundError, NotADirectoryError):  # before the first of `pieces` was asked for
        make_folders(folder, durable=durable)
        _write_new(disk, temp, pieces, durable=durable)
    return temp


def _write_new(
    disk: Disk, path: str, pieces: Iterable[bytes | memoryview], *, durable: bool
) -> None:
    descriptor = disk.open_new(path)
    try:
        try:
            for piece in pieces:
                _write_all(disk, descriptor, piece)
            if durable:
                disk.sync(descriptor)
        except BaseException:
            _close(disk, descriptor)
            raise
        disk.close(descriptor)
    except BaseException:
        _remove(disk, path)
        raise


def _write_all(disk: Disk, descriptor: int, data: bytes | memoryview) -> None:
    written = disk.write(descriptor, data)
    while written < len(data):
        written += disk.write(descriptor, memoryview(data)[written:])


def _close(disk: Disk, descriptor: int) -> None:
    """Close a file after an error, which is the one to tell of."""
    with suppress(OSError):
        disk.close(descriptor)


def _link(disk: Disk, temp: str, path: str) -> None:
    try:
        disk.link(temp, path)
    except OSError:
        # A network file system may lose the answer to a request that succeeded, or repeat it and
        # so refuse what is there already.
        with suppress(OSError):
            if os.path.samefile(temp, path):
                return
        raise


def _remove(disk: Disk, path: str) -> None:
    """Remove what is not needed any more; what cannot be removed is swept up later."""
    with suppress(OSError):
        disk.unlink(path)
