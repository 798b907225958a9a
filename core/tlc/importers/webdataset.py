"""WebDataset: tar shards with the files of each sample one after the other."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from tlc.errors import OptionError, SchemaError, UrlNotFoundError
from tlc.importers.columns import check_schema
from tlc.importers.folders import IMAGE_SUFFIXES
from tlc.importers.media import encoded
from tlc.importers.report import Problem, Problems, shortened
from tlc.importers.source import Batch, Source
from tlc.importers.tar_samples import LARGEST, TarSample, read_samples
from tlc.schemas import (
    ExternalNumpyArraySchema,
    ImageSchema,
    Int64Schema,
    Schema,
    StringSchema,
    UrlSchema,
    VideoUrlSchema,
)
from tlc.schemas.values import DictValue
from tlc.url import Url
from tlc.url.registry import UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    Location = Url | str | os.PathLike[str]
    _Row = tuple[str, Mapping[str, Any]]

KEY = "__key__"
"""Column with what the names of a sample's files begin with."""

_ROWS, _BYTES = 256, 64 << 20  # when so many samples, or bytes, are in memory they are a batch
_LARGEST_CELL = 64 << 20
_MOST_SHARDS = 1_000_000
_IMAGES = frozenset(suffix[1:] for suffix in IMAGE_SUFFIXES)
_NUMBERS = frozenset({"cls", "cls2", "class", "count", "index", "inx", "id"})
_TEXTS = frozenset({"txt", "text", "transcript", "caption"})
_JSON = frozenset({"json", "jsn"})
_VIDEOS = frozenset({"mp4", "avi", "mov", "mkv", "webm", "h264", "mjpeg", "ogv"})
_RANGE = re.compile(r"\{([0-9]{1,99})\.\.([0-9]{1,99})\}")


@dataclass
class _Shard:
    """What the first look at a shard found.

    Attributes:
        url: The shard.
        digest: Of the small files of all shards up to this one.
        keys: Those of its samples.
        ends: What the names of the files of each end with; None for a sample that is left out.
    """

    url: Url
    digest: bytes = b""
    keys: list[str] = field(default_factory=list)
    ends: list[frozenset[str] | None] = field(default_factory=list)


def from_webdataset(
    shards: Location | Sequence[Location],
    schema: Mapping[str, Schema] | None,
    *,
    on_error: str = "raise",
) -> Source:
    """Take the samples of shards.

    All shards are read twice: first to know the columns and to check everything but the images and
    the like, then for the rows. Of the first time, only names are remembered.

    Args:
        shards: Shards, or folders of them, in order; ``{000..123}`` stands for many.
        schema: Schemas of columns, in place of those that follow from the names of the files.
        on_error: ``"raise"``, or ``"skip"`` to leave out samples that are wrong.

    Raises:
        OptionError: A pattern stands for more than a million shards.
        UrlNotFoundError: There is no such shard, or none in a folder.
        AnnotationFileError: Samples are wrong.
        ColumnError: A schema names a column that is not there.
        SchemaError: When rows are taken: a shard is another than it was at first.
    """
    problems = Problems(on_error)
    urls = [url for each in _listed(shards) for url in _expanded(each)]
    start = repr([UrlAdapterRegistry.get_file_size(url) for url in urls]).encode()
    look = _FirstLook(start, problems)
    found = [look.at(url) for url in urls]
    problems.check()
    columns = _columns(look.ends, look.groups)
    kinds = {KEY: StringSchema(), **{name: _schema(ends[0]) for name, ends in columns.items()}}
    schemas = {**kinds, **check_schema(schema, list(kinds))}
    fingerprint = {
        "urls": [url.to_relative().to_str() for url in urls],
        "digest": look.digest.hexdigest(),
    }
    report = problems.report(look.rows)
    return Source(
        "webdataset", lambda: _batches(found, start, columns), schemas, fingerprint, lambda: report
    )


def _listed(shards: Location | Sequence[Location]) -> Sequence[Location]:
    return [shards] if isinstance(shards, str | os.PathLike | Url) else shards


