"""The system calls by which `tlc` writes files, behind one object that tests can replace.

`tlc.testing.disks` has disks that fail, that kill their process, and that record what a power cut
would leave.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OPERATIONS", "Disk", "current_disk", "use_disk"]

_BINARY = getattr(os, "O_BINARY", 0)
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
_APPEND = os.O_WRONLY | os.O_APPEND | _BINARY


class Disk:
    """Each method is one system call, or what one system needs several for, and raises OSError."""

    def open_new(self, path: str) -> int:
        """Create a file that must not exist, and return its descriptor."""
        return os.open(path, _NEW_FILE, 0o666)

    def open_append(self, path: str, *, create: bool) -> int:
        """Open a file to write at its end, and return its descriptor."""
        return os.open(path, _APPEND | os.O_CREAT if create else _APPEND, 0o666)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """Write the start of `data`, as much as the system takes, and return its length."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Wait until the content of a file is on the disk."""
        if sys.platform == "darwin":
            import fcntl

            # fsync leaves the content in the drive's own memory there.
            with suppress(OSError):
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
                return
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close a file. Network file systems tell here of writes that failed."""
        os.close(descriptor)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name, which must not exist."""
        os.link(source, target)

    def replace(self, source: str, target: str) -> None:
        """Give a file another name, in place of the file that has it."""
        os.replace(source, target)

    def unlink(self, path: str) -> None:
        """Remove the name of a file."""
        os.unlink(path)

    def make_folder(self, path: str) -> None:
        """Make a folder that must not exist."""
        os.mkdir(path)

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""
        os.rmdir(path)

    def remove_tree(self, path: str) -> None:
        """Remove a folder and all below it."""
        import shutil  # late: it loads what packs archives

        shutil.rmtree(path)

    def sync_folder(self, path: str) -> None:
        """Wait until the names in a folder are on the disk."""
        if os.name == "nt":  # Windows has no such call
            return
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


OPERATIONS = tuple(name for name in vars(Disk) if not name.startswith("_"))
"""Names of the methods of `Disk`."""

_current = Disk()


def current_disk() -> Disk:
    """Return the disk that all threads of this process write by."""
    return _current


@contextmanager
def use_disk(disk: Disk) -> Iterator[None]:
    """Let all threads of this process write by `disk`, until the ``with`` block ends."""
    global _current
    before, _current = _current, disk
    try:
        yield
    finally:
        _current = before
