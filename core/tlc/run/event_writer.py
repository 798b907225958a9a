"""Writing the events of one process to a run.

Where files can grow, a line is in the file, and so in the hands of the system, when `write`
returns. On other stores it waits here, so that frequent lines share a file, and the keeper of the
process writes it within seconds.

A writer has a file, its *part*, and goes on to the next one when a part may end with half a line,
or cannot grow. Lines that may or may not be in an earlier part are written again at the start of
the next one: a reader lets them count once.
"""

from __future__ import annotations

import os
import re
import threading
import time
import uuid
import warnings
import weakref
from typing import TYPE_CHECKING

from tlc._lifetime import keep, release
from tlc.errors import (
    StorageFullError,
    StorageFullWarning,
    TlcWarning,
    UrlExistsError,
    UrlNotFoundError,
)
from tlc.format.manifest import now
from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from tlc._lifetime import Ending
    from tlc.url import Url

__all__ = ["EventWriter", "writer_and_part"]

WAIT_SECONDS = 4.0  # a turn of the keeper later it is five
_WARN_SECONDS = 60.0
_ATTEMPTS = 10
_NAME = re.compile(r"(.+)\.(\d+)\.jsonl")


def writer_and_part(name: str) -> tuple[str, int]:
    """Return the writer of a file of events, and which of its parts it is."""
    match = _NAME.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, 0)


class EventWriter:
    """Writes lines to files of this process in a folder.

    Args:
        folder: The folder.
    """

    rank = 1
    _lock: threading.Lock
    _sending: threading.Lock
    _name: str
    _part: int
    _is_begun: bool
    _waiting: list[bytes]
    _unsynced: list[bytes]
    _since: float
    _warned: float

    def __init__(self, folder: Url) -> None:
        self._folder = folder
        self._appends: bool | None = None
        self._start_anew()
        _writers.add(self)

    def write(self, lines: bytes, *, durable: bool) -> None:
        """Write some lines.

        Args:
            lines: The lines, in the order of their times.
            durable: Whether to wait until they are on the disk, and raise what is in the way. If
                not they are there within seconds; where they cannot be written now, with a warning,
                they are kept and tried again.
        """
        with self._lock:
            self._waiting.append(lines)
            self._since = self._since or time.monotonic()
        if durable:
            self._flush_or_give_up(lines)
        elif (
            not keep(self) or self._can_append()
        ):  # nobody would write it later, or it costs little
            self._flush_or_warn(durable=False)

    def keep(self) -> None:
        """Write what has waited long enough."""
        if self._since and time.monotonic() - self._since >= WAIT_SECONDS:
            self._since = time.monotonic()  # if it fails, it has to wait as long again
            self._flush_or_warn(durable=True)
        with self._lock:
            if not self._waiting and not self._unsynced:
                release(self)

    def end(self, ending: Ending) -> None:
        """Write what is left, since the process ends."""
        try:
            self._flush(durable=True)
        except OSError as error:
            lost = b"".join(self._waiting).count(b"\n")
            self._warn(error, f"{lost} logged events are lost: the process ends.")

    def _flush_or_give_up(self, lines: bytes) -> None:
        try:
            self._flush(durable=True)
        except BaseException:
            with self._lock:  # whoever asked for them is told that they are not there
                self._waiting = [each for each in self._waiting if each is not lines]
            raise

    def _flush_or_warn(self, *, durable: bool) -> None:
        try:
            self._flush(durable=durable)
        except OSError as error:
            if time.monotonic() - self._warned >= _WARN_SECONDS:
                self._warned = time.monotonic()
                self._warn(error, "Logged events wait in memory until it is possible again.")

    def _warn(self, error: OSError, consequence: str) -> None:
        category = StorageFullWarning if isinstance(error, StorageFullError) else TlcWarning
        warnings.warn(f"{error} {consequence}", category, stacklevel=2)

    def _flush(self, *, durable: bool) -> None:
        with self._sending:
            with self._lock:
                waiting = list(self._waiting)
            if not waiting and not (durable and self._unsynced):
                return
            try:
                if self._can_append():
                    self._append(b"".join(waiting), durable=durable)
                    self._is_begun = True
                    if durable:
                        self._unsynced = []
                    else:
                        self._unsynced += waiting
                else:
                    self._create(b"".join(waiting))
                with self._lock:
                    self._waiting = self._waiting[len(waiting) :]
                    if not self._waiting and not self._unsynced:
                        self._since = 0.0
            except BaseException:
                self._go_on_with_next_part()
                raise

    def _append(self, lines: bytes, *, durable: bool) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                UrlAdapterRegistry.append_binary_content_to_url(
                    self._file(), lines, durable=durable
                )
                return
            except UrlNotFoundError:
                # Somebody overwrites the run, and deleted the folder just after it was made.
                if attempt == _ATTEMPTS - 1:
                    raise

    def _create(self, lines: bytes) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                UrlAdapterRegistry.create_binary_content_at_url(self._file(), lines)
                self._part += 1
                return
            except UrlExistsError:
                # An earlier attempt did succeed, perhaps with fewer lines.
                if attempt == _ATTEMPTS - 1:
                    raise
                self._part += 1

    def _go_on_with_next_part(self) -> None:
        """After an error: the part may end with half a line, so nothing may come after that.

        What nobody waited for is written again, too: it may never reach the disk.
        """
        if self._is_begun or not self._can_append() or not self._is_removed():
            self._part += 1
        self._is_begun = False
        with self._lock:
            known = {id(each) for each in self._unsynced}
            new = [each for each in self._waiting if id(each) not in known]
            self._waiting, self._unsynced = [*self._unsynced, *new], []

    def _is_removed(self) -> bool:
        """Remove a part that holds nothing, or every attempt on a full disk would leave one."""
        try:
            UrlAdapterRegistry.delete_url(self._file())
        except UrlNotFoundError:
            return True
        except OSError:
            return False
        return True

    def _can_append(self) -> bool:
        if self._appends is None:
            self._appends = UrlAdapterRegistry.get(self._folder).supports_append()
        return self._appends

    def _file(self) -> Url:
        return self._folder / f"{self._name}.{self._part:06d}.jsonl"

    def _start_anew(self) -> None:
        """Begin a file of its own, as a forked process must too: what waits is not its own."""
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._name = f"{now().replace(':', '')}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._part = 0
        self._is_begun = False
        self._waiting = []
        self._unsynced = []
        self._since = 0.0
        self._warned = -_WARN_SECONDS


_writers: weakref.WeakSet[EventWriter] = weakref.WeakSet()


def _after_fork() -> None:
    for writer in list(_writers):
        writer._start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
