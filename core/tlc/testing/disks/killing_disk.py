"""A disk that kills the process that uses it, at a point with a name."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, Literal

from tlc.testing.disks.intercepted_disk import InterceptedDisk

if TYPE_CHECKING:
    from collections.abc import Callable

    from tlc.url.disk import Disk

__all__ = ["KillingDisk", "Moment"]

Moment = Literal["before", "middle", "after"]


class KillingDisk(InterceptedDisk):
    """Sends SIGKILL to its own process at one call. For processes made to be killed, on POSIX.

    Args:
        operation: Name of a method of `Disk`.
        number: Which call of it, counted from 1.
        moment: ``"before"`` the call or ``"after"`` it; in the ``"middle"`` of a write, when half
            of its bytes are in the file.
        disk: The disk that does the work; the real one if None.
    """

    def __init__(
        self, operation: str, number: int = 1, moment: Moment = "before", disk: Disk | None = None
    ) -> None:
        super().__init__(disk)
        self._point = operation, number
        self._moment = moment

    def intercept(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do what was asked for, or end the process."""
        if (operation, self.calls[operation]) != self._point:
            return act(*arguments)
        try:
            if self._moment == "middle":
                descriptor, data = arguments
                act(descriptor, data[: len(data) // 2])
            elif self._moment == "after":
                act(*arguments)
        finally:  # also if the disk refuses
            os.kill(os.getpid(), signal.SIGKILL)
