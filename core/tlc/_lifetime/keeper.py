"""The thread that looks after what must not be lost."""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from tlc.errors import TlcWarning

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Ending", "Kept", "Outcome", "forget_all", "keeper", "release"]

TURN_SECONDS = 1.0
_WARN_SECONDS = 60.0

Outcome = Literal["completed", "failed", "interrupted"]


@dataclass(frozen=True)
class Ending:
    """How the process ends, and why if it does so before its time."""

    outcome: Outcome
    reason: str = ""


class Kept(Protocol):
    """Something that must not be lost with the process."""

    rank: int
    """At the end, those with a lower one come first."""

    def keep(self) -> None:
        """Do what is due. Called each second, by a thread of its own."""

    def end(self, ending: Ending) -> None:
        """Do what is left to do, since the process ends. Called once, by the same thread."""


class Keeper:
    """Gives everything that is kept its turn, as long as there is something."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: dict[int, Kept] = {}
        self._warned: dict[int, float] = {}
        self._thread: threading.Thread | None = None
        self._wake = threading.Event()
        self._ending: Ending | None = None
        self._ended = threading.Event()
        self._steps = 0

    def add(self, kept: Kept) -> bool:
        """Look after `kept` from now on; return False if it is too late for that."""
        with self._lock:
            if self._ending is not None:
                return False
            self._kept[id(kept)] = kept
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="tlc-keeper", daemon=True)
                try:
                    thread.start()
                except RuntimeError:  # the interpreter is shutting down, or threads are used up
                    return False
                self._thread = thread
        return True

    def remove(self, kept: Kept) -> None:
        """Look after `kept` no longer."""
        with self._lock:
            self._kept.pop(id(kept), None)
            self._warned.pop(id(kept), None)

    def clear(self) -> None:
        """Look after nothing any longer."""
        with self._lock:
            self._kept.clear()

    def end(self, ending: Ending, patience: float) -> None:
        """Tell everything how the process ends, and return when all is done.

        Args:
            ending: How it ends.
            patience: Seconds to wait for one step. A store that hangs must not hold the process.
        """
        with self._lock:
            if self._thread is None:
                return
            self._ending = self._ending or ending
        self._wake.set()
        steps, since = self._steps, time.monotonic()
        while not self._ended.is_set():
            try:
                self._ended.wait(0.05)
            except KeyboardInterrupt:  # a second Ctrl-C: what is being saved is worth the moment
                continue
            if self._steps != steps:
                steps, since = self._steps, time.monotonic()
            elif time.monotonic() - since > patience:
                _tell("The process ends, but a store did not answer: the last seconds are lost.")
                return

    def _work(self) -> None:
        while True:
            self._wake.wait(TURN_SECONDS)
            if self._ending is not None:
                self._finish(self._ending)
                return
            for kept in self._in_order():
                self._try(kept, kept.keep, "It is tried again.")
            with self._lock:
                if not self._kept and self._ending is None:
                    self._thread = None
                    return

    def _finish(self, ending: Ending) -> None:
        for kept in self._in_order():
            self._warned.pop(id(kept), None)
            self._try(kept, partial(kept.end, ending), "The process ends.")
            self._steps += 1
        self._ended.set()

    def _in_order(self) -> list[Kept]:
        with self._lock:
            return sorted(self._kept.values(), key=lambda kept: kept.rank)

    def _try(self, kept: Kept, act: Callable[[], None], prospect: str) -> None:
        """Let `kept` act. An error is told once a minute; the next turn is another try."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - it must not be the end of all others
            if time.monotonic() - self._warned.get(id(kept), -_WARN_SECONDS) >= _WARN_SECONDS:
                self._warned[id(kept)] = time.monotonic()
                _tell(f"{type(error).__name__}: {error} {prospect}")


def _tell(message: str) -> None:
    """Warn from a thread, also where warnings are errors: then by the hook for threads."""
    try:
        warnings.warn(message, TlcWarning, stacklevel=3)
    except TlcWarning as error:
        threading.excepthook(
            threading.ExceptHookArgs((type(error), error, None, threading.current_thread()))
        )


_keeper = Keeper()


def keeper() -> Keeper:
    """Return the keeper of this process."""
    return _keeper


def release(kept: Kept) -> None:
    """Look after `kept` no longer: there is nothing left to lose."""
    _keeper.remove(kept)


def forget_all() -> None:
    """Look after nothing of what was kept so far, as between two tests."""
    _keeper.clear()


def _after_fork() -> None:
    """Start with nothing: what is open belongs to the process that this one was forked from."""
    global _keeper
    _keeper = Keeper()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
