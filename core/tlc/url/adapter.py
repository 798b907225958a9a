"""`UrlAdapter`: how bytes are read and written where a scheme keeps them."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

from tlc.errors import TlcError, UnsupportedOperationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tlc.url.url import Url

__all__ = ["UrlAdapter", "UrlAdapterDirEntry", "UrlAdapterProtocol"]


@dataclass(frozen=True)
class UrlAdapterDirEntry:
    """One entry of a folder.

    Attributes:
        name: Its name in the folder.
        path: Its url as text.
        is_dir: Whether it is a folder.
        size: Length of a file in bytes; None if not known.
        mtime: Time of the last change, in seconds since 1970 UTC; None if not known.
    """

    name: str
    path: str
    is_dir: bool = False
    size: int | None = None
    mtime: float | None = None


@runtime_checkable
class UrlAdapterProtocol(Protocol):
    """The least that an adapter can do, for code that only reads."""

    def schemes(self) -> list[str]:
        """Return the schemes whose urls it can read."""
        ...

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        ...

    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder at a url."""
        ...


class UrlAdapter(ABC):
    """Base of all adapters. An heir writes the abstract methods, and of the others those it can.

    The urls that it is given are absolute and hold no alias. One instance serves all threads. An
    adapter that writes must pass `tlc.testing.url_adapter_contract.UrlAdapterContract`.
    """

    @abstractmethod
    def schemes(self) -> list[str]:
        """Return the schemes whose urls it can read."""

    @abstractmethod
    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file.

        Raises:
            UrlNotFoundError: There is none.
        """

    @abstractmethod
    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder at a url."""

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write a file, or replace it: others see the old content or the new, never a part.

        Returns:
            Where the content landed, which may differ from `url`.

        Raises:
            UnsupportedOperationError: The adapter cannot write.
        """
        raise self._unsupported("write", url)

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write a file that must not exist: of many that try at once, one succeeds.

        Raises:
            UrlExistsError: Something is there already; it is left as it was.
            UnsupportedOperationError: The adapter cannot do this in one indivisible step.
        """
        raise self._unsupported("create exclusively", url)

    def append_binary_content_to_url(
        self, url: Url, content: bytes, *, durable: bool = True
    ) -> Url:
        """Add one record to the end of a file, which is made if it is missing.

        Records of several writers never mix. A crash may leave a part of the last record; readers
        must be able to tell.

        Args:
            url: The file.
            content: The record.
            durable: Whether to wait until the file is on the disk. A record that nobody waited for
                survives the end of the process, but not a power cut.

        Raises:
            UnsupportedOperationError: The adapter cannot append.
        """
        raise self._unsupported("append", url)

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder, sorted by name, without files that are being written.

        Raises:
            UrlNotFoundError: There is no such folder.
            UnsupportedOperationError: The adapter cannot list.
        """
        raise self._unsupported("list", url)

    def list_folders(self, url: Url) -> list[str]:
        """Return the names of the folders in a folder, sorted: less work than `list_dir`.

        Raises:
            UrlNotFoundError: There is no such folder.
            UnsupportedOperationError: The adapter cannot list.
        """
        return [entry.name for entry in self.list_dir(url) if entry.is_dir]

    def delete_url(self, url: Url) -> None:
        """Delete a file.

        Raises:
            UrlNotFoundError: There is none.
            UnsupportedOperationError: It is a folder, or the adapter cannot delete.
        """
        raise self._unsupported("delete", url)

    def delete_tree(self, url: Url) -> None:
        """Delete a folder and all below it.

        Raises:
            UrlNotFoundError: There is none.
            UnsupportedOperationError: The adapter cannot delete folders.
        """
        raise self._unsupported("delete the folder", url)

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file in bytes.

        Raises:
            UrlNotFoundError: There is none.
            UnsupportedOperationError: It is a folder, or the adapter cannot tell.
        """
        raise self._unsupported("tell the size of", url)

    def is_dir(self, url: Url) -> bool:
        """Return whether there is a folder at a url.

        Raises:
            UnsupportedOperationError: The adapter cannot tell.
        """
        raise self._unsupported("look for a folder at", url)

    def make_dirs(self, url: Url) -> None:
        """Make a folder and all above it that are missing.

        Raises:
            UnsupportedOperationError: The adapter cannot make folders, or a file is in the way.
        """
        raise self._unsupported("make the folder", url)

    def copy_url(self, source: Url, destination: Url) -> Url:
        """Copy a file to another url of this adapter, replacing what is there.

        Raises:
            UrlNotFoundError: There is no file at `source`.
            UnsupportedOperationError: The adapter cannot write.
        """
        content = self.read_binary_content_from_url(source)
        return self.write_binary_content_to_url(destination, content)

    def read_range(self, url: Url, offset: int, length: int) -> bytes:
        """Return `length` bytes of a file from `offset` on, fewer if the file ends before.

        Raises:
            UrlNotFoundError: There is no such file.
        """
        with self.open_binary(url) as file:
            file.seek(offset)
            return file.read(length)

    def open_binary(self, url: Url) -> BinaryIO:
        """Return a file object that reads, seeks and must be closed.

        Raises:
            UrlNotFoundError: There is no such file.
        """
        return io.BytesIO(self.read_binary_content_from_url(url))

    def read_many(self, urls: Sequence[Url]) -> list[bytes | TlcError]:
        """Return the content of several files; an error in the place of one that has none.

        At once, where waiting for one file does not keep another from coming.
        """
        return [self._content_or_error(url) for url in urls]

    def entity_tag(self, url: Url) -> str | None:
        """Return a text that changes with the content of a file; None if the adapter knows none.

        Raises:
            UrlNotFoundError: There is no such file.
        """
        return None

    def sweep_unfinished(self, url: Url, older_than_seconds: float = 86_400.0) -> list[str]:
        """Remove files below a folder that a writer began and that nobody will finish.

        Nothing is removed that a live writer may still need: only files older than that, and not
        those of a process that is known to be alive. Adapters that write in one request, and so
        leave no such files, do nothing.

        Returns:
            What was removed, as urls.
        """
        return []

    def read_if_changed(self, url: Url, tag: str | None) -> tuple[bytes | None, str | None]:
        """Return the content of a file and its tag, or no content if it still has the tag `tag`.

        Raises:
            UrlNotFoundError: There is no such file.
        """
        now = self.entity_tag(url)
        if now is not None and now == tag:
            return None, now
        return self.read_binary_content_from_url(url), now

    def is_remote(self) -> bool:
        """Return whether files take long to come, so that keeping copies here is worth it."""
        return False

    def keeps_empty_folders(self) -> bool:
        """Return whether folders are things of their own: made, empty, never also a file.

        Where they are not, a folder is there as long as something is below it.
        """
        return True

    def creates_exclusively(self) -> bool:
        """Return whether `create_binary_content_at_url` works, which tables and runs need."""
        return True

    def supports_append(self) -> bool:
        """Return whether `append_binary_content_to_url` works."""
        return False

    def supports_relativization(self) -> bool:
        """Return whether its urls may be stored relative to others; if not they stay absolute."""
        return True

    def local_path(self, url: Url) -> Path | None:
        """Return the path of the file if the operating system can open it, for memory mapping."""
        return None

    def _content_or_error(self, url: Url) -> bytes | TlcError:
        try:
            return self.read_binary_content_from_url(url)
        except TlcError as error:
            return error

    def _unsupported(self, operation: str, url: Url) -> UnsupportedOperationError:
        return UnsupportedOperationError(
            f"{type(self).__name__} cannot {operation} {url}.",
            hint=f"Use a url of another scheme than {url.scheme!r} here.",
        )
