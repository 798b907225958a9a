"""Files below a folder, in an order that does not depend on the disk."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from tlc.errors import UrlNotFoundError
from tlc.url.refusals import storage_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tlc.url import Url

IMAGE_SUFFIXES = (
    *(".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pgm", ".png", ".pnm"),
    *(".ppm", ".tif", ".tiff", ".webp"),
)
"""File name endings that count as images, in small letters."""


def local_folder(url: Url, what: str) -> str:
    """Return the path of a folder on this machine.

    Raises:
        UrlNotFoundError: There is none; `what` says what it holds.
        UnsupportedOperationError: The url is not on this machine.
    """
    folder = url.to_absolute().to_local_path()
    if not folder.is_dir():
        raise UrlNotFoundError(
            f"There is no folder {folder}.", hint=f"give the folder that holds {what}."
        )
    return str(folder)


def open_file(path: str) -> int:
    """Open a file for reading, and return its number. What is no file is not waited for.

    Raises:
        OSError: There is no such file, or a pipe or device in its place.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, "it is no file", path)


def read_file(path: str) -> bytes:
    """Return the content of a file; see `open_file`."""
    with open(open_file(path), "rb") as file:
        return file.read()


def find_files(folder: str, suffixes: Sequence[str]) -> list[str]:
    """Return the files below a folder whose names end in one of `suffixes`, in letters of any size.

    Names are in sorted order, the files of a folder before its sub-folders; what starts with a dot
    is left out. Links to folders elsewhere are followed, each folder once; links to what lies below
    or above `folder` are not, so that circles end and no file is found twice.

    Args:
        folder: Absolute path.
        suffixes: Endings in small letters, such as ``".png"``.
    """
    return list(_walk(folder, tuple(suffixes)))


def list_folder(folder: str, suffixes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in a folder, sorted.

    Links to folders are such, unless they lead to the folder itself or above it. For the rest see
    `find_files`.
    """
    here = os.path.realpath(folder)
    return _entries(folder, tuple(suffixes), lambda target: not _is_below(here, target))


def _walk(folder: str, suffixes: tuple[str, ...]) -> Iterator[str]:
    followed = [os.path.realpath(folder)]

    def is_new(target: str) -> bool:
        if any(_is_below(target, each) or _is_below(each, target) for each in followed):
            return False
        followed.append(target)
        return True

    waiting = [folder]
    while waiting:
        place = waiting.pop()
        start = os.path.join(place, "")
        names, folders = _entries(place, suffixes, is_new)
        yield from (start + name for name in names)
        waiting += [start + name for name in reversed(folders)]


def _entries(
    place: str, suffixes: tuple[str, ...], follows: Callable[[str], bool]
) -> tuple[list[str], list[str]]:
    """Return files and folders, with those links to folders whose target `follows` takes."""
    files, folders, links = [], [], []
    with _opened(place) as entries:
        for entry in entries:
            name = entry.name
            if name.startswith("."):
                continue
            if name.lower().endswith(suffixes) and entry.is_file():
                files.append(name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif entry.is_symlink() and entry.is_dir():
                links.append(name)
    start = os.path.join(place, "")
    folders += [name for name in sorted(links) if follows(os.path.realpath(start + name))]
    return sorted(files), sorted(folders)


def _opened(folder: str) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise storage_error(error, folder) from error


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(os.path.join(folder, ""))
