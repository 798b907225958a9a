"""Reading files in full to tell whether they are what was written."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.errors import TlcError, UrlNotFoundError
from tlc.format import parquet
from tlc.format.parquet.footer import footer
from tlc.sample_types.content import damage
from tlc.url import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tlc.format.manifest import FileEntry
    from tlc.url import Url

_PIECE = 1 << 20
_LONGEST_FOOTER = 1 << 26


@dataclass
class Wanted:
    """A file that tables need.

    Attributes:
        entries: What manifests say of it; none if only cells refer to it.
        users: Urls of the tables that need it.
    """

    entries: set[FileEntry] = field(default_factory=set)
    users: list[Url] = field(default_factory=list)


def check_files(wanted: Iterable[tuple[Url, Wanted]]) -> list[tuple[Url, Wanted, str, int]]:
    """Read files, several at once, and return what is wrong with each, and its bytes.

    No more than a piece of each is in memory at any time.
    """
    files = list(wanted)
    with ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 2)) as pool:
        results = pool.map(lambda file: _check(*file), files)
        return [
            (url, want, fault, size)
            for (url, want), (fault, size) in zip(files, results, strict=True)
        ]


def _check(url: Url, wanted: Wanted) -> tuple[str, int]:
    """Return what is wrong with a file, empty if nothing is, and how many bytes were read."""
    try:
        if not wanted.entries:
            content = url.read_bytes()
            return damage(url, content), len(content)
        return _compare(url, wanted.entries)
    except UrlNotFoundError:
        return "it is missing", 0
    except (TlcError, OSError) as error:
        return f"it cannot be read: {getattr(error, 'message', str(error))}", 0


def _compare(url: Url, entries: set[FileEntry]) -> tuple[str, int]:
    size, digest, end = _digest(url)
    for entry in entries:
        if size != entry.length:
            return f"it has {size} bytes instead of {entry.length}", size
        if entry.digest and digest != entry.digest:
            return "its content is not what was written: the digest is another one", size
        if entry.footer and f"sha256:{hashlib.sha256(footer(end)).hexdigest()}" != entry.footer:
            return "the digest of its footer is another one", size
    if not all(entry.digest for entry in entries):
        _read_pages(url)
    return "", size


def _digest(url: Url) -> tuple[int, str, bytes]:
    """Return length, digest and the end of a file, where a Parquet file describes itself."""
    whole, size = hashlib.sha256(), 0
    with UrlAdapterRegistry.open_binary(url) as file:
        while piece := file.read(_PIECE):
            whole.update(piece)
            size += len(piece)
        file.seek(max(0, size - 8))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - 8 - min(length, _LONGEST_FOOTER)))
        return size, f"sha256:{whole.hexdigest()}", file.read()


def _read_pages(url: Url) -> None:
    """Read all pages of a Parquet file whose digest nobody has noted; each has a checksum."""
    file = parquet.DataFile(url)
    names = [field.name for field in file.metadata.schema.to_arrow_schema()]
    for group in range(len(file.group_rows())):
        file.read(group, names)
