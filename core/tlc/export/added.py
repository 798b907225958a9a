"""Files that are added to a folder that has others: all of them, or none."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tlc.errors import UrlExistsError
from tlc.export.output import errors_of, new_folder
from tlc.url.unfinished import temp_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tlc.url import Url


@contextmanager
def added_files(url: Url, last: str = "") -> Iterator[Path]:
    """Give a folder to fill; what is in it at the end of the block comes to be in the folder `url`.

    A folder that is new or empty gets its name then. In another one each file gets its name then,
    and none replaces another; if something goes wrong, the folder is as it was.

    Args:
        url: The folder.
        last: Path in the folder of what tells of all other files, and is added after them.

    Raises:
        UrlExistsError: There is a file of that name already.
        UnsupportedOperationError: The url is not on this machine.
        StorageError: The system refuses to write.
    """
    root = Path(os.fspath(url))
    if not is_filled(root):
        with new_folder(url) as folder:
            yield folder
        return
    with errors_of(url):
        folder = root / temp_name()
        folder.mkdir()
        try:
            yield folder
            _move(folder, root, last)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def is_filled(root: Path) -> bool:
    """Return whether there is a folder with something in it."""
    return root.is_dir() and any(root.iterdir())


def _move(folder: Path, root: Path, last: str) -> None:
    parts = [path.relative_to(folder) for path in sorted(folder.rglob("*"))]
    made: list[Path] = []
    placed: list[Path] = []
    files = [part for part in parts if _is_file(folder / part)]
    for part in files:
        _check_free(root / part)
    try:
        for part in parts:
            path = root / part
            if not _is_file(folder / part) and not path.is_dir():
                path.mkdir()
                made.append(path)
        for part in sorted(files, key=lambda part: part.as_posix() == last):
            _check_free(root / part)
            os.rename(folder / part, root / part)
            placed.append(root / part)
    except BaseException:
        for path in placed:
            path.unlink()
        for path in reversed(made):
            path.rmdir()
        raise


def _is_file(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def _check_free(path: Path) -> None:
    if os.path.lexists(path):
        raise UrlExistsError(
            f"{path} exists already.", hint="export to another folder, or delete that file first."
        )
