"""How what is exported comes to be at its place: whole, or not at all."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tlc.configuration import Configuration
from tlc.errors import TlcError, UrlExistsError
from tlc.url import UrlAdapterRegistry
from tlc.url.publish import replace
from tlc.url.refusals import file_errors_of, storage_error
from tlc.url.unfinished import temp_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tlc.url import Url


def write_file(url: Url, pieces: Iterable[bytes]) -> None:
    """Write a file, or replace it, with pieces that are made while it is written.

    On this machine only one piece is in memory at a time.

    Raises:
        StorageError: The system refuses to write.
        UnsupportedOperationError: The adapter of the url cannot write.
    """
    adapter, place = UrlAdapterRegistry.resolve(url)
    path = adapter.local_path(place)
    if path is None:
        adapter.write_binary_content_to_url(place, b"".join(pieces))
        return
    durable = Configuration.instance().durability == "commit"
    with errors_of(url):
        if path.is_dir():
            raise IsADirectoryError(path)
        replace(str(path), pieces, durable=durable)


@contextmanager
def new_folder(url: Url) -> Iterator[Path]:
    """Give a folder to fill, which gets its name at the end of the block if nothing went wrong.

    Raises:
        UrlExistsError: There is something already, other than an empty folder.
        UnsupportedOperationError: The url is not on this machine.
        StorageError: The system refuses to write.
    """
    final = Path(os.fspath(url))
    _check_free(final, url)
    with errors_of(url):
        final.parent.mkdir(parents=True, exist_ok=True)
        folder = final.parent / temp_name()
        folder.mkdir()
    try:
        with errors_of(url):
            yield folder
            _check_free(final, url)
            os.replace(folder, final)  # an empty folder gives way
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _check_free(final: Path, url: Url) -> None:
    if final.is_dir() and not any(final.iterdir()):
        return
    if os.path.lexists(final):
        raise UrlExistsError(
            f"Something exists already at {url}.",
            hint="export to a new folder, or delete this one first.",
        )


@contextmanager
def errors_of(url: Url) -> Iterator[None]:
    """Raise errors of `tlc`, which name the url, for those of the system."""
    try:
        with file_errors_of(url):
            yield
    except TlcError:
        raise
    except OSError as error:
        raise storage_error(error, url) from error
