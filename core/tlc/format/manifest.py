"""Manifests: the one file of an object that says what it is, and how it is read.

A manifest is JSON for people and programs. Its last member is the digest of all bytes before it, so
a torn or changed file is noticed.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from tlc.errors import (
    CorruptObjectError,
    ObjectKindError,
    ObjectNotFoundError,
    OptionError,
    SchemaError,
    TlcError,
    UnsupportedFormatError,
    UrlNotFoundError,
)
from tlc.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tlc.url import Url

MANIFEST = "manifest.json"
OPENED = "opened.json"
MAJOR, MINOR = 1, 0
FEATURES = frozenset({"layers"})
_TRAILER = b',\n  "digest": "sha256:%s"\n}\n'
_TRAILER_LENGTH = len(_TRAILER % (b"0" * 64))
_MOST_NESTED = 64
# Lone surrogates, numbers of thousands of digits and deep nesting lead to errors of Python's own.
_UNPARSABLE = (msgspec.MsgspecError, ValueError, RecursionError)

Count = Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)]
"""A number of rows or bytes that can be."""


class FileEntry(msgspec.Struct, frozen=True):
    """A file that an object is made of; its path is relative to the object's folder.

    `footer` is the digest of what Parquet has no checksum for: the description of its columns.
    """

    path: str
    length: Count
    digest: str
    rows: Count
    footer: str = ""


class Data(msgspec.Struct, frozen=True, tag="data"):
    """Some columns, all rows, in Parquet files one below the other.

    `origin` is the id of the table whose rows these are: row i has the key (origin, i), unless a
    file of keys says otherwise.
    """

    columns: tuple[str, ...]
    files: tuple[FileEntry, ...]
    origin: str
    keys: FileEntry | None = None


class Patch(msgspec.Struct, frozen=True, tag="patch"):
    """New values of one column in some rows: a file with the columns ``row`` and ``value``."""

    column: str
    file: FileEntry


class Take(msgspec.Struct, frozen=True, tag="take"):
    """The rows that stay, in their new order: a file with the column ``row``. Rows may repeat."""

    file: FileEntry


class Concat(msgspec.Struct, frozen=True, tag="concat"):
    """Stacks of layers one below the other."""

    inputs: tuple[Stack, ...]


class Stack(msgspec.Struct, frozen=True):
    """Layers from the bottom up, and the number of rows that they make."""

    row_count: Count
    layers: tuple[Data | Patch | Take | Concat, ...]


Layer = Data | Patch | Take | Concat


class Parent(msgspec.Struct, frozen=True):
    """A table that this one was made from; `relation` is ``"revision"`` or ``"input"``."""

    url: str
    id: str
    relation: str


class Format(msgspec.Struct, frozen=True):
    """The version of the form on disk."""

    major: int = MAJOR
    minor: int = MINOR


class Completeness(msgspec.Struct, frozen=True):
    """What became of the ids that a metrics table should hold."""

    rows: int
    unique: int
    repeats_dropped: int
    expected: int | None = None
    missing: int | None = None


class MetricsInfo(msgspec.Struct, frozen=True):
    """What a metrics table refers to, and whether its run lists it, whatever its events say.

    `ranks` is the number of processes that write it together.
    """

    foreign_table: Parent | None = None
    foreign_table_rows: Count | None = None
    split: str = ""
    constants: dict[str, Any] = {}
    stream_name: str = "default_stream"
    completeness: Completeness | None = None
    linked: bool = False
    ranks: Count = 1


class TableManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a table is: its identity, its schema, its lineage and its layers."""

    format: Format = Format()
    required_features: tuple[str, ...] = ("layers",)
    kind: str = "table"
    id: str
    created: str
    description: str = ""
    revision: Count = 0
    parents: tuple[Parent, ...] = ()
    operation: dict[str, Any] = {}
    source: dict[str, Any] = {}
    metrics: MetricsInfo | None = None
    rows_schema: dict[str, Any]
    stack: Stack


class RunManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is; all that changes during the run is in its events."""

    format: Format = Format()
    required_features: tuple[str, ...] = ()
    kind: str = "run"
    id: str
    created: str
    description: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What every manifest has, whatever version of this form wrote it.

    Heirs are parts of a manifest, for readers that need no more.
    """

    kind: str
    format: Format
    required_features: tuple[str, ...] = ()


M = TypeVar("M", TableManifest, RunManifest)
P = TypeVar("P", bound=TableManifest | RunManifest | Head)


def new_id() -> str:
    """Return a new identity for an object."""
    return str(uuid.uuid4())


