"""Checks of tables: their manifests, and which files they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.errors import TlcError, UrlNotFoundError
from tlc.format import parquet
from tlc.format.commit import REVISION
from tlc.format.listing import folders
from tlc.format.manifest import MANIFEST, OPENED, Concat, Data, file_entries
from tlc.format.open import open_table
from tlc.format.relative import is_relative
from tlc.schemas import Schema
from tlc.upkeep.bulk import CellReferences
from tlc.upkeep.files import Wanted
from tlc.upkeep.findings import Finding, listed, removal
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.format.manifest import FileEntry, Parent, Stack, TableManifest


class TableCheck:
    """Looks at tables, and gathers the files that they need.

    Args:
        missing: Returns why there is no object of an id at a url; empty if it is there.
    """

    def __init__(self, missing: Callable[[Url, str], str]) -> None:
        self.files: dict[Url, Wanted] = {}
        self.count = 0
        self._missing = missing

    def check(self, folder: Url) -> Iterator[Finding]:
        """Yield what is wrong with the table in `folder`, but for its files."""
        names = _names(folder)
        if not names & {MANIFEST, OPENED}:
            yield _unfinished(folder)
            return
        self.count += 1
        try:
            manifest, _ = open_table(folder)
            schema = Schema.from_dict(manifest.rows_schema)
        except (TlcError, OSError) as error:
            segments = [] if MANIFEST in names else list(_bad_segments(folder))
            yield from segments or [_unreadable(folder, getattr(error, "message", str(error)))]
            return
        yield from self._check_references(folder, manifest)
        lost = [name for name in schema.values if not _holds(manifest.stack, name)]
        if lost:
            yield Finding(
                folder,
                f"no file holds the column {listed([repr(name) for name in lost])}",
                affects="these columns",
                remedy="read the other columns; an older revision may have them.",
            )
        for entry in file_entries(manifest.stack):
            self._want(Url(entry.path).to_absolute(folder), folder, entry)

    def add_bulk(self) -> None:
        """Add the bulk data that cells refer to, as far as `tlc` wrote it."""
        cells = CellReferences()
        for file, wanted in list(self.files.items()):
            entry = next((each for each in wanted.entries if each.digest), None)
            for text in cells.texts(file, entry):
                if is_relative(text):
                    url = Url(text).to_absolute(file.parent.parent)
                    for user in wanted.users:
                        self._want(url, user, None)

    def _want(self, url: Url, user: Url, entry: FileEntry | None) -> None:
        wanted = self.files.setdefault(url, Wanted())
        if entry is not None:
            wanted.entries.add(entry)
        if user not in wanted.users:
            wanted.users.append(user)

    def _check_references(self, folder: Url, manifest: TableManifest) -> Iterator[Finding]:
        for parent in manifest.parents:
            fault = self._missing(Url(parent.url).to_absolute(folder), parent.id)
            if fault and not _is_foreign(manifest, parent):
                yield _lost_parent(folder, parent, fault)
        foreign = manifest.metrics.foreign_table if manifest.metrics else None
        fault = self._missing(Url(foreign.url).to_absolute(folder), foreign.id) if foreign else ""
        if foreign and fault:
            yield Finding(
                folder,
                f"the table that the metrics are about is not at {foreign.url}: {fault}",
                affects="the metrics cannot be shown beside their samples; they can be read",
                remedy="put the table back, or delete the metrics: " + removal(folder),
                is_damage=False,
            )


def file_finding(url: Url, wanted: Wanted, fault: str) -> Finding:
    """Return what the damage of one file means."""
    users = sorted(map(str, wanted.users))
    rows = next((entry.rows for entry in wanted.entries), None)
    what = "the cells that refer to it" if rows is None else f"{rows:,} rows of some columns"
    folders = listed([removal(user) for user in wanted.users], most=2)
    return Finding(
        url,
        fault,
        affects=f"{what} in {listed(users)}",
        remedy="restore the file from a copy. Without one, other columns, rows and tables can "
        f"still be read; to give up what needs it: {folders}",
    )


def _names(folder: Url) -> set[str]:
    try:
        return {entry.name for entry in UrlAdapterRegistry.list_dir(folder) if not entry.is_dir}
    except UrlNotFoundError:
        return set()


def _unfinished(folder: Url) -> Finding:
    return Finding(
        folder,
        "it has no manifest: its writer is at work, or did not finish",
        remedy="nothing needs it; `tlc gc --delete` clears it away when it is old enough.",
        is_damage=False,
    )


def _unreadable(folder: Url, reason: str) -> Finding:
    return Finding(
        folder,
        reason.rstrip("."),
        affects="this table; those made from it can be read, and `latest` passes over it. Until it "
        "is restored or deleted, `tlc gc` deletes no data",
        remedy=f"restore its {MANIFEST} from a copy, or give it up: {removal(folder)}",
    )


def _bad_segments(folder: Url) -> Iterator[Finding]:
    """Yield which files keep a metrics table without manifest from being read."""
    for rank in folders(folder):
        for entry in UrlAdapterRegistry.list_dir(rank):
            try:
                parquet.describe(folder, f"{rank.name}/{entry.name}")
            except TlcError as error:
                url = rank / entry.name
                yield Finding(
                    url,
                    error.message.rstrip("."),
                    affects=f"all rows of {folder}, whose writer did not finish",
                    remedy="restore the file from a copy, or delete it to read the rows of the "
                    f"other files: {removal(url, is_file=True)}",
                )


def _is_foreign(manifest: TableManifest, parent: Parent) -> bool:
    """Whether a parent is the table that metrics are about, which is told of anyway."""
    return manifest.metrics is not None and manifest.metrics.foreign_table == parent


def _lost_parent(folder: Url, parent: Parent, fault: str) -> Finding:
    what = "the revision before it" if parent.relation == REVISION else "a table it was made from"
    return Finding(
        folder,
        f"{what} is not at {parent.url}: {fault}",
        affects="its history ends here; it can be read if its files are there",
        remedy=f"put the table back, if it was moved; its id is {parent.id}.",
        is_damage=False,
    )


def _holds(stack: Stack, name: str) -> bool:
    """Whether some file of a stack of layers has a column."""
    for layer in reversed(stack.layers):
        if isinstance(layer, Concat):
            return all(_holds(part, name) for part in layer.inputs)
        if isinstance(layer, Data) and name in layer.columns:
            return True
    return False
