"""A disk that says it has waited and has not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.testing.disks.intercepted_disk import InterceptedDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tlc.url.disk import Disk

__all__ = ["LyingDisk"]


class LyingDisk(InterceptedDisk):
    """Leaves out some operations. What a test of durability must notice, or it is blind.

    Args:
        skipped: Names of methods of `Disk` that return nothing: ``sync``, ``sync_folder``.
        disk: The disk that does the work; the real one if None.
    """

    def __init__(self, skipped: Iterable[str], disk: Disk | None = None) -> None:
        super().__init__(disk)
        self._skipped = frozenset(skipped)

    def intercept(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do what was asked for, or nothing."""
        return None if operation in self._skipped else act(*arguments)
