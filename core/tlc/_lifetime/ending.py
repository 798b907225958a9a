"""How the process ends, and that everything that is kept hears of it in time.

Nothing of the user's is replaced. A Ctrl-C raises `KeyboardInterrupt` as ever, and what is left to
do is done by an ``atexit`` function. SIGTERM ends a process without that, so from the first thing
that is kept a handler stands in for the system's default action: it has all saved and ends the
process by that action. A handler that the program has set stays, and so does the default action
with the setting ``handle_sigterm`` off. `sys.exit` is passed through a function that notes its
argument, since nothing else tells an ``atexit`` function of it.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from tlc._lifetime.keeper import Ending, keeper
from tlc.configuration import Configuration

if TYPE_CHECKING:
    from types import FrameType

    from tlc._lifetime.keeper import Kept

__all__ = ["keep"]

PATIENCE_SECONDS = 10.0
PATIENCE_SECONDS_INTERRUPTED = 2.0
_LONGEST_REASON = 1000


class _Signs:
    """What has been seen of the end of this process, and what was there before."""

    process = 0
    handler_of = 0
    terminated = False
    saved = False
    exit_argument: object = None
    error_before: BaseException | None = None


_fork = threading.local()
"""Which signals were blocked before a fork, in the thread that does it."""


def keep(kept: Kept) -> bool:
    """Look after `kept` until it is released; return False if the process is ending already."""
    if _Signs.process != os.getpid():
        _watch()
    if _Signs.handler_of != _Signs.process:
        _handle_sigterm()
    return keeper().add(kept)


def _watch() -> None:
    if not _Signs.process:  # else it has all this from the process that it was forked from
        atexit.register(_at_exit)
        sys.exit = _noting(sys.exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_before_fork, after_in_parent=_unblock, after_in_child=_after_fork
            )
    _Signs.process = os.getpid()
    _Signs.error_before = _last_error()
    _Signs.exit_argument = None
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and processes.parent_process() is not None:
        from multiprocessing.util import Finalize  # such a process ends without `atexit`

        Finalize(None, _at_exit, exitpriority=1000)


def _noting(exit_: Any) -> Any:
    @wraps(exit_)
    def noting(status: object = None, /) -> None:
        _Signs.exit_argument = status
        exit_(status)

    return noting


def _at_exit() -> None:
    ending = _ending()
    hurry = ending.outcome == "interrupted"
    keeper().end(ending, PATIENCE_SECONDS_INTERRUPTED if hurry else PATIENCE_SECONDS)
    if _Signs.terminated and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        _terminate(signal.SIGTERM)
    if isinstance(_last_error(), KeyboardInterrupt):
        # Code made of text, as late imports run it, lets Python forget that the process is to end
        # by SIGINT; such code reminds it.
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")


def _terminate(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _ending() -> Ending:
    if _Signs.terminated:
        return Ending("interrupted", "SIGTERM")
    error = sys.exc_info()[1] or _last_error()
    if error is _Signs.error_before:
        error = None
    if isinstance(error, SystemExit):
        return _ending_of(error.code)
    if isinstance(error, KeyboardInterrupt):
        return Ending("interrupted", "KeyboardInterrupt")
    if hasattr(sys, "ps1"):  # a person saw the errors, and they did not end anything
        return Ending("interrupted", "The interactive session ended.")
    if isinstance(error, MemoryError):
        traceback.clear_frames(error.__traceback__)  # what they hold is needed to save the rest
    if error is not None:
        reason = "".join(traceback.format_exception_only(error)).strip()
        return Ending("failed", reason[:_LONGEST_REASON])
    return _ending_of(_Signs.exit_argument)


def _ending_of(exit_argument: object) -> Ending:
    if exit_argument in (None, 0):
        return Ending("completed")
    if exit_argument in (128 + signal.SIGINT, 128 + signal.SIGTERM):
        return Ending("interrupted", f"sys.exit({exit_argument})")
    if isinstance(exit_argument, int):
        return Ending("failed", f"sys.exit({exit_argument})")
    return Ending("failed", str(exit_argument)[:_LONGEST_REASON])


def _last_error() -> BaseException | None:
    """Return the error that was shown last because nobody caught it."""
    return getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)


def _handle_sigterm() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    _Signs.handler_of = os.getpid()
    if not Configuration.instance().handle_sigterm:
        return
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    if _Signs.handler_of != os.getpid() or _Signs.saved:
        _terminate(number)
        return
    first, _Signs.terminated = not _Signs.terminated, True
    # A handler that the program has set since, and that calls this one too, ends it in its own way.
    if first and signal.getsignal(number) is _on_sigterm:
        # Not here: this thread may hold, at this very moment, what is to be saved.
        threading.Thread(target=_save_and_terminate, args=(number,), daemon=True).start()


def _save_and_terminate(number: int) -> None:
    keeper().end(Ending("interrupted", "SIGTERM"), PATIENCE_SECONDS_INTERRUPTED)
    _Signs.saved = True
    os.kill(os.getpid(), number)
    time.sleep(PATIENCE_SECONDS_INTERRUPTED)
    os._exit(128 + number)  # the main thread is in code that lets no handler run


def _before_fork() -> None:
    """Let SIGTERM wait: a child that gets it at once must not lose it between two handlers."""
    _fork.mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _fork.mask)


def _after_fork() -> None:
    """Leave the end of the process that this one was forked from to that one."""
    if signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _Signs.handler_of = 0
    _Signs.terminated = _Signs.saved = False
    _unblock()
