"""What is looked after as long as a writer of metrics is open."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tlc._lifetime import keep, release
from tlc.errors import WriterStateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tlc._lifetime import Ending
    from tlc.format.metrics import MetricsBuilder

__all__ = ["OpenWriter", "check_owner"]

WAIT_SECONDS = 4.0  # a turn of the keeper later it is five


class OpenWriter:
    """Has rows written within seconds, also if no more come, and when the process ends.

    It outlives a writer that is dropped without an end, until its rows are written.

    Args:
        builder: Takes the rows.
    """

    rank = 0

    def __init__(self, builder: MetricsBuilder) -> None:
        self.gate = threading.RLock()
        """Held while rows are added. When the process ends it is not given back: rows that nobody
        could write any more are not taken."""
        self._builder = builder
        self._is_closing = False
        self._finish: Callable[[], object] = lambda: None
        keep(self)

    def close(self) -> None:
        """Write what is left, now or as soon as that is possible, and end."""
        self._is_closing = True
        self.keep()

    def finish_later(self, finish: Callable[[], object]) -> None:
        """Write what is left as soon as that is possible, and then call `finish`, until it can."""
        self._finish = finish
        self._is_closing = True

    def drop(self) -> None:
        """Have `close` done by the keeper: this may be called at any moment, in any thread."""
        self._is_closing = True

    def release(self) -> None:
        """End: all is written."""
        release(self)

    def keep(self) -> None:
        """Write what has waited long enough."""
        self._builder.flush_if_older(0.0 if self._is_closing else WAIT_SECONDS)
        if self._is_closing and not self._builder.unwritten:
            self._finish()
            release(self)

    def end(self, ending: Ending) -> None:
        """Write what is left, since the process ends."""
        self.gate.acquire()
        self._builder.flush()
        self._finish()


def check_owner(owner: int, what: str) -> None:
    """Check that a writer is used in the process that made it.

    Raises:
        WriterStateError: It is not: this process was forked from that one.
    """
    if owner != os.getpid():
        raise WriterStateError(
            f"The {what} was made in another process.",
            hint="make one in each process; any number of them can write at the same time.",
        )
