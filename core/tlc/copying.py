"""Copying a table to another place or store, with the revisions before it and all its files.

Nothing becomes visible before it is complete: first the files, then the manifests from the oldest
revision on. So an interrupted copy is finished by starting it again; what is there already, and
equal, is left as it is. Ids stay: the copy is the same table in another place.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from tlc.errors import (
    CorruptObjectError,
    ObjectExistsError,
    ObjectKindError,
    ObjectNotFoundError,
    OptionError,
    UrlExistsError,
    UrlNotFoundError,
)
from tlc.format.commit import REVISION
from tlc.format.layout import DATASETS, TABLES, place_of
from tlc.format.manifest import (
    MANIFEST,
    FileEntry,
    Parent,
    TableManifest,
    decode,
    digest,
    encode,
    file_entries,
)
from tlc.format.rebase import map_files
from tlc.sample_types.content import damage, has_checksum, without_part
from tlc.upkeep.bulk import CellReferences
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.parallel import in_parallel

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["CopyReport", "copy_table"]

_LARGE = 32 << 20
"""Files of more bytes are copied one after the other, since each is in memory as a whole."""


@dataclass(frozen=True)
class CopyReport:
    """What a copy did.

    Attributes:
        table: Url of the copy.
        tables: How many tables there are now: the copy and the revisions before it.
        files: How many files were written.
        size: Bytes that were written.
        skipped: How many files were there already.
    """

    table: Url
    tables: int
    files: int
    size: int
    skipped: int


def copy_table(
    source: Url | str | os.PathLike[str], destination: Url | str | os.PathLike[str]
) -> CopyReport:
    """Copy a table, the revisions before it, and the files that tlc wrote for them.

    Images and other files that tlc has not written stay where they are, and so do tables that this
    one was made from by other ways than revising: the copy refers to them by their full urls.

    Args:
        source: Url of the table.
        destination: Folder for projects, in which the table gets the place that it has in its own;
            or the url of the copy, ``.../<project>/datasets/<dataset>/tables/<name>``. For a table
            that lies outside of a project it is the url of the copy.

    Raises:
        ObjectNotFoundError: There is no table at `source`.
        ObjectKindError: It is a metrics table, which belongs to its run.
        ObjectExistsError: Something else is where the copy is to be.
        CorruptObjectError: A file of the table is missing or damaged; no table was copied then.
    """
    original = Url(source).to_absolute()
    lineage = _lineage(original)
    place = _place(original, Url(destination).to_absolute())
    places = _Places(original, place, {folder for folder, _ in lineage})
    tables = [(folder, *_moved(folder, data, places)) for folder, data in lineage]
    jobs = list(dict.fromkeys(_jobs(tables, places)))
    done = [_copy(job) for job in jobs if job.length > _LARGE]
    done += in_parallel(_copy, [job for job in jobs if job.length <= _LARGE])
    done += [_publish(places.of(folder), data) for folder, _, data in tables]
    written = [size for size in done if size is not None]
    skipped = len(done) - len(written)
    return CopyReport(places.of(original), len(tables), len(written), sum(written), skipped)


@dataclass(frozen=True)
class _Job:
    """A file to copy; `length` and `digest` are what a manifest says of it, if one does."""

    source: Url
    destination: Url
    length: int = 0
    digest: str = ""


@dataclass
class _Places:
    """Where tables go: those that are copied, and others that give only some of their files."""

    source: Url
    destination: Url
    copied: set[Url]
    _known: dict[Url, Url] = field(default_factory=dict)

    def of(self, table: Url) -> Url:
        if table not in self._known:
            self._known[table] = self._find(table)
        return self._known[table]

    def of_file(self, file: Url) -> Url:
        """Return where a data file goes, which lies in a folder of its table."""
        return self.of(file.parent.parent) / file.parent.name / file.name

    def _find(self, table: Url) -> Url:
        if table == self.source:
            return self.destination
        if table.parent == self.source.parent:
            return self.destination.create_sibling(table.name)
        place, old, new = place_of(table), place_of(self.source), place_of(self.destination)
        if place.dataset and old.root and place.root == old.root and new.project:
            return _in_layout(Url(new.root), table)
        mark = hashlib.sha256(table.to_str().encode()).hexdigest()[:8]
        return self.destination.create_sibling(f"{table.name}-{mark}")


def _place(source: Url, destination: Url) -> Url:
    if not place_of(source).dataset or place_of(destination).dataset:
        return destination
    if DATASETS in destination.parts:
        raise OptionError(
            f"{destination} is neither a folder for projects nor the url of a table in one.",
            hint=f"a table's is .../<project>/{DATASETS}/<dataset>/{TABLES}/<name>.",
        )
    return _in_layout(destination, source)


def _in_layout(root: Url, table: Url) -> Url:
    place = place_of(table)
    return root / place.project / DATASETS / place.dataset / TABLES / place.name


def _lineage(table: Url) -> list[tuple[Url, bytes]]:
    """Return the revisions that led to a table, oldest first, with the bytes of their manifests."""
    found: list[tuple[Url, bytes]] = []
    wanted: Url | None = table
    while wanted is not None:
        data = _manifest_bytes(wanted)
        if data is None and not found:
            raise ObjectNotFoundError(
                f"There is no table at {table}.", hint="`tlc ls` lists projects, tables and runs."
            )
        if data is None:  # somebody has deleted it
            break
        manifest = decode(data, TableManifest, wanted)
        if manifest.kind != "table":
            raise ObjectKindError(
                f"{wanted} is a {manifest.kind} table.", hint="it is copied with its run."
            )
        found.append((wanted, data))
        wanted = next(
            (Url(p.url).to_absolute(wanted) for p in manifest.parents if p.relation == REVISION),
            None,
        )
    return found[::-1]


def _manifest_bytes(folder: Url) -> bytes | None:
    try:
        return (folder / MANIFEST).read_bytes()
    except UrlNotFoundError:
        return None


def _moved(folder: Url, data: bytes, places: _Places) -> tuple[TableManifest, bytes]:
    """Return a manifest, and its bytes as they must be in its new place."""
    manifest = decode(data, TableManifest, folder)
    new_folder = places.of(folder)

    def entry(old: FileEntry) -> FileEntry:
        new = places.of_file(Url(old.path).to_absolute(folder))
        return msgspec.structs.replace(old, path=new.to_relative(new_folder).to_str())

    def parent(old: Parent) -> Parent:
        url = Url(old.url).to_absolute(folder)
        if url in places.copied:
            url = places.of(url).to_relative(new_folder)
        elif Url(old.url).is_absolute:  # it may start with an alias, which stays
            url = Url(old.url)
        return msgspec.structs.replace(old, url=url.to_str())

    moved = msgspec.structs.replace(
        manifest,
        stack=map_files(manifest.stack, entry),
        parents=tuple(parent(each) for each in manifest.parents),
    )
    return manifest, data if moved == manifest else encode(moved)


def _jobs(tables: list[tuple[Url, TableManifest, bytes]], places: _Places) -> Iterator[_Job]:
    cells = CellReferences()
    for folder, manifest, _ in tables:
        for entry in file_entries(manifest.stack):
            file = Url(entry.path).to_absolute(folder)
            yield _Job(file, places.of_file(file), entry.length, entry.digest)
            base = file.parent.parent
            for text in dict.fromkeys(map(without_part, cells.texts(file, entry))):
                if text.startswith(("./", "../")):
                    new = Url(text).to_absolute(places.of(base))
                    yield _Job(Url(text).to_absolute(base), new)
    for file, reason in cells.unreadable.items():
        raise CorruptObjectError(f"The data file {file} cannot be copied: {reason}.")


def _copy(job: _Job) -> int | None:
    """Copy a file; return its length, or None if it was there already."""
    if _is_there(job):
        return None
    try:
        content = job.source.read_bytes()
    except UrlNotFoundError as error:
        raise CorruptObjectError(f"The file {job.source} is missing.") from error
    fault = damage(job.source, content)
    if job.digest and digest(content) != job.digest:
        fault = "its digest is another one"
    if fault:
        raise CorruptObjectError(f"The file {job.source} is damaged: {fault}.")
    return _create(job.destination, content)


def _is_there(job: _Job) -> bool:
    """Whether the destination has the file, as far as can be told without reading the source."""
    try:
        if job.digest:
            size = UrlAdapterRegistry.get_file_size(job.destination)
            return size == job.length and digest(job.destination.read_bytes()) == job.digest
        if has_checksum(job.destination):
            return not damage(job.destination, job.destination.read_bytes())
    except UrlNotFoundError:
        pass
    return False


def _publish(folder: Url, data: bytes) -> int | None:
    return _create(folder / MANIFEST, data)


def _create(url: Url, content: bytes) -> int | None:
    try:
        UrlAdapterRegistry.create_binary_content_at_url(url, content)
    except UrlExistsError as error:
        if url.read_bytes() == content:
            return None
        raise ObjectExistsError(
            f"Something else exists already at {url}.", hint="choose another destination."
        ) from error
    return len(content)
