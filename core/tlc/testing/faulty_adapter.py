"""An adapter that fails as stores do: before a write, after it, with no answer or a wrong one."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from threading import RLock
from typing import TYPE_CHECKING

from tlc.errors import StorageError, UnsettledWriteError, UrlExistsError, UrlNotFoundError
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.exactly_once import create_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.url.url import Url

__all__ = ["Fault", "FaultyUrlAdapter"]


class Fault(StrEnum):
    """What happens to one request. Where it makes no sense the request succeeds."""

    NONE = "none"
    """It succeeds."""

    FAIL_BEFORE = "fail before"
    """It is lost on its way, or the store answers 5xx and has done nothing."""

    LAND_THEN_ERROR = "land, then 5xx"
    """The store has done it, and answers 5xx."""

    LAND_THEN_TIMEOUT = "land, then time out"
    """The store has done it, and the answer is lost."""

    CONFLICT = "409"
    """The store answers that another request of the same kind is under way, and does nothing."""

    EXISTS_BY_OWN_WRITE = "412 on own write"
    """The request was sent twice on its way: the store has done it, and answers that it was."""

    SLOW = "slow"
    """The answer does not come in time. The store does it later, after other requests."""

    TRUNCATED_READ = "truncated read"
    """The connection ends in the middle of the content."""

    STALE_LIST = "stale list"
    """The listing leaves out what was written last."""


_LANDS_THEN_FAILS = {Fault.LAND_THEN_ERROR, Fault.LAND_THEN_TIMEOUT}


class FaultyUrlAdapter(UrlAdapter):
    """Wraps an adapter. Before each request it asks a script what goes wrong.

    Creating goes through `tlc.url.exactly_once`, as it does in the adapters of clouds.

    Args:
        inner: The adapter that keeps the files.
        scheme: The scheme to serve.
        script: Gets the name of an operation (``"create"``, ``"read id"``, ``"read"``, ``"write"``,
            ``"list"``, ``"head"``, ``"delete"``) and the url, and returns what happens to it.
    """

    def __init__(self, inner: UrlAdapter, scheme: str, script: Callable[[str, Url], Fault]) -> None:
        self._inner = inner
        self._scheme = scheme
        self._script = script
        self._lock = RLock()
        self._write_ids: dict[str, str] = {}
        self._newest: set[str] = set()
        self._slow: deque[tuple[Url, bytes, str]] = deque()
        self.deleted: list[str] = []
        """Urls of the files that were deleted."""

    def schemes(self) -> list[str]:
        """Return the scheme."""
        return [self._scheme]

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write a file that must not exist, whatever the store answers."""
        create_once(self, url, content, sleep=lambda seconds: None)
        return url

    def put_if_absent(self, url: Url, content: bytes, write_id: str) -> None:
        """Send one request."""
        fault = self._ask("create", url)
        if fault is Fault.FAIL_BEFORE:
            raise _no_answer(url)
        if fault is Fault.CONFLICT:
            raise UrlExistsError(f"Another request is under way at {url}.")
        if fault is Fault.SLOW:
            self._slow.append((url, content, write_id))
            raise _no_answer(url)
        if fault in _LANDS_THEN_FAILS:
            self._land(url, content, write_id)
            raise _no_answer(url)
        if not self._land(url, content, write_id) or fault is Fault.EXISTS_BY_OWN_WRITE:
            raise UrlExistsError(f"Something exists already at {url}.")

    def read_write_id(self, url: Url) -> str | None:
        """Return the id that a file was written with."""
        self._fail_or_pass("read id", url)
        with self._lock:
            if not self._inner.exists(url):
                raise UrlNotFoundError(f"Nothing exists at {url}.")
            return self._write_ids.get(str(url))

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        self._fail_or_pass("read", url)
        return self._inner.read_binary_content_from_url(url)

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write a file or replace it."""
        fault = self._ask("write", url)
        if fault is not Fault.FAIL_BEFORE:
            self._inner.write_binary_content_to_url(url, content)
        if fault is Fault.FAIL_BEFORE or fault in _LANDS_THEN_FAILS:
            raise _no_answer(url)
        return url

    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder."""
        self._fail_or_pass("head", url)
        return self._inner.exists(url)

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file."""
        self._fail_or_pass("head", url)
        return self._inner.get_file_size(url)

    def is_dir(self, url: Url) -> bool:
        """Return whether there is a folder."""
        self._fail_or_pass("list", url)
        return self._inner.is_dir(url)

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder."""
        fault = self._fail_or_pass("list", url)
        entries = list(self._inner.list_dir(url))
        if fault is Fault.STALE_LIST:
            entries = [entry for entry in entries if not self._is_newest(entry)]
        return iter(entries)

    def make_dirs(self, url: Url) -> None:
        """Do nothing: stores have no folders."""

    def delete_url(self, url: Url) -> None:
        """Delete a file."""
        self._fail_or_pass("delete", url)
        self.deleted.append(str(url))
        self._inner.delete_url(url)

    def keeps_empty_folders(self) -> bool:
        """Return False."""
        return False

    def settle(self) -> None:
        """Let all requests land that are still under way."""
        with self._lock:
            while self._slow:
                self._land(*self._slow.popleft())

    def _ask(self, operation: str, url: Url) -> Fault:
        fault = self._script(operation, url)
        with self._lock:
            if len(self._slow) > 1 or (self._slow and fault is Fault.NONE):
                self._land(*self._slow.popleft())
        return fault

    def _fail_or_pass(self, operation: str, url: Url) -> Fault:
        fault = self._ask(operation, url)
        if fault in {Fault.FAIL_BEFORE, Fault.SLOW, Fault.TRUNCATED_READ} | _LANDS_THEN_FAILS:
            raise StorageError(f"The store of {url} does not answer as it should: {fault}.")
        return fault

    def _land(self, url: Url, content: bytes, write_id: str) -> bool:
        with self._lock:
            try:
                self._inner.create_binary_content_at_url(url, content)
            except UrlExistsError:
                return False
            self._write_ids[str(url)] = write_id
            self._newest = {str(url)}
            return True

    def _is_newest(self, entry: UrlAdapterDirEntry) -> bool:
        below = f"{entry.path}/"
        return any(url == entry.path or url.startswith(below) for url in self._newest)


def _no_answer(url: Url) -> UnsettledWriteError:
    return UnsettledWriteError(f"The store did not answer whether {url} was written.")
