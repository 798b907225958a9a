"""An ext4 file system in a file, whose power can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BYTES = 64 << 20
# All is written when it is made: no thread of the kernel is at work on it later.
_MAKE = ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"]
# The kernel writes nothing of its own accord in the time that a trial takes.
_OPTIONS = "commit=300"


class LoopDisk:
    """A file system of 64 MB; what is on its disk is what is in the file ``image``.

    Attributes:
        root: Where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._image = folder / "image"
        self._cuts = 0
        self.root = folder / "now"
        with open(self._image, "wb") as file:
            file.truncate(_BYTES)
        run([*_MAKE, str(self._image)])

    @contextmanager
    def mounted(self) -> Iterator[None]:
        with _mounted(self._image, self.root):
            yield

    @contextmanager
    def after_power_cut(self) -> Iterator[Path]:
        """Give a folder with what the disk holds at this moment, as the next start finds it.

        Nobody may be writing, so that the copy is of one moment.
        """
        self._cuts += 1
        copy, folder = self._folder / "copy", self._folder / f"after-{self._cuts}"
        run(["cp", "--sparse=always", str(self._image), str(copy)])
        with _mounted(copy, folder):
            yield folder

    def commit_names(self) -> None:
        """Do what the kernel does every few seconds: put names on the disk, but no content."""
        descriptor = os.open(self.root / "scratch", os.O_CREAT | os.O_WRONLY)
        try:
            os.write(descriptor, b"x")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def loop_disk(folder: Path) -> Iterator[LoopDisk]:
    """Make and mount a disk, or skip the test where that cannot be."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    if shutil.which(_MAKE[0]) is None:
        pytest.skip(f"there is no {_MAKE[0]} here")
    disk = LoopDisk(folder)
    with _skip_without_loop_devices(disk), disk.mounted():
        yield disk


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of that size in memory, or skip the test where that cannot be."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    try:
        run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no file system can be mounted here: {error.stderr.strip()}")
    try:
        yield folder
    finally:
        run(["umount", str(folder)])


@contextmanager
def _skip_without_loop_devices(disk: LoopDisk) -> Iterator[None]:
    try:
        with disk.mounted():
            pass
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no file system can be mounted here: {error.stderr.strip()}")
    yield


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    run(["mount", "-o", f"loop,{_OPTIONS}", str(image), str(folder)])
    try:
        yield
    finally:
        run(["umount", str(folder)])


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
