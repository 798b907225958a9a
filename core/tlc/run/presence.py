"""Which processes are at work on a run, and what becomes of its status when they end.

A process that works on a run has a file beside the run's events, ``<random>.alive``, from its first
work until its end. A file whose process is gone tells of a process that was killed. This is advice
for those who look at the run; nobody waits for it, and nothing depends on it.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from tlc._lifetime import Ending, keep, release
from tlc._lifetime.process import Process, is_alive, this_process
from tlc.errors import ObjectNotFoundError, OverwrittenRunWarning, TlcError, UrlNotFoundError
from tlc.format.manifest import RunManifest, read
from tlc.run.events import EVENTS, EventLog
from tlc.run.state import RunState, RunStatus
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Presence", "attend", "attendance", "forget_the_gone", "leave"]

ALIVE = ".alive"
BEAT_SECONDS = 20.0
GONE_SECONDS = 60.0
"""A process of another machine that gave no sign for so long counts as gone."""


class Presence:
    """This process at work on a run.

    Args:
        run: The run's folder.
        run_id: Its identity.
    """

    rank = 2

    def __init__(self, run: Url, run_id: str) -> None:
        self.run_id = run_id
        self._run = run
        self._content = msgspec.json.encode(this_process()) + b"\n"
        self._file = run / EVENTS / run_id / f"{os.urandom(6).hex()}{ALIVE}"
        self._last_beat = 0.0
        self._has_gone = False
        self._lock = threading.Lock()

    def come(self) -> None:
        """Give a sign of life, and go on giving them."""
        self._beat()
        keep(self)

    def go(self) -> None:
        """Give no more signs of life: this process has done its work."""
        release(self)
        with self._lock:
            self._has_gone = True
        with suppress(OSError):
            UrlAdapterRegistry.delete_url(self._file)

    def keep(self) -> None:
        """Give a sign of life if it is time for one."""
        if time.monotonic() - self._last_beat < BEAT_SECONDS:
            return
        is_there = self._is_there()
        with self._lock:
            if is_there and not self._has_gone:
                self._beat()
        if not is_there and not self._has_gone:
            release(self)
            self._warn()

    def end(self, ending: Ending) -> None:
        """Set the status that the run has after this process, unless somebody set a final one."""
        self.go()
        if not self._is_there():
            self._warn()
            return
        log = EventLog(self._run, self.run_id)
        if RunState.of(log.read()).status.is_final:
            return
        # Whoever is left ends the run, and it has not ended well if somebody was killed.
        if ending.outcome == "completed" and attendance(self._run, self.run_id):
            return
        status = {"status": int(RunStatus[ending.outcome.upper()])}
        log.append("status", status | ({"reason": ending.reason} if ending.reason else {}))

    def _beat(self) -> None:
        self._last_beat = time.monotonic()
        with suppress(OSError):  # it is advice; what matters more will say what is in the way
            adapter = UrlAdapterRegistry.get(self._file)
            if adapter.supports_append() and self._file.exists():
                UrlAdapterRegistry.append_binary_content_to_url(self._file, b"\n", durable=False)
            else:
                self._file.write_bytes(self._content)

    def _is_there(self) -> bool:
        try:
            return read(self._run, RunManifest).id == self.run_id
        except ObjectNotFoundError:
            return False
        except (TlcError, OSError):  # nobody knows
            return True

    def _warn(self) -> None:
        warnings.warn(
            f"The run {self._run} was overwritten or deleted by somebody else. What this process "
            "has written to it, or still writes, is not in the run of that name.",
            OverwrittenRunWarning,
            stacklevel=2,
        )


_lock = threading.Lock()
_presences: dict[Url, Presence] = {}


def attend(run: Url, run_id: str) -> None:
    """Note that this process is at work on a run."""
    with _lock:
        present = _presences.get(run)
        if present is not None and present.run_id == run_id:
            return
        _presences[run] = new = Presence(run, run_id)
    if present is not None:
        present.go()  # that one was overwritten
    new.come()


def leave(run: Url, run_id: str) -> None:
    """Note that this process has done its work on a run."""
    with _lock:
        present = _presences.get(run)
        if present is None or present.run_id != run_id:
            return
        del _presences[run]
    present.go()


def attendance(run: Url, run_id: str) -> list[bool]:
    """Return for each process that is or was at work on a run whether it is still there.

    Processes that have done their work, or have ended in the course of things, are left out.
    """
    return [alive for _, alive in _signs(run, run_id)]


def forget_the_gone(run: Url, run_id: str) -> None:
    """Forget processes that were killed while they were at work: somebody goes on with the run."""
    for file, alive in _signs(run, run_id):
        if not alive:
            with suppress(OSError):
                UrlAdapterRegistry.delete_url(file)


def _signs(run: Url, run_id: str) -> Iterator[tuple[Url, bool]]:
    folder = run / EVENTS / run_id
    try:
        entries = list(UrlAdapterRegistry.list_dir(folder))
    except UrlNotFoundError:
        return
    for entry in entries:
        if entry.name.endswith(ALIVE):
            file = folder / entry.name
            with suppress(UrlNotFoundError):  # it has just gone
                alive = _is_alive(file.read_bytes())
                if alive is None:
                    alive = entry.mtime is None or time.time() - entry.mtime < GONE_SECONDS
                yield file, alive


def _is_alive(content: bytes) -> bool | None:
    try:
        return is_alive(msgspec.json.decode(content, type=Process))
    except msgspec.MsgspecError:  # a later version wrote it
        return None


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _presences.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