def now() -> str:
    """Return the time in UTC as ISO 8601 text with microseconds; later texts sort after."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def digest(data: bytes | memoryview) -> str:
    """Return the digest that manifests give for `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def encode(manifest: TableManifest | RunManifest) -> bytes:
    """Return the bytes of a manifest file.

    Raises:
        SchemaError: The schema would not be readable.
        OptionError: Something else would not be.
    """
    try:
        data = msgspec.json.encode(manifest)
        read_back = msgspec.json.decode(data, type=type(manifest))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError) as error:
        raise _unwritable(manifest, error) from error
    if isinstance(read_back, TableManifest):
        _check_schema(read_back.rows_schema)
    body = msgspec.json.format(data, indent=2)[:-2]
    return body + _TRAILER % hashlib.sha256(body).hexdigest().encode()


def _check_schema(data: dict[str, Any]) -> None:
    try:
        Schema.from_dict(data)
    except SchemaError:
        raise
    except (TypeError, ValueError) as error:
        raise SchemaError(f"The schema cannot be written: {error}.") from error


def _unwritable(manifest: TableManifest | RunManifest, error: Exception) -> TlcError:
    if isinstance(manifest, TableManifest):
        try:
            msgspec.json.encode(manifest.rows_schema)
        except (TypeError, ValueError, OverflowError):
            return SchemaError(f"The schema cannot be written: {error}.")
    return OptionError(f"The {manifest.kind} cannot be written: {error}.")


def decode(data: bytes, kind: type[M], where: Url) -> M:
    """Read the bytes of a manifest file.

    Raises:
        CorruptObjectError: The bytes are not what was written.
        UnsupportedFormatError: A newer version wrote them.
        ObjectKindError: They describe another kind of object.
    """
    manifest = decode_part(data, kind, where)
    if (kind is RunManifest) != (manifest.kind == "run"):
        raise _other_kind(manifest.kind, where)
    return manifest


def decode_part(data: bytes, part: type[P], where: Url) -> P:
    """Read some members of a manifest of any kind.

    Raises:
        CorruptObjectError: The bytes are not what was written.
        UnsupportedFormatError: A newer version wrote them.
    """
    body, trailer = data[:-_TRAILER_LENGTH], data[-_TRAILER_LENGTH:]
    if trailer != _TRAILER % hashlib.sha256(body).hexdigest().encode():
        raise CorruptObjectError(
            f"The manifest of {where} is damaged: its digest does not fit its {len(data)} bytes.",
            hint="restore the file from a copy; other objects are not affected.",
        )
    try:
        found = msgspec.json.decode(data, type=part)
    except _UNPARSABLE as error:
        raise _unreadable(data, part, where, error) from error
    _check_format(found, where)
    # Nothing is nested deeper than there are brackets; most manifests have few.
    if isinstance(found, TableManifest) and data.count(b"{") + data.count(b"[") > _MOST_NESTED:
        _check_depth(found, where)
    return found


def _check_depth(manifest: TableManifest, where: Url) -> None:
    """Refuse what is nested so deep that it was made to exhaust whoever walks through it."""
    constants = manifest.metrics.constants if manifest.metrics else {}
    waiting: list[tuple[Any, int]] = [
        (part, 0) for part in (manifest.stack, manifest.operation, manifest.source, constants)
    ]
    while waiting:
        part, depth = waiting.pop()
        if depth > _MOST_NESTED:
            raise CorruptObjectError(
                f"The manifest of {where} cannot be read: it is nested more than {depth} deep."
            )
        waiting += [(inner, depth + 1) for inner in _inner(part)]


def _inner(part: Any) -> Iterable[Any]:
    if isinstance(part, Stack):
        return [i for each in part.layers if isinstance(each, Concat) for i in each.inputs]
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list) else ()


def _unreadable(data: bytes, part: type, where: Url, error: Exception) -> TlcError:
    """Return why a manifest cannot be read: it is newer, of another kind, or damaged."""
    try:
        head = msgspec.json.decode(data, type=Head)
    except _UNPARSABLE:
        return CorruptObjectError(f"The manifest of {where} cannot be read: {error}.")
    _check_format(head, where)
    if not issubclass(part, Head) and (part is RunManifest) != (head.kind == "run"):
        return _other_kind(head.kind, where)
    return CorruptObjectError(f"The manifest of {where} cannot be read: {error}.")


def _other_kind(found: str, where: Url) -> ObjectKindError:
    wanted, opener = ("table", "Run") if found == "run" else ("run", "Table")
    return ObjectKindError(
        f"{where} is a {found}, not a {wanted}.", hint=f"open it with {opener}.from_url."
    )


def read(folder: Url, kind: type[M], *, file: str = MANIFEST) -> M:
    """Read the manifest in `folder`.

    Raises:
        ObjectNotFoundError: Nothing is there.
        ObjectKindError: Something else is there.
        CorruptObjectError: It is damaged.
        UnsupportedFormatError: A newer version wrote it.
    """
    try:
        data = (folder / file).read_bytes()
    except UrlNotFoundError as error:
        raise _missing(folder, "run" if kind is RunManifest else "table") from error
    return decode(data, kind, folder)


def _missing(folder: Url, what: str) -> ObjectNotFoundError | ObjectKindError:
    if folder.exists():
        return ObjectKindError(
            f"{folder} exists, but is not a {what}: it has no {MANIFEST}.",
            hint="a writer that did not finish leaves such a folder, too.",
        )
    return ObjectNotFoundError(
        f"There is no {what} at {folder}.", hint="`tlc ls` lists projects, tables and runs."
    )


def _check_format(head: TableManifest | RunManifest | Head, where: Url) -> None:
    unknown = sorted(set(head.required_features) - FEATURES)
    if head.format.major > MAJOR or unknown:
        needs = f"format {head.format.major}" + (f" with {', '.join(unknown)}" if unknown else "")
        raise UnsupportedFormatError(
            f"{where} was written in {needs}; this version of tlc reads format {MAJOR}.",
            hint="pip install --upgrade opentlc.",
        )


def file_entries(stack: Stack) -> Iterable[FileEntry]:
    """Yield every file that a stack of layers needs."""
    for layer in stack.layers:
        if isinstance(layer, Data):
            yield from layer.files
            if layer.keys is not None:
                yield layer.keys
        elif isinstance(layer, Concat):
            for part in layer.inputs:
                yield from file_entries(part)
        else:
            yield layer.file