def _expanded(shards: Location) -> Iterator[Url]:
    """Return the urls of shards, as a pattern or a folder names them.

    Raises:
        OptionError: There are too many.
        UrlNotFoundError: A folder has none.
    """
    text = os.fspath(shards)
    ranges = [_Range(*map(str, found)) for found in _RANGE.findall(text)]
    if math.prod(each.count for each in ranges) > _MOST_SHARDS:
        raise OptionError(
            f"The pattern {text!r} stands for more than {_MOST_SHARDS} shards.",
            hint="{000..123} stands for the numbers from 000 to 123, both included.",
        )
    parts = _RANGE.split(text)[::3]
    for numbers in product(*(each.texts() for each in ranges)):
        pairs = zip(parts, (*numbers, ""), strict=True)
        url = Url("".join(f"{part}{number}" for part, number in pairs)).to_absolute()
        if not UrlAdapterRegistry.is_dir(url):
            yield url
            continue
        names = [entry.name for entry in UrlAdapterRegistry.list_dir(url) if not entry.is_dir]
        tars = [name for name in names if ".tar" in name.lower() or name.lower().endswith(".tgz")]
        if not tars:
            raise UrlNotFoundError(f"There is no tar in the folder {url}.")
        yield from (url / name for name in tars)


class _Range:
    """A range such as ``000..123``, which a shell would expand in the same way."""

    def __init__(self, first: str, last: str) -> None:
        self._first, self._last = int(first), int(last)
        is_padded = any(len(each) > 1 and each.startswith("0") for each in (first, last))
        self._width = max(len(first), len(last)) if is_padded else 0
        self.count = abs(self._last - self._first) + 1

    def texts(self) -> Iterator[str]:
        """Return the numbers, which go down where the first is greater than the last."""
        step = 1 if self._first <= self._last else -1
        for number in range(self._first, self._last + step, step):
            yield f"{number:0{self._width}d}"


class _FirstLook:
    """Checks the samples of shards, and gathers what has to be known before there are rows.

    Args:
        start: What the digest begins with.
        problems: Gets samples that are wrong, and notes of keys that a shard has more than once.

    Attributes:
        digest: What tells shards apart: their lengths, the names in them and all small files.
        ends: What names of files end with, in the order in which that is met first.
        groups: Which of these samples have together.
        rows: How many samples are right.
    """

    def __init__(self, start: bytes, problems: Problems) -> None:
        self._problems = problems
        self.digest = hashlib.sha256(start)
        self.ends: dict[str, None] = {}
        self.groups: dict[frozenset[str], frozenset[str]] = {}
        self.rows = 0

    def at(self, url: Url) -> _Shard:
        """Return what is in a shard."""
        shard, known = _Shard(url), set[str]()
        for sample in read_samples(url, _is_small, _most, self._problems):
            _read_cells(sample)
            self.digest.update(_told(sample))
            sample.tell(self._problems)
            if sample.key in known:
                self._note_repeated(sample)
            known.add(sample.key)
            shard.keys.append(sample.key)
            shard.ends.append(None if sample.faults else self._group(sample))
        shard.digest = self.digest.digest()
        return shard

    def _group(self, sample: TarSample) -> frozenset[str]:
        self.rows += 1
        group = frozenset(sample.contents)
        if group not in self.groups:
            self.ends |= dict.fromkeys(sample.contents)
        return self.groups.setdefault(group, group)

    def _note_repeated(self, sample: TarSample) -> None:
        self._problems.note(
            Problem(
                code="TAR_KEY",
                file=str(sample.shard),
                record=f"sample {shortened(repr(sample.key))}",
                message="a sample before it, with others in between, has the same key",
                hint="files of one sample must follow each other: sort them by name",
            )
        )


def _is_small(end: str) -> bool:
    """Whether files whose names end so are cells themselves, and not files of them."""
    return end.rpartition(".")[2] in _CELLS


def _most(end: str) -> int:
    return _LARGEST_CELL if _is_small(end) else LARGEST


def _read_cells(sample: TarSample) -> None:
    """Turn the small files of a sample to values; what is wrong with them becomes a fault."""
    for end, content in sample.contents.items():
        if content is None or not _is_small(end):
            continue
        try:
            sample.values[end] = _CELLS[end.rpartition(".")[2]](content)
        except (ValueError, RecursionError) as error:
            what = "is no whole number" if end.rpartition(".")[2] in _NUMBERS else str(error)
            sample.faults.append(("TAR_CONTENT", f"{sample.key}.{end}", f"it {what}"))
        sample.contents[end] = None


