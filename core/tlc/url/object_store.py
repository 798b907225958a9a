"""Urls of objects in the stores of clouds, through `obstore`."""

from __future__ import annotations

import os
from abc import abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tlc.errors import TlcError, UnsupportedOperationError, UrlExistsError, UrlNotFoundError
from tlc.url.adapter import UrlAdapter, UrlAdapterDirEntry
from tlc.url.exactly_once import WRITE_ID, create_once
from tlc.url.object_store_errors import errors_of, not_found, writing_errors_of
from tlc.url.obstore_loading import load_obstore
from tlc.url.parallel import in_parallel
from tlc.url.ranges import READ_AHEAD, RangeFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from tlc.url.url import Url

__all__ = ["ObjectStoreUrlAdapter", "get_if_changed"]

_MAX_PROBE = 1 << 20
_TRIES = 5


class ObjectStoreUrlAdapter(UrlAdapter):
    """Base of the adapters of clouds: ``scheme://bucket/key``.

    A store has no folders: one is there as long as an object lies below it. There is one client per
    bucket, process and set of credentials.
    """

    settings: tuple[str, ...] = ()
    """Starts of the names of the environment variables that a client depends on."""

    def __init__(self) -> None:
        self._clients: dict[tuple[object, ...], Any] = {}
        self._proven: set[int] = set()

    @abstractmethod
    def new_client(self, bucket: str, **options: Any) -> Any:
        """Return a store of `obstore` for a bucket, set up from the environment.

        Args:
            bucket: Its name, as it stands in urls.
            options: Arguments for the store: `client_options` and `retry_config`.
        """

    def read_binary_content_from_url(self, url: Url) -> bytes:
        """Return the content of an object."""
        with errors_of(url):
            return bytes(load_obstore().get(*self._place(url)).bytes())

    def read_range(self, url: Url, offset: int, length: int) -> bytes:
        """Return a part of an object with one request."""
        return self._fetch(url, offset, offset + length)[0]

    def open_binary(self, url: Url) -> BinaryIO:
        """Return a file object that fetches what is read of it, and a little ahead."""
        head, size = self._fetch(url, 0, READ_AHEAD)
        file: Any = RangeFile(lambda start, stop: self._fetch(url, start, stop)[0], size, head)
        return file

    def read_many(self, urls: Sequence[Url]) -> list[bytes | TlcError]:
        """Return the content of several objects, fetched at once."""
        return in_parallel(self._content_or_error, urls)

    def entity_tag(self, url: Url) -> str | None:
        """Return what the store calls the tag of an object."""
        return self._head(url)["e_tag"]

    def read_if_changed(self, url: Url, tag: str | None) -> tuple[bytes | None, str | None]:
        """Return content and tag of an object with one request, or no content if it has `tag`."""
        client, key = self._place(url)
        return get_if_changed(url, client, key, tag)

    def is_remote(self) -> bool:
        """Return True."""
        return True

    def get_file_size(self, url: Url) -> int:
        """Return the length of an object in bytes."""
        return self._head(url)["size"]

    def exists(self, url: Url) -> bool:
        """Return whether there is an object, or one below."""
        try:
            self._head(url)
        except UrlNotFoundError:
            return self.is_dir(url)
        return True

    def is_dir(self, url: Url) -> bool:
        """Return whether there is an object below."""
        try:
            return next(self._below(url), None) is not None
        except UrlNotFoundError:  # there is no such bucket
            return False

    def list_dir(self, url: Url) -> Iterator[UrlAdapterDirEntry]:
        """Return the objects directly below, and the folders, sorted by name."""
        client, key = self._place(url)
        with errors_of(url):
            found = load_obstore().list_with_delimiter(client, key or None)
        entries = [_folder(url, path) for path in found["common_prefixes"]]
        # Some tools mark a folder by an object of its own name.
        entries += [_object(url, meta) for meta in found["objects"] if meta["path"] != key]
        if not entries and key:
            raise not_found(url)
        return iter(sorted(entries, key=lambda entry: entry.name))

    def make_dirs(self, url: Url) -> None:
        """Do nothing: a folder is there when something is written into it."""

    def write_binary_content_to_url(self, url: Url, content: bytes) -> Url:
        """Write an object or replace it."""
        with errors_of(url):
            load_obstore().put(*self._place(url), content)
        return url

    def create_binary_content_at_url(self, url: Url, content: bytes) -> Url:
        """Write an object that must not exist.

        Raises:
            UrlExistsError: There is one already.
            UnsupportedOperationError: The store has no conditional writes.
            UnsettledWriteError: The store did not say whether it has written.
        """
        create_once(self, url, content)
        return url

    def put_if_absent(self, url: Url, content: bytes, write_id: str) -> None:
        """Send one request that writes an object, with an id, if there is none."""
        self._put_new(url, content, write_id)
        client = id(self._place(url, max_retries=0)[0])  # none is ever freed
        if client in self._proven or len(content) > _MAX_PROBE:
            return
        # A store that ignores the condition would let writers overwrite each other. The same
        # request once more tells: it can only overwrite the object with itself.
        try:
            self._put_new(url, content, write_id)
        except UrlExistsError:
            self._proven.add(client)
            return
        raise UnsupportedOperationError(
            f"The store of {url} writes over an object even if it is told to create one.",
            hint="Tables and runs need a store with conditional writes (If-None-Match).",
        )

    def read_write_id(self, url: Url) -> str | None:
        """Return the id that an object was written with; None if it has none."""
        with errors_of(url):
            answer = load_obstore().get(*self._place(url), options={"head": True})
        return answer.attributes.get(WRITE_ID)

    def delete_url(self, url: Url) -> None:
        """Delete an object."""
        self._head(url)  # some stores are silent about what is not there
        with errors_of(url):
            load_obstore().delete(*self._place(url))

    def delete_tree(self, url: Url) -> None:
        """Delete all objects below, many with one request."""
        keys = list(self._below(url))
        if not keys:
            raise not_found(url)
        for last in [False] * (_TRIES - 1) + [True]:
            try:
                with errors_of(url):
                    load_obstore().delete(self._place(url)[0], keys)
            except UrlNotFoundError:  # somebody else deletes as well
                if last:
                    raise
            else:
                return
            keys = list(self._below(url))

    def copy_url(self, source: Url, destination: Url) -> Url:
        """Copy an object, inside the store where it stays in one bucket."""
        bucket, key = _split(source)
        other, target = _split(destination)
        if bucket != other:
            return super().copy_url(source, destination)
        with errors_of(source):
            load_obstore().copy(self._place(source)[0], key, target)
        return destination

    def keeps_empty_folders(self) -> bool:
        """Return False."""
        return False

    def _head(self, url: Url) -> Any:
        client, key = self._place(url)
        if not key:
            raise not_found(url)
        with errors_of(url):
            return load_obstore().head(client, key)

    def _fetch(self, url: Url, start: int, stop: int) -> tuple[bytes, int]:
        """Return the bytes between two offsets, and the length of the whole."""
        client, key = self._place(url)
        try:
            with errors_of(url):
                options = {"range": (start, stop)}
                answer = load_obstore().get(client, key, options=options)
                return bytes(answer.bytes()), answer.meta["size"]
        except UrlNotFoundError:
            raise
        except TlcError:
            # No store can give a part that begins at the end, which it does in an empty object.
            size = self._head(url)["size"]
            if start < size and start < stop:
                raise
            return b"", size

    def _below(self, url: Url) -> Iterator[str]:
        client, key = self._place(url)
        with errors_of(url):
            for page in load_obstore().list(client, key or None, chunk_size=1000):
                yield from (meta["path"] for meta in page if meta["path"] != key)

    def _put_new(self, url: Url, content: bytes, write_id: str) -> None:
        # Without retries below: what became of each request must be known here.
        client, key = self._place(url, max_retries=0)
        with writing_errors_of(url):
            load_obstore().put(client, key, content, mode="create", attributes={WRITE_ID: write_id})

    def _place(self, url: Url, **retries: Any) -> tuple[Any, str]:
        bucket, key = _split(url)
        environment = tuple(
            sorted(each for each in os.environ.items() if each[0].startswith(self.settings))
        )
        name = (os.getpid(), bucket, *retries.items(), environment)
        client = self._clients.get(name)
        if client is None:
            options = {"timeout": timedelta(minutes=2), "connect_timeout": timedelta(seconds=5)}
            config = {"retry_timeout": timedelta(minutes=1), "max_retries": 5, **retries}
            with errors_of(url):
                client = self.new_client(bucket, client_options=options, retry_config=config)
            self._clients[name] = client
        return client, key


def get_if_changed(
    url: Url, client: Any, key: str, tag: str | None
) -> tuple[bytes | None, str | None]:
    """Return content and tag of an object with one request, or no content if it has `tag`."""
    obstore = load_obstore()
    with errors_of(url):
        try:
            answer = obstore.get(client, key, options={"if_none_match": tag} if tag else None)
        except obstore.exceptions.NotModifiedError:
            return None, tag
        return bytes(answer.bytes()), answer.meta["e_tag"]


def _split(url: Url) -> tuple[str, str]:
    # From the text: a "?" belongs to the key.
    bucket, _, key = str(url).partition("://")[2].partition("/")
    return bucket, key


def _folder(url: Url, path: str) -> UrlAdapterDirEntry:
    name = path.rpartition("/")[2]
    return UrlAdapterDirEntry(name, f"{url}/{name}", is_dir=True)


def _object(url: Url, meta: Any) -> UrlAdapterDirEntry:
    name = meta["path"].rpartition("/")[2]
    changed = meta["last_modified"].timestamp()
    return UrlAdapterDirEntry(name, f"{url}/{name}", size=meta["size"], mtime=changed)
