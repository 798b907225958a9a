"""The files of a project that mean something only if a manifest, or a cell, refers to them.

Only names that `tlc` itself gives, in folders where it puts them, are looked at: whatever else lies
in a project belongs to somebody else. Links are not followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.errors import UrlNotFoundError
from tlc.format.layout import BULK_DATA, DATASETS, METRICS, RUNS, TABLES
from tlc.format.manifest import MANIFEST, OPENED
from tlc.format.writer_name import WRITER
from tlc.run.events import EVENTS
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable

    from tlc.url import UrlAdapterDirEntry

DATA, BULK, LOG, PROBE = "data", "bulk data", "events", "probes"
BULK_NAME = rf"{WRITER}-\d{{7,}}"
"""Pattern of the start of the name of a file of bulk data."""

PROBE_NAME = "gc-probe-"
_OF_TABLE = re.compile(rf"{WRITER}(-[0-9a-f]{{8}}|-\d{{5,}})?\.parquet")
_OF_ORDER = re.compile(rf"order-{WRITER}\.parquet")
_OF_BULK = re.compile(rf"{BULK_NAME}[.\-\w]*")
_OF_EVENTS = re.compile(r"[\w.-]+\.(jsonl|alive)")
_OF_PROBE = re.compile(rf"{PROBE_NAME}{WRITER}")


@dataclass(frozen=True)
class Leaf:
    """A file that something must refer to.

    Attributes:
        url: Where it is.
        kind: `DATA`, `BULK`, `LOG` or `PROBE`.
        size: Bytes.
        since: Store's time of the last change to the file, or to the manifest of the object that it
            lies in; None if the store does not tell.
    """

    url: Url
    kind: str
    size: int
    since: float | None

    @property
    def writer(self) -> str:
        """Name of the writer; the file's own name if it has none in it."""
        match = re.match(rf"(?:order-|{PROBE_NAME})?({WRITER})", self.url.name)
        return match[1] if match else self.url.name


@dataclass
class Inventory:
    """What a project holds: its leaves, and empty folders with the time of their last change."""

    leaves: list[Leaf] = field(default_factory=list)
    empty: list[tuple[Url, float]] = field(default_factory=list)


def take_inventory(project: Url) -> Inventory:
    """List a project."""
    found = Inventory()
    probes = (entry for entry in entries(project) if not entry.is_dir)
    found.leaves += [_leaf(project, e, PROBE, None) for e in probes if _OF_PROBE.fullmatch(e.name)]
    for dataset in folders(project / DATASETS, found):
        for table in folders(dataset / TABLES, found):
            _add_object(found, table, ("data", "edits", "keys"), dataset / BULK_DATA)
        _add_homeless_bulk(found, dataset / BULK_DATA, dataset / TABLES)
    for run in folders(project / RUNS, found):
        for metrics in folders(run / METRICS, found):
            _add_metrics(found, metrics, run / BULK_DATA)
        _add_homeless_bulk(found, run / BULK_DATA, run / METRICS)
        for log in folders(run / EVENTS, found):
            _add_files(found, log, LOG, _OF_EVENTS, None)
    return found


def entries(folder: Url) -> list[UrlAdapterDirEntry]:
    """Return the entries of a folder without links; none if it is a link, or is not there."""
    try:
        listed = list(UrlAdapterRegistry.list_dir(folder))
    except UrlNotFoundError:
        return []
    is_link = _link_check(folder)
    return [entry for entry in listed if not is_link(entry.name)]


def folders(folder: Url, found: Inventory | None = None) -> list[Url]:
    """Return the folders in a folder, without links, and note those that hold nothing."""
    listed = entries(folder)
    if found is not None:
        _note_empty(found, folder, listed)
    return [folder / entry.name for entry in listed if entry.is_dir]


def _link_check(folder: Url) -> Callable[[str], bool]:
    """Return whether an entry of a folder is a link; all are, if the folder itself is one."""
    adapter, folder = UrlAdapterRegistry.resolve(folder)
    path = adapter.local_path(folder)
    if path is None:
        return lambda name: False
    return (lambda name: True) if path.is_symlink() else lambda name: (path / name).is_symlink()


def _add_object(found: Inventory, table: Url, parts: tuple[str, ...], bulk: Url) -> None:
    listed = entries(table)
    _note_empty(found, table, listed)
    changed = _changed(listed)
    for part in parts:
        _add_files(found, table / part, DATA, _OF_TABLE, changed)
    for column in folders(bulk / table.name, found):
        _add_files(found, column, BULK, _OF_BULK, changed)


def _add_metrics(found: Inventory, metrics: Url, bulk: Url) -> None:
    listed = entries(metrics)
    names = {entry.name for entry in listed}
    if OPENED in names and MANIFEST not in names:
        return  # partial: all that is there is the table
    ranks = tuple(name for name in names if re.fullmatch(r"rank-\d+", name))
    _add_object(found, metrics, ranks, bulk)
    _add_files(found, metrics, DATA, _OF_ORDER, _changed(listed))


def _add_homeless_bulk(found: Inventory, bulk: Url, tables: Url) -> None:
    """Add bulk data beside whose tables there is no folder of a table of that name."""
    known = {folder.name for folder in folders(tables)}
    for folder in folders(bulk, found):
        if folder.name not in known:
            for column in folders(folder, found):
                _add_files(found, column, BULK, _OF_BULK, None)


def _add_files(
    found: Inventory, folder: Url, kind: str, pattern: re.Pattern[str], changed: float | None
) -> None:
    listed = entries(folder)
    _note_empty(found, folder, listed)
    found.leaves += [
        _leaf(folder, entry, kind, changed)
        for entry in listed
        if not entry.is_dir and pattern.fullmatch(entry.name)
    ]


def _leaf(folder: Url, entry: UrlAdapterDirEntry, kind: str, changed: float | None) -> Leaf:
    since = None if entry.mtime is None else max(entry.mtime, changed or 0.0)
    return Leaf(folder / entry.name, kind, entry.size or 0, since)


def _changed(listed: list[UrlAdapterDirEntry]) -> float | None:
    """Return when the manifest in a folder was written: files may be unneeded only since then."""
    times = [e.mtime for e in listed if e.name == MANIFEST and e.mtime is not None]
    return times[0] if times else None


def _note_empty(found: Inventory, folder: Url, listed: list[UrlAdapterDirEntry]) -> None:
    if listed:
        return
    adapter, folder = UrlAdapterRegistry.resolve(folder)
    path = adapter.local_path(folder)
    if path is not None and path.is_dir() and not path.is_symlink():
        found.empty.append((folder, path.stat().st_mtime))
