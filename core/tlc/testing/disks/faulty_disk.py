"""A disk that refuses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tlc.testing.disks.intercepted_disk import InterceptedDisk
from tlc.url.disk import OPERATIONS, Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["FaultyDisk"]


class FaultyDisk(InterceptedDisk):
    """Raises an error at some calls. A write that fails leaves half of its bytes.

    Args:
        errno: The error, as a number of the module `errno`.
        operations: Names of the methods of `Disk` that fail.
        first: Which call is the first to fail, counted from 1 over all `operations`.
        count: How many calls fail from there on; all if None.
        lands: Whether a call does its work before it fails, as when only the answer is lost.
        disk: The disk that does the work; the real one if None.

    Attributes:
        failures: How many calls have failed so far.
    """

    def __init__(
        self,
        errno: int,
        operations: Iterable[str] = OPERATIONS,
        *,
        first: int = 1,
        count: int | None = 1,
        lands: bool = False,
        disk: Disk | None = None,
    ) -> None:
        super().__init__(disk)
        self.failures = 0
        self._errno = errno
        self._operations = frozenset(operations)
        self._first = first
        self._count = count
        self._lands = lands

    def intercept(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do what was asked for, or fail."""
        if not self._is_due(operation):
            return act(*arguments)
        self.failures += 1
        if operation == "write":
            descriptor, data = arguments
            act(descriptor, data if self._lands else data[: len(data) // 2])
        elif self._lands or operation == "close":  # systems close a file even if they complain
            act(*arguments)
        raise OSError(self._errno, os.strerror(self._errno))

    def _is_due(self, operation: str) -> bool:
        if operation not in self._operations:
            return False
        number = sum(self.calls[name] for name in self._operations)
        return number >= self._first and (self._count is None or self.failures < self._count)
