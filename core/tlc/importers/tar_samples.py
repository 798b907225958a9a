"""Samples in the shards of a WebDataset: files of a tar whose names differ in their ends only.

Nothing is extracted to where a name of the archive says, and links in it are not followed.
"""

from __future__ import annotations

import lzma
import re
import tarfile
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Self, cast

from tlc.errors import UrlNotFoundError
from tlc.importers.report import Problem, shortened
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.importers.report import Problems
    from tlc.url import Url

LARGEST = 1 << 30
"""Bytes that the files of a sample may have together."""

_PIECE = 1 << 20
_LARGEST_HEADER = 1 << 20
_SURROGATE = re.compile("[\ud800-\udfff]")
# Headers that tell more of the member after them: `tarfile` reads such a one as a whole.
_LONG_HEADERS = frozenset(
    (
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    )
)
_InvalidHeaderError: type[Exception] = vars(tarfile)["InvalidHeaderError"]
_ReadError = tarfile.ReadError
# What the libraries are known to raise for damaged archives.
_DAMAGES = (
    *(tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError),
    *(zlib.error, lzma.LZMAError),
)


@dataclass
class TarSample:
    """Files of one shard that belong together.

    Attributes:
        shard: The shard.
        key: What their names begin with, with folders.
        contents: What their names end with, in small letters and without the first dot, to their
            contents; None where these were not wanted.
        values: Cells that were made of contents, by the ends of names.
        faults: What is wrong: a rule, a file and a message each.
        size: Bytes that its files have together, whether their contents were wanted or not.
    """

    shard: Url
    key: str
    contents: dict[str, bytes | None] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str, str]] = field(default_factory=list)
    size: int = 0

    def tell(self, problems: Problems) -> None:
        """Note what is wrong."""
        for code, name, message in self.faults:
            place = f"sample {shortened(repr(self.key))}, file {shortened(repr(name))}"
            problems.add(Problem(code=code, file=str(self.shard), record=place, message=message))


def read_samples(
    shard: Url,
    wants: Callable[[str], bool],
    most: Callable[[str], int],
    problems: Problems | None = None,
) -> Iterator[TarSample]:
    """Read the samples of a shard one after the other.

    The same samples and faults are found whatever is wanted.

    Args:
        shard: The archive, which may be compressed.
        wants: Says of the end of a name whether the content of such files is wanted.
        most: Says how many bytes such a file may have.
        problems: Gets what is wrong with the archive itself; the samples before that are given.

    Raises:
        UrlNotFoundError: There is no such file.
    """
    sample: TarSample | None = None
    try:
        for file in _files(shard, problems):
            if sample is not None and sample.key != file.key:
                yield sample
                sample = None
            sample = sample or TarSample(shard, file.key)
            _add(sample, file, most(file.end))
            if not sample.faults:
                _read(sample, file, keep=wants(file.end))
    except UrlNotFoundError:
        raise
    except _DAMAGES as error:
        if sample is not None:
            sample.faults.append(("TAR_DAMAGED", "", "the archive ends or breaks off in it"))
        elif problems is not None:
            message = f"the archive cannot be read on: {error}"
            problems.add(Problem(code="TAR_DAMAGED", file=str(shard), record="", message=message))
    if sample is not None:
        yield sample


class _File(NamedTuple):
    """A file in an archive: the key of its sample, the end of its name, and where to read it."""

    key: str
    end: str
    member: tarfile.TarInfo
    archive: tarfile.TarFile
    is_compressed: bool


def _files(shard: Url, problems: Problems | None) -> Iterator[_File]:
    """Return the files of a shard."""
    file = UrlAdapterRegistry.open_binary(shard)
    with (
        closing(file),
        tarfile.open(fileobj=file, mode="r:*", tarinfo=_Member, encoding="utf-8") as archive,
    ):
        is_compressed = archive.fileobj is not file
        while (member := archive.next()) is not None:
            cast("Any", archive).members.clear()  # else it remembers all of them
            folder, slash, name = member.name.rpartition("/")
            start, dot, end = name.partition(".")
            if member.isdir() or not start or name.startswith("__"):
                continue  # a folder, a hidden file, or notes on the whole
            if member.isreg() and not member.issparse() and dot and end:
                key = f"{folder}{slash}{start}"
                yield _File(key, end.lower(), member, archive, is_compressed)
            elif problems is not None:
                _note_other(shard, member, problems)


class _Member(tarfile.TarInfo):
    """What an archive says of a file."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Make a header of its bytes.

        Raises:
            ReadError: It has a size that it cannot have.
        """
        found = super().frombuf(buf, encoding, errors)
        if found.size < 0 or (found.type in _LONG_HEADERS and found.size > _LARGEST_HEADER):
            raise _ReadError(f"a header tells a size of {found.size} bytes")
        return found

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        """Read the next header; a damaged one is an error, and not the end.

        Raises:
            ReadError: The header is damaged.
        """
        try:
            found = super().fromtarfile(tarfile)
        except _InvalidHeaderError as error:
            raise _ReadError(str(error)) from error
        if found.size < 0:  # which would lead back to where it has been
            raise _ReadError(f"a header tells a size of {found.size} bytes")
        return found


def _note_other(shard: Url, member: tarfile.TarInfo, problems: Problems) -> None:
    is_file = member.isreg() and not member.issparse()
    message = "its name has no ending" if is_file else "it is a link or a device, and no file"
    problems.note(
        Problem(
            code="TAR_MEMBER",
            file=str(shard),
            record=f"file {shortened(repr(member.name))}",
            message=f"{message}; it is left out",
        )
    )


def _add(sample: TarSample, file: _File, most: int) -> None:
    name, size = file.member.name, file.member.size
    sample.size += size
    if _SURROGATE.search(name):
        sample.faults.append(("NAME_NOT_TEXT", name, "its name is no UTF-8 text"))
    elif file.end in sample.contents:
        sample.faults.append(("TAR_DUPLICATE", name, "there are two such files"))
    elif size > most:
        sample.faults.append(("TAR_SIZE", name, f"it has {size} bytes"))
    elif sample.size > LARGEST:
        message = f"with the files before it, the sample has {sample.size} bytes"
        sample.faults.append(("TAR_SIZE", name, message))
    sample.contents.setdefault(file.end)


def _read(sample: TarSample, file: _File, *, keep: bool) -> None:
    if keep:
        sample.contents[file.end] = b"".join(_pieces(file))
    elif file.is_compressed:
        # How far a damaged one can be read depends on how much is read at a time.
        for _ in _pieces(file):
            pass


def _pieces(file: _File) -> Iterator[bytes]:
    """Return the content of a file bit by bit: its size is only what the archive says."""
    content, size = cast("IO[bytes]", file.archive.fileobj), file.member.size
    content.seek(file.member.offset_data)  # `extractfile` would do the same, but is slow
    while size > 0:
        piece = content.read(min(size, _PIECE))
        if not piece:
            raise EOFError("the file is shorter than the archive says")
        yield piece
        size -= len(piece)
