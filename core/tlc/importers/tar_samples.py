"""Samples in the shards of a WebDataset: files of a tar whose names differ in their ends only.

Nothing is extracted to where a name of the archive says, and links in it are not followed.
"""

from __future__ import annotations

import lzma
import tarfile
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self, cast

from tlc.errors import UrlNotFoundError
from tlc.importers.report import Problem, shortened
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.importers.report import Problems
    from tlc.url import Url

LARGEST = 1 << 30
"""Bytes that a file in a shard may have."""

_PIECE = 1 << 20
_InvalidHeaderError: type[Exception] = vars(tarfile)["InvalidHeaderError"]
_ReadError = tarfile.ReadError
# What the libraries are known to raise for damaged archives.
_DAMAGES = (
    *(tarfile.TarError, EOFError, OSError, ValueError, OverflowError),
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
    """

    shard: Url
    key: str
    contents: dict[str, bytes | None] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str, str]] = field(default_factory=list)

    def tell(self, problems: Problems) -> None:
        """Note what is wrong."""
        for code, name, message in self.faults:
            place = f"sample {shortened(repr(self.key))}, file {shortened(repr(name))}"
            problems.add(Problem(code=code, file=str(self.shard), record=place, message=message))


def read_samples(
    shard: Url, wants: Callable[[str], bool], problems: Problems | None = None
) -> Iterator[TarSample]:
    """Read the samples of a shard one after the other.

    Args:
        shard: The archive, which may be compressed.
        wants: Says of the end of a name whether the content of such files is wanted.
        problems: Gets what is wrong with the archive itself; the samples before that are given.

    Raises:
        UrlNotFoundError: There is no such file.
    """
    sample: TarSample | None = None
    try:
        for key, end, member, archive in _members(shard, problems):
            if sample is not None and sample.key != key:
                yield sample
                sample = None
            sample = sample or TarSample(shard, key)
            _add(sample, end, member, archive, wants)
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


def _members(
    shard: Url, problems: Problems | None
) -> Iterator[tuple[str, str, tarfile.TarInfo, tarfile.TarFile]]:
    """Return the files of a shard, with key and end of their names."""
    file = UrlAdapterRegistry.open_binary(shard)
    with closing(file), tarfile.open(fileobj=file, mode="r:*", tarinfo=_Member) as archive:
        while (member := archive.next()) is not None:
            cast("Any", archive).members.clear()  # else it remembers all of them
            folder, slash, name = member.name.rpartition("/")
            start, dot, end = name.partition(".")
            if member.isdir() or not start or name.startswith("__"):
                continue  # a folder, a hidden file, or notes on the whole
            if member.isreg() and not member.issparse() and dot and end:
                yield f"{folder}{slash}{start}", end.lower(), member, archive
            elif problems is not None:
                _note_other(shard, member, problems)


class _Member(tarfile.TarInfo):
    """What an archive says of a file."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        """Read the next header; a damaged one is an error, and not the end.

        Raises:
            ReadError: The header is damaged.
        """
        try:
            return super().fromtarfile(tarfile)
        except _InvalidHeaderError as error:
            raise _ReadError(str(error)) from error


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


def _add(
    sample: TarSample,
    end: str,
    member: tarfile.TarInfo,
    archive: tarfile.TarFile,
    wants: Callable[[str], bool],
) -> None:
    if end in sample.contents:
        sample.faults.append(("TAR_DUPLICATE", member.name, "there are two such files"))
    elif member.size > LARGEST:
        sample.faults.append(("TAR_SIZE", member.name, f"it has {member.size} bytes"))
    file = archive.extractfile(member) if wants(end) and member.size <= LARGEST else None
    sample.contents[end] = _content(file, member.size) if file is not None else None


def _content(file: IO[bytes], size: int) -> bytes:
    """Return the content of a file, bit by bit: its size is only what the archive says."""
    pieces: list[bytes] = []
    while size > 0:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise EOFError("the file is shorter than the archive says")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
