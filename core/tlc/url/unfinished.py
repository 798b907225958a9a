"""Names of files that are being written, and what becomes of those that nobody finishes.

Such a name tells the machine and the process of its writer, so that a file of a process that is
still alive is left alone, however old it is.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress

from tlc._lifetime.process import exists, machine

__all__ = ["GRACE_SECONDS", "TEMP_PREFIX", "sweep", "temp_name"]

TEMP_PREFIX = ".tlc-tmp-"
"""Start of the names of files that are being written."""

GRACE_SECONDS = 24 * 3600.0
"""How old a file must be before it counts as one that nobody finishes."""


def temp_name() -> str:
    """Return a new name: ``.tlc-tmp-<machine>-<process>-<random>``."""
    return f"{TEMP_PREFIX}{machine()}-{os.getpid()}-{os.urandom(16).hex()}"


def sweep(folder: str, older_than_seconds: float) -> list[str]:
    """Remove files below a folder that nobody will finish, and return their paths.

    Those are the files that are older than that and whose writer is not known to be alive. It is
    known of processes of this machine, since its last start, and in the same container.
    """
    latest = time.time() - older_than_seconds
    removed = []
    for above, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(above, name)
            if name.startswith(TEMP_PREFIX) and _is_abandoned(path, latest):
                with suppress(OSError):  # another sweep was faster, or it belongs to someone else
                    os.unlink(path)
                    removed.append(path)
    return removed


def _is_abandoned(path: str, latest: float) -> bool:
    try:
        changed = os.lstat(path).st_mtime
    except OSError:
        return False
    return changed <= latest and not _is_alive(os.path.basename(path))


def _is_alive(name: str) -> bool:
    place, _, rest = name.removeprefix(TEMP_PREFIX).partition("-")
    process = rest.partition("-")[0]
    return place == machine() and process.isdecimal() and bool(exists(place, int(process)))
