"""A disk whose heirs see every call before it happens."""

from __future__ import annotations

from collections import Counter
from threading import RLock
from typing import TYPE_CHECKING, Any

from tlc.url.disk import Disk

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InterceptedDisk"]


class InterceptedDisk(Disk):
    """Passes every call to another disk by way of `intercept`, which heirs override.

    Args:
        disk: The disk that does the work; the real one if None.

    Attributes:
        calls: How often each operation was asked for, by name.
        lock: Held while a call is under way, so that calls are in one order.
    """

    def __init__(self, disk: Disk | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.lock = RLock()
        self._disk = disk or Disk()

    def intercept(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do what was asked for; heirs do something else instead, before or after.

        Args:
            operation: Name of the method of `Disk`.
            act: Does it; to be called with `arguments`.
            arguments: Those of the method.
        """
        return act(*arguments)

    def open_new(self, path: str) -> int:
        """See `Disk.open_new`."""
        return int(self._ask("open_new", self._disk.open_new, path))

    def open_append(self, path: str, *, create: bool) -> int:
        """See `Disk.open_append`."""
        return int(self._ask("open_append", self._open_append, path, create))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """See `Disk.write`."""
        return int(self._ask("write", self._disk.write, descriptor, data))

    def sync(self, descriptor: int) -> None:
        """See `Disk.sync`."""
        self._ask("sync", self._disk.sync, descriptor)

    def close(self, descriptor: int) -> None:
        """See `Disk.close`."""
        self._ask("close", self._disk.close, descriptor)

    def link(self, source: str, target: str) -> None:
        """See `Disk.link`."""
        self._ask("link", self._disk.link, source, target)

    def replace(self, source: str, target: str) -> None:
        """See `Disk.replace`."""
        self._ask("replace", self._disk.replace, source, target)

    def unlink(self, path: str) -> None:
        """See `Disk.unlink`."""
        self._ask("unlink", self._disk.unlink, path)

    def make_folder(self, path: str) -> None:
        """See `Disk.make_folder`."""
        self._ask("make_folder", self._disk.make_folder, path)

    def remove_folder(self, path: str) -> None:
        """See `Disk.remove_folder`."""
        self._ask("remove_folder", self._disk.remove_folder, path)

    def remove_tree(self, path: str) -> None:
        """See `Disk.remove_tree`."""
        self._ask("remove_tree", self._disk.remove_tree, path)

    def sync_folder(self, path: str) -> None:
        """See `Disk.sync_folder`."""
        self._ask("sync_folder", self._disk.sync_folder, path)

    def _ask(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        with self.lock:
            self.calls[operation] += 1
            return self.intercept(operation, act, *arguments)

    def _open_append(self, path: str, create: bool) -> int:
        return self._disk.open_append(path, create=create)
