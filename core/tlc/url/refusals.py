"""What to tell a user when a file is not there, or the system refuses to read or write it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tlc.errors import (
    StorageError,
    StorageFullError,
    StoragePermissionError,
    TlcError,
    UnsupportedOperationError,
    UrlExistsError,
    UrlNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["file_errors_of", "is_folder", "storage_error"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM}

_HINTS = {
    errno.ENOSPC: "free some space and try again; all that was stored before is intact.",
    errno.EDQUOT: "free some space within your quota and try again; all that was stored before is "
    "intact.",
    errno.EFBIG: "raise the largest size of a file: `ulimit -f`.",
    errno.EACCES: "ask for the right to write there, or choose another root.",
    errno.EPERM: "ask for the right to write there, or choose another root.",
    errno.EROFS: "the disk is mounted for reading only; choose another root.",
    errno.EMFILE: "this process has too many files open; raise the limit: `ulimit -n`.",
    errno.ENFILE: "the machine has too many files open; raise the limit of the system.",
    errno.EIO: "the disk or the connection to it is failing; the log of the system says more.",
    errno.ENAMETOOLONG: "choose shorter names.",
}


def storage_error(error: OSError, url: object) -> StorageError:
    """Return the error that says what was refused at `url`, with the `errno` of `error`."""
    kind = StorageError
    if error.errno in _FULL:
        kind = StorageFullError
    elif error.errno in _FORBIDDEN:
        kind = StoragePermissionError
    reason = error.strerror or str(error)
    hint = _HINTS.get(error.errno or 0, "")
    return kind(f"{url} could not be read or written: {reason}.", errno=error.errno, hint=hint)


@contextmanager
def file_errors_of(url: object) -> Iterator[None]:
    """Raise errors of `tlc`, which name the url, for those that Python has for files."""
    try:
        yield
    except TlcError:
        raise
    except FileExistsError as error:
        raise UrlExistsError(f"Something exists already at {url}.") from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UrlNotFoundError(f"Nothing exists at {url}.") from error
    except IsADirectoryError as error:
        raise is_folder(url) from error


def is_folder(url: object) -> UnsupportedOperationError:
    """Return the error that says that a file was wanted where there is a folder."""
    return UnsupportedOperationError(f"{url} is a folder, where a file is needed.")
