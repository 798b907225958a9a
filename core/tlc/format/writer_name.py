"""Names of writers: random text, and the process behind it.

Files are named after their writer. So whoever looks for files that nobody needs can tell those of a
process that is still at work, and may be about to publish the manifest that names them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tlc._lifetime.process import exists, machine

_CLOCK_STEP = 3600.0  # the clock may have been set since; a younger process only has the number

WRITER = r"[0-9a-f]{8}(?:-(?P<machine>[0-9a-f]{4})p(?P<pid>[0-9a-f]+))?"
"""Pattern of a writer's name; names of processes are left out where they are not known."""


def new_writer() -> str:
    """Return a name for a writer, as in ``1f3e5a7c-9ab4p4d2``: nobody else has it."""
    return f"{os.urandom(4).hex()}-{_process()}"


def may_be_running(writer: str, age: float) -> bool:
    """Whether the process that made a file may still be at work.

    Processes of other machines, and of other containers, are not known here: False.

    Args:
        writer: The file's name, or that of its writer.
        age: Seconds since the file was written.
    """
    match = re.match(WRITER, writer)
    if match is None or match["pid"] is None:
        return False
    pid = int(match["pid"], 16)
    if not exists(match["machine"], pid):
        return False
    running = _seconds_running(pid)
    return running is None or running > age - _CLOCK_STEP


def _process() -> str:
    return f"{machine()[:4]}p{os.getpid():x}"


def _seconds_running(pid: int) -> float | None:
    """Return for how long a process has been running; None where the system does not say."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return uptime - int(stat.rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