def _told(sample: TarSample) -> bytes:
    """Return what a digest is to know of a sample."""
    found = (sample.key, list(sample.contents), sample.values)
    return repr(found).encode(errors="surrogatepass")


def _number(content: bytes) -> int:
    number = int(content)
    if not -(2**63) <= number < 2**63:
        raise ValueError("is too large")
    return number


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig")


def _json(content: bytes) -> str:
    text = _text(content)
    json.loads(text)
    return text


_CELLS: dict[str, Callable[[bytes], Any]] = {
    **dict.fromkeys(_NUMBERS, _number),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_JSON, _json),
}


def _columns(ends: Iterable[str], groups: Iterable[frozenset[str]]) -> dict[str, list[str]]:
    """Return the columns, with the ends of the names of the files that they have.

    Ends that mean the same, such as jpg and png, are one column unless a sample has both.

    Args:
        ends: All ends.
        groups: Those that samples have together.
    """
    alike: dict[tuple[str, type[Schema]], list[str]] = {}
    for end in ends:
        alike.setdefault((_name(end), type(_schema(end))), []).append(end)
    known = list(groups)
    found: dict[str, list[str]] = {}
    apart: list[str] = []
    for (name, _), members in alike.items():
        if any(len(group.intersection(members)) > 1 for group in known):
            apart += members
        else:
            found[_free(name, found)] = members
    for end in apart:
        found[_free(end.replace(".", "_"), found)] = [end]
    return found


def _free(name: str, taken: Container[str]) -> str:
    while name in taken or name == KEY:
        name = f"tar_{name}"
    return name


def _name(end: str) -> str:
    """Return the usual name of the column of files whose names end so."""
    start, _, kind = end.rpartition(".")
    if kind in _IMAGES:
        return start.replace(".", "_") or "image"
    return "label" if end == "cls" else end.replace(".", "_")


def _schema(end: str) -> Schema:
    kind = end.rpartition(".")[2]
    if kind in _JSON:
        return Schema(value=DictValue())
    for kinds, schema in _SCHEMAS:
        if kind in kinds:
            return schema()
    return UrlSchema()


_SCHEMAS: tuple[tuple[frozenset[str], type[Schema]], ...] = (
    (_IMAGES, ImageSchema),
    (_NUMBERS, Int64Schema),
    (_TEXTS, StringSchema),
    (_VIDEOS, VideoUrlSchema),
    (frozenset({"npy"}), ExternalNumpyArraySchema),
)


def _batches(
    shards: Sequence[_Shard], start: bytes, columns: Mapping[str, Sequence[str]]
) -> Iterator[Batch]:
    """Read the shards once more, for the rows."""
    digest = hashlib.sha256(start)
    rows: list[_Row] = []
    size, is_empty = 0, True
    for shard in shards:
        for sample in _again(shard, digest):
            rows.append((sample.key, {**sample.values, **_encoded(sample)}))
            size += sample.size
            if len(rows) >= _ROWS or size >= _BYTES:
                yield _batch(rows, columns)
                rows, size, is_empty = [], 0, False
    if rows or is_empty:
        yield _batch(rows, columns)


def _again(shard: _Shard, digest: hashlib._Hash) -> Iterator[TarSample]:
    """Read the samples of a shard that are right, and make sure that they are as they were."""
    known = zip(shard.keys, shard.ends, strict=True)
    for sample in read_samples(shard.url, lambda _end: True, _most):
        _read_cells(sample)
        digest.update(_told(sample))
        ends = None if sample.faults else frozenset(sample.contents)
        if next(known, None) != (sample.key, ends):
            raise _changed(shard)
        if not sample.faults:
            yield sample
    if digest.digest() != shard.digest:
        raise _changed(shard)


def _changed(shard: _Shard) -> SchemaError:
    return SchemaError(f"{shard.url} has changed while it was read.")


def _encoded(sample: TarSample) -> dict[str, Any]:
    return {
        end: encoded(content, f".{end}")
        for end, content in sample.contents.items()
        if content is not None
    }


def _batch(rows: Sequence[_Row], columns: Mapping[str, Sequence[str]]) -> Batch:
    found = {
        name: [next((cells[end] for end in ends if end in cells), None) for _, cells in rows]
        for name, ends in columns.items()
    }
    return {KEY: [key for key, _ in rows], **found}
