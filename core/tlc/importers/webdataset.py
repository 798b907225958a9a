"""WebDataset: tar shards with the files of each sample one after the other."""

from __future__ import annotations

import hashlib
import json
import os
import re
from itertools import product
from typing import TYPE_CHECKING, Any

from tlc.errors import SchemaError, UrlNotFoundError
from tlc.importers.columns import check_schema
from tlc.importers.folders import IMAGE_SUFFIXES
from tlc.importers.media import encoded
from tlc.importers.report import Problems
from tlc.importers.source import Batch, Source
from tlc.importers.tar_samples import TarSample, read_samples
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
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Location = Url | str | os.PathLike[str]

KEY = "__key__"
"""Column with what the names of a sample's files begin with."""

_ROWS = 256  # so many samples are in memory at a time
_IMAGES = frozenset(suffix[1:] for suffix in IMAGE_SUFFIXES)
_NUMBERS = frozenset({"cls", "cls2", "class", "count", "index", "inx", "id"})
_TEXTS = frozenset({"txt", "text", "transcript", "caption"})
_JSON = frozenset({"json", "jsn"})
_VIDEOS = frozenset({"mp4", "avi", "mov", "mkv", "webm", "h264", "mjpeg", "ogv"})
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def from_webdataset(
    shards: Location | Sequence[Location],
    schema: Mapping[str, Schema] | None,
    *,
    on_error: str = "raise",
) -> Source:
    """Take the samples of shards.

    All shards are read twice: first to know the columns and to check everything but the images and
    the like, which are read and written to files then.

    Args:
        shards: Shards, or folders of them, in order; ``{000..123}`` stands for many.
        schema: Schemas of columns, in place of those that follow from the names of the files.
        on_error: ``"raise"``, or ``"skip"`` to leave out samples that are wrong.

    Raises:
        UrlNotFoundError: There is no such shard, or none in a folder.
        AnnotationFileError: Samples are wrong.
        ColumnError: A schema names a column that is not there.
    """
    problems = Problems(on_error)
    urls = [url for each in _listed(shards) for url in _expanded(each)]
    samples = [
        _checked(sample) for url in urls for sample in read_samples(url, _is_small, problems)
    ]
    for sample in samples:
        sample.tell(problems)
    problems.check()
    columns = _columns(samples)
    kinds = {KEY: StringSchema(), **{name: _schema(ends[0]) for name, ends in columns.items()}}
    schemas = {**kinds, **check_schema(schema, list(kinds))}
    fingerprint = {
        "urls": [url.to_relative().to_str() for url in urls],
        "digest": _digest(urls, samples),
    }
    report = problems.report(sum(not sample.faults for sample in samples))
    return Source(
        "webdataset", lambda: _batches(urls, samples, columns), schemas, fingerprint, lambda: report
    )


def _listed(shards: Location | Sequence[Location]) -> Sequence[Location]:
    return [shards] if isinstance(shards, str | os.PathLike | Url) else shards


def _expanded(shards: Location) -> Iterator[Url]:
    """Return the urls of shards, as a pattern or a folder names them.

    Raises:
        UrlNotFoundError: A folder has none.
    """
    text = os.fspath(shards)
    ranges = [_counted(*found) for found in _RANGE.findall(text)]
    parts = _RANGE.split(text)[::3]
    for numbers in product(*ranges):
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


def _counted(first: str, last: str) -> list[str]:
    return [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def _is_small(end: str) -> bool:
    """Whether files whose names end so are cells themselves, and not files of them."""
    return end.rpartition(".")[2] in _CELLS


def _checked(sample: TarSample) -> TarSample:
    """Return a sample with its small files read; what is wrong with them is among its faults."""
    for end, content in sample.contents.items():
        if content is not None:
            try:
                sample.values[end] = _CELLS[end.rpartition(".")[2]](content)
            except (ValueError, RecursionError) as error:
                what = "is no whole number" if end.rpartition(".")[2] in _NUMBERS else str(error)
                sample.faults.append(("TAR_CONTENT", f"{sample.key}.{end}", f"it {what}"))
            sample.contents[end] = None
    return sample


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


def _columns(samples: Sequence[TarSample]) -> dict[str, list[str]]:
    """Return the columns, with the ends of the names of the files that they have.

    Ends that mean the same, such as jpg and png, are one column unless a sample has both.
    """
    known = list(dict.fromkeys(frozenset(s.contents) for s in samples if not s.faults))
    every = list(dict.fromkeys(end for s in samples if not s.faults for end in s.contents))
    found: dict[str, list[str]] = {}
    for end in every:
        found.setdefault(_name(end), []).append(end)
    for name, ends in list(found.items()):
        if any(len(group.intersection(ends)) > 1 for group in known):
            del found[name]
            found |= {end.replace(".", "_"): [end] for end in ends}
    return found


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


def _digest(urls: Sequence[Url], samples: Sequence[TarSample]) -> str:
    """Return what tells shards apart: their lengths, the names in them and all small files."""
    lengths = [UrlAdapterRegistry.get_file_size(url) for url in urls]
    told = hashlib.sha256(repr(lengths).encode())
    for sample in samples:
        told.update(
            repr((sample.key, list(sample.contents), sample.values)).encode(errors="surrogatepass")
        )
    return told.hexdigest()


def _batches(
    urls: Sequence[Url], samples: Sequence[TarSample], columns: Mapping[str, Sequence[str]]
) -> Iterator[Batch]:
    """Read the shards once more, for images and the like."""
    every = (sample for url in urls for sample in read_samples(url, lambda end: not _is_small(end)))
    rows: list[dict[str, Any]] = []
    for known, sample in zip(samples, every, strict=True):
        if known.faults:
            continue
        if (known.key, set(known.contents)) != (sample.key, set(sample.contents)):
            raise SchemaError(f"{sample.shard} has changed while it was read.")
        cells = {
            end: encoded(content, f".{end}")
            for end, content in sample.contents.items()
            if content is not None
        }
        rows.append({KEY: known.key, **known.values, **cells})
        if len(rows) == _ROWS:
            yield _batch(rows, columns)
            rows = []
    if rows or all(sample.faults for sample in samples):
        yield _batch(rows, columns)


def _batch(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Sequence[str]]) -> Batch:
    found = {
        name: [next((row[end] for end in ends if end in row), None) for row in rows]
        for name, ends in columns.items()
    }
    return {KEY: [row[KEY] for row in rows], **found}
