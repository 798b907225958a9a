"""Who a process is, for those who want to know later whether it is still there."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

__all__ = ["Process", "exists", "is_alive", "machine", "this_process"]


class Process(msgspec.Struct, frozen=True):
    """A process.

    Attributes:
        machine: The start of the machine, or of the container, that it runs on.
        pid: Its number there.
        started: When it started, as the system counts; empty if that is not known.
    """

    machine: str
    pid: int
    started: str


def this_process() -> Process:
    """Return the process that asks."""
    return Process(machine(), os.getpid(), _started(os.getpid()) or "")


@cache
def machine() -> str:
    """Return a text that this start of this machine, or of this container, has alone."""
    import platform  # late: only writers need it

    start, processes = "", ""
    with suppress(OSError):  # only Linux has these
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
        processes = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {start} {processes}".encode()).hexdigest()[:8]


def is_alive(process: Process) -> bool | None:
    """Return whether a process is alive; None if it cannot be known from here."""
    found = exists(process.machine, process.pid)
    if not found:
        return found
    started = _started(process.pid)
    return None if started is None else started == process.started


def exists(place: str, pid: int) -> bool | None:
    """Return whether there is a process of a number, perhaps another one; None if unknown here.

    Args:
        place: Its machine as `machine` says, or the start of that.
        pid: Its number there.
    """
    # Windows has no signal that does nothing, and would end the process.
    if not place or not machine().startswith(place) or os.name == "nt" or pid <= 0:
        return None
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it is there, and someone else's
        pass
    return True


def _started(pid: int) -> str | None:
    """Return when a process started; empty if it has ended, None if the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = status.rpartition(")")[2].split()  # before it is its name, which may hold anything
    return "" if fields[0] in "ZX" else fields[19]
