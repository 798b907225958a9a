"""What to tell a user when the operating system refuses to read or write."""

from __future__ import annotations

import errno

from tlc.errors import StorageError, StorageFullError, StoragePermissionError

__all__ = ["storage_error"]

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
