"""Urls of any file system that `fsspec` knows, under a scheme of the program's choice."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.errors import (
    StorageError,
    TlcError,
    UnsettledWriteError,
    UnsupportedOperationError,
    UrlExistsError,
    UrlNotFoundError,
)
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.exactly_once import WRITE_ID, create_once
from tlc.url.parallel import in_parallel
from tlc.url.refusals import file_errors_of, is_folder
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from tlc.url.url import Url

__all__ = ["FsspecUrlAdapter", "register_fsspec"]

_STORES = {"abfs", "abfss", "adl", "az", "gcs", "gs", "oss", "s3", "s3a"}
_TAGS = ("etag", "ETag", "e_tag", "generation")


def register_fsspec(
    scheme: str,
    filesystem: Any,
    options: Mapping[str, Any] | None = None,
    *,
    creates_exclusively: bool = False,
    override: bool = False,
) -> FsspecUrlAdapter:
    """Let a file system of `fsspec` serve a scheme: ``scheme://path``.

    Args:
        scheme: A name of your choice, such as ``"hf"``.
        filesystem: The file system, or its name in `fsspec`.
        options: Arguments for the file system, if its name is given.
        creates_exclusively: Whether its ``pipe_file(..., mode="create")`` is one indivisible step,
            which tables and runs need. It is known of Google Cloud Storage; of another file system
            you have to know it.
        override: Whether it may take the scheme from another adapter.

    Raises:
        MissingExtraError: `fsspec` is not installed.
        ConfigurationError: Another adapter has the scheme and `override` is false.
    """
    if isinstance(filesystem, str):
        fsspec = require("fsspec", extra="fsspec", purpose=f"for urls {scheme}://")
        filesystem = fsspec.filesystem(filesystem, **(options or {}))
    adapter = FsspecUrlAdapter(scheme, filesystem, creates_exclusively=creates_exclusively)
    UrlAdapterRegistry.register(adapter, override=override)
    return adapter


class FsspecUrlAdapter(UrlAdapter):
    """Reads and writes through a file system of `fsspec`.

    Args:
        scheme: The scheme to serve.
        filesystem: The file system.
        creates_exclusively: Whether its ``pipe_file(..., mode="create")`` is one indivisible step.
    """

    def __init__(self, scheme: str, filesystem: Any, *, creates_exclusively: bool = False) -> None:
        self._scheme = scheme
        self._filesystem = filesystem
        self._pid = os.getpid()
        self._has_write_ids = type(filesystem).__module__.partition(".")[0] == "gcsfs"
        self._creates_exclusively = creates_exclusively or self._has_write_ids

    def schemes(self) -> list[str]:
        """Return the scheme."""
        return [self._scheme]

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of a file."""
        with _errors_of(url):
            return self._system().cat_file(_path(url))

    def read_range(self, url: Url, offset: int, length: int) -> bytes:
        """Return a part of a file."""
        try:
            with _errors_of(url):
                return self._system().cat_file(_path(url), start=offset, end=offset + length)
        except StorageError:
            # Many cannot give a part that begins at the end.
            if offset < self.get_file_size(url):
                raise
            return b""

    def open_binary(self, url: Url) -> BinaryIO:
        """Return a file object that fetches what is read of it, if the file system can."""
        with _errors_of(url):
            return self._system().open(_path(url), "rb")

    def read_many(self, urls: Sequence[Url]) -> list[bytes | TlcError]:
        """Return the content of several files, fetched at once."""
        return in_parallel(self._content_or_error, urls)

    def entity_tag(self, url: Url) -> str | None:
        """Return what the file system calls the tag of a file, if it has such."""
        info = self._info(url)
        return next((str(info[name]) for name in _TAGS if info.get(name)), None)

    def is_remote(self) -> bool:
        """Return True: most are."""
        return True

    def get_file_size(self, url: Url) -> int:
        """Return the length of a file in bytes."""
        info = self._info(url)
        if info["type"] == "directory":
            raise is_folder(url)
        return info["size"]

    def exists(self, url: Url) -> bool:
        """Return whether there is a file or folder."""
        with _errors_of(url):
            return self._system().exists(_path(url))

    def is_dir(self, url: Url) -> bool:
        """Return whether there is a folder."""
        with _errors_of(url):
            return self._system().isdir(_path(url))

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the entries of a folder, sorted by name."""
        with _errors_of(url):
            found = self._system().ls(_path(url), detail=True)
        entries = [_entry(url, info) for info in found if _name(info) != _name({"name": str(url)})]
        if not entries and not self.is_dir(url):
            raise UrlNotFoundError(f"Nothing exists at {url}.")
        return iter(sorted(entries, key=lambda entry: entry.name))

    def make_dirs(self, url: Url) -> None:
        """Make a folder, if the file system has such."""
        if not self.keeps_empty_folders():
            return
        try:
            with _errors_of(url):
                self._system().makedirs(_path(url), exist_ok=True)
                is_folder = self._system().isdir(_path(url))
        except (UrlExistsError, UrlNotFoundError):
            is_folder = False
        if not is_folder:
            raise UnsupportedOperationError(
                f"The folder {url} cannot be made: there is a file of that name, or above it."
            )

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write a file or replace it; whether in one step is up to the file system."""
        self.make_dirs(url.parent)
        with _errors_of(url):
            self._system().pipe_file(_path(url), content)
        return url

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write a file that must not exist, if the file system can do so in one step."""
        if not self._creates_exclusively:
            raise UnsupportedOperationError(
                f"{type(self._filesystem).__name__} is not known to create a file exclusively, "
                f"so {url} could be written over by another writer.",
                hint="Keep tables and runs elsewhere, or pass creates_exclusively=True to "
                "register_fsspec if pipe_file(..., mode='create') is one indivisible step.",
            )
        self.make_dirs(url.parent)
        create_once(self, url, content)
        return url

    def put_if_absent(self, url: Url, content: bytes, write_id: str) -> None:
        """Send one request that writes a file if there is none, with an id if it can have one."""
        options = {"metadata": {WRITE_ID: write_id}} if self._has_write_ids else {}
        try:
            with _errors_of(url):
                self._system().pipe_file(_path(url), content, mode="create", **options)
        except StorageError as error:
            raise UnsettledWriteError(error.message) from error

    def read_write_id(self, url: Url) -> str | None:
        """Return the id that a file was written with; None if it has none."""
        self._info(url)
        with _errors_of(url):
            return self._system().getxattr(_path(url), WRITE_ID) if self._has_write_ids else None

    def delete_url(self, url: Url) -> None:
        """Delete a file."""
        if self._info(url)["type"] == "directory":
            raise is_folder(url)
        with _errors_of(url):
            self._system().rm_file(_path(url))

    def delete_tree(self, url: Url) -> None:
        """Delete a folder and all below it."""
        if not self.is_dir(url):
            raise UrlNotFoundError(f"Nothing exists at {url}.")
        with _errors_of(url):
            self._system().rm(_path(url), recursive=True)

    def keeps_empty_folders(self) -> bool:
        """Return whether the file system is none of the stores of clouds."""
        names = self._filesystem.protocol
        return not _STORES & ({names} if isinstance(names, str) else set(names))

    def creates_exclusively(self) -> bool:
        """Return whether tables and runs can be written there."""
        return self._creates_exclusively

    def _info(self, url: Url) -> Any:
        with _errors_of(url):
            return self._system().info(_path(url))

    def _system(self) -> Any:
        if self._pid != os.getpid():  # its threads have not come along
            old = self._filesystem
            self._filesystem = type(old)(*old.storage_args, **old.storage_options)
            self._pid = os.getpid()
        # Others may have written what it remembers to be missing.
        self._filesystem.invalidate_cache()
        return self._filesystem


def _path(url: Url) -> str:
    return str(url).partition("://")[2]


def _name(info: Any) -> str:
    return str(info["name"]).rstrip("/").rpartition("/")[2]


def _entry(url: Url, info: Any) -> UrlAdapterDirEntry:
    name, is_dir = _name(info), info["type"] == "directory"
    changed = info.get("mtime") or info.get("LastModified") or info.get("last_modified")
    return UrlAdapterDirEntry(
        name,
        f"{url}/{name}",
        is_dir=is_dir,
        size=None if is_dir else info.get("size"),
        mtime=changed.timestamp() if hasattr(changed, "timestamp") else changed,
    )


@contextmanager
def _errors_of(url: Url) -> Iterator[None]:
    try:
        with file_errors_of(url):
            yield
    except TlcError:
        raise
    except NotImplementedError as error:
        raise UnsupportedOperationError(f"The file system of {url} cannot do this.") from error
    except BaseException as error:
        if isinstance(error, Exception):  # each file system has errors of its own
            raise StorageError(f"{url}: {type(error).__name__}: {error}") from error
        raise
