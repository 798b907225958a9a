"""What the valid objects below a folder need: the files that their manifests name.

Whatever cannot be known for certain counts as needed. A manifest that cannot be read may refer to
any file of any table, a reference that leads out of the folder or starts with an unknown alias may
lead back by another way, so that it is known by the name of its file.
"""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tlc.errors import TlcError, UrlNotFoundError
from tlc.format.layout import BULK_DATA, DATASETS, METRICS, RUNS, TABLES, place_of
from tlc.format.manifest import (
    MANIFEST,
    OPENED,
    Head,
    RunManifest,
    TableManifest,
    decode,
    decode_part,
    file_entries,
)
from tlc.format.writer_name import WRITER
from tlc.run.events import EVENTS
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tlc.format.manifest import FileEntry


_LEAVES = {
    "table": ("data", "edits", "keys", BULK_DATA),
    "metrics": (BULK_DATA,),
    "run": (EVENTS, BULK_DATA),
    "dataset": (BULK_DATA,),
}


@dataclass
class References:
    """What is needed.

    Attributes:
        root: Folder whose objects were read.
        tables: Files of data that tables need: the folder that urls in them are relative to, and
            what a manifest says of them.
        damaged: Manifests that cannot be read, and why: they may refer to anything.
        runs: Ids of the runs, by the place of their events; None where the id cannot be read.
    """

    root: Url
    tables: dict[Url, tuple[Url, FileEntry | None]] = field(default_factory=dict)
    damaged: dict[Url, str] = field(default_factory=dict)
    runs: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._keys: set[str] = set()
        self._names: set[str] = set()
        self._writers: set[str] = set()
        self._folders: dict[str, str] = {}
        self._seen: set[str] = set()
        self._base = f"{self._key(self.root)}/"

    @classmethod
    def below(cls, root: Url, others: Iterable[Url] = ()) -> References:
        """Read all objects below `root` and `others`.

        Args:
            root: Folder that holds the projects.
            others: Further folders whose tables may refer to files below `root`.
        """
        references = cls(root)
        for folder in (root, *others):
            references._walk(folder, () if folder == root else None)
        return references

    def add(self, url: Url) -> None:
        """Note that the file at `url` is needed."""
        try:
            key = self._key(url)
        except (TlcError, ValueError):  # an alias or a scheme that is not known, or no path at all
            key = ""
        if key.startswith(self._base):
            self._keys.add(key)
        else:
            self._names.add(url.name.casefold())

    def add_name(self, name: str) -> None:
        """Note that all files of that name are needed, and those whose name starts with it."""
        self._names.add(name.casefold())

    def holds(self, url: Url) -> bool:
        """Whether the file at `url` is needed."""
        name = url.name.casefold()
        stem = re.match(rf"{WRITER}-\d+", name)
        return (
            name in self._names
            or (stem is not None and stem[0] in self._names)
            or self._key(url) in self._keys
        )

    def holds_writer_of(self, url: Url) -> bool:
        """Whether a table needs rows of the writer of `url`."""
        return _writer_of(url.name) in self._writers

    def needs_events(self, folder: Url) -> bool:
        """Whether the events in a folder are those of the run above it, as far as can be told."""
        run = self._key(folder.parent)
        return run in self.runs and self.runs[run] in (None, folder.name)

    def _key(self, url: Url) -> str:
        """Return a text that two urls of one file have in common, links or not."""
        adapter, url = UrlAdapterRegistry.resolve(url)
        text = url.to_str()
        if adapter.local_path(url) is not None:
            above, _, name = text.rpartition("/")
            if above not in self._folders:
                self._folders[above] = os.path.realpath(above or "/")
            text = os.path.join(self._folders[above], name)
            if os.path.islink(text):
                text = os.path.realpath(text)
        elif "/." in text:  # urls of schemes that others have added may still have `..` in them
            scheme, _, place = text.partition("://")
            text = f"{scheme}://{posixpath.normpath(place)}"
        # Some file systems do not tell these apart; to take two files for one keeps both.
        return unicodedata.normalize("NFC", text).casefold()

    def _walk(self, folder: Url, way: tuple[str, ...] | None) -> None:
        """Read the objects in and below a folder; `way` leads there from the root, if known."""
        if self._key(folder) in self._seen:  # a link may lead back
            return
        self._seen.add(self._key(folder))
        try:
            listed = list(UrlAdapterRegistry.list_dir(folder))
        except UrlNotFoundError:
            return
        names = {entry.name for entry in listed if not entry.is_dir}
        is_run = way is not None and way[1:2] == (RUNS,) and len(way) == 3
        if names & {MANIFEST, OPENED}:
            kind = self._read(folder, names, is_run=is_run)
        else:
            kind = "run" if is_run else ""
        if way is not None and way[1:2] == (DATASETS,) and len(way) == 3:
            kind = "dataset"
        for entry in listed:
            if entry.is_dir and not _is_leaf(kind, entry.name):
                self._walk(folder / entry.name, None if way is None else (*way, entry.name))

    def _read(self, folder: Url, names: set[str], *, is_run: bool) -> str:
        """Note what the object in `folder` needs, and return what kind of object it is."""
        if MANIFEST not in names:
            self._add_partial(folder)
            return "metrics"
        data = b""
        try:
            data = (folder / MANIFEST).read_bytes()
            kind = decode_part(data, Head, folder).kind
            if kind == "run":
                self.runs[_events_of(folder, self)] = decode(data, RunManifest, folder).id
            else:
                self._add_table(folder, decode(data, TableManifest, folder))
        except UrlNotFoundError:  # it has just been deleted
            return ""
        except (TlcError, OSError) as error:
            if is_run:
                self.runs[_events_of(folder, self)] = None
                return "run"
            if not _is_foreign(folder, data):
                self.damaged[folder / MANIFEST] = getattr(error, "message", str(error))
            return ""
        return kind

    def _add_table(self, folder: Url, manifest: TableManifest) -> None:
        for entry in file_entries(manifest.stack):
            url = Url(entry.path).to_absolute(folder)
            self._add_data(url, url.parent.parent, entry)

    def _add_partial(self, folder: Url) -> None:
        for rank in UrlAdapterRegistry.list_dir(folder):
            if rank.is_dir and rank.name.startswith("rank-"):
                for segment in UrlAdapterRegistry.list_dir(folder / rank.name):
                    url = folder / rank.name / segment.name
                    self._add_data(url, folder, None)

    def _add_data(self, url: Url, base: Url, entry: FileEntry | None) -> None:
        self.add(url)
        self.tables[url] = (base, entry)
        self._writers.add(_writer_of(url.name))


def _events_of(run: Url, references: References) -> str:
    return references._key(run / EVENTS)


def _is_leaf(kind: str, name: str) -> bool:
    """Whether no object can lie in a folder of an object: there may be millions of files."""
    return name in _LEAVES.get(kind, ()) or (kind == "metrics" and name.startswith("rank-"))


def _is_foreign(folder: Url, data: bytes) -> bool:
    """Whether a ``manifest.json`` that is no manifest was never meant to be one."""
    if place_of(folder).project or folder.parent.name in (TABLES, METRICS):
        return False
    if not data or b'"rows_schema"' in data or b'"sha256:' in data:
        return False
    try:
        msgspec.json.decode(data)
    except msgspec.MsgspecError:
        return False
    return True


def _writer_of(name: str) -> str:
    match = re.match(rf"(?:order-)?({WRITER})", name)
    return match[1] if match else name
