"""Garbage collection: files that no object needs any more, and nobody is about to need.

What is garbage is decided in an order that no writer can slip through: first the files are listed,
then the processes that made them are looked at, and only then the manifests are read. Whatever a
dead process published was there before it died. Just before files are deleted the manifests are
read once more.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.catalog import list_projects
from tlc.errors import ObjectNotFoundError, UrlNotFoundError
from tlc.format.layout import project_root
from tlc.format.writer_name import may_be_running, new_writer
from tlc.upkeep.bulk import CellReferences
from tlc.upkeep.places import BULK, DATA, LOG, PROBE, PROBE_NAME, entries, take_inventory
from tlc.upkeep.references import References
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tlc.upkeep.places import Inventory, Leaf

__all__ = ["DAY", "Garbage", "collect_garbage"]

DAY = 24 * 3600.0
_BATCH = 1000


@dataclass
class Garbage:
    """What `collect_garbage` found, and did.

    Attributes:
        files: What nobody needs: urls and bytes, by kind.
        deleted: Number of files that were deleted; 0 unless that was asked for.
        folders: Number of empty folders and temporary files that were removed.
        young: Number of files that nobody needs, but that are younger than the grace period.
        running: Number of files that nobody needs, but whose process still runs.
        blocked: What cannot be read and so may refer to anything, and why. Nothing that it may
            refer to is in `files`.
        held: Number of files that were kept only because of `blocked`.
    """

    files: dict[str, list[tuple[Url, int]]] = field(default_factory=dict)
    deleted: int = 0
    folders: int = 0
    young: int = 0
    running: int = 0
    blocked: dict[Url, str] = field(default_factory=dict)
    held: int = 0

    @property
    def count(self) -> int:
        """Number of files that nobody needs."""
        return sum(map(len, self.files.values()))

    @property
    def size(self) -> int:
        """Bytes of the files that nobody needs."""
        return sum(size for files in self.files.values() for _, size in files)


def collect_garbage(
    project_name: str | None = None,
    root_url: Url | str | None = None,
    *,
    delete: bool = False,
    grace_seconds: float = DAY,
    also: Iterable[Url | str] = (),
) -> Garbage:
    """Find the files of a project that no table, run or metrics table needs, and delete them.

    Those are data and bulk data of tables that were overwritten or never finished, files of edits
    that failed, metrics and events of runs that were overwritten, and temporary files. Objects are
    never deleted, nor is anything that has another name or place than `tlc` gives.

    Args:
        project_name: Name of the project; all projects if None.
        root_url: Folder that holds the projects; the active run's or the configured one if None.
        delete: Whether to delete them; else they are only listed.
        grace_seconds: How long a file must have been unneeded and unchanged, by the clock of the
            store.
        also: Folders outside of the root whose tables may refer to files of the project.

    Raises:
        ObjectNotFoundError: There is no such project.
    """
    root = project_root(root_url)
    projects = [root / project_name] if project_name else list_projects(root)
    if project_name and projects[0] not in list_projects(root):
        raise ObjectNotFoundError(
            f"There is no project {project_name!r} in {root}.",
            hint="`tlc ls` lists those there are.",
        )
    others = [Url(url).to_absolute() for url in also]
    garbage = Garbage()
    for project in projects:
        _Collector(root, project, others, grace_seconds, garbage).run(delete=delete)
    return garbage


class _Collector:
    """Collects the garbage of one project."""

    def __init__(
        self, root: Url, project: Url, others: Sequence[Url], grace: float, garbage: Garbage
    ) -> None:
        self._root = root
        self._project = project
        self._others = others
        self._grace = grace
        self._garbage = garbage
        self._cells = CellReferences()
        self._late: list[tuple[Leaf, str]] = []

    def run(self, *, delete: bool) -> None:
        inventory = take_inventory(self._project)
        now = _store_time(self._project, strict=delete)
        old = self._old(inventory, now)
        unneeded = self._unneeded(old)
        for leaf in unneeded:
            self._garbage.files.setdefault(leaf.kind, []).append((leaf.url, leaf.size))
        if not delete:
            return
        for start in range(0, len(unneeded), _BATCH):
            for leaf in self._unneeded(unneeded[start : start + _BATCH], again=True):
                with suppress(UrlNotFoundError):  # somebody else was faster
                    UrlAdapterRegistry.delete_url(leaf.url)
                self._garbage.deleted += 1
        self._remove_empty(inventory, now)
        adapter, project = UrlAdapterRegistry.resolve(self._project)
        age = self._grace + time.time() - now  # the adapter measures by the clock of this machine
        self._garbage.folders += len(adapter.sweep_unfinished(project, age))

    def _old(self, inventory: Inventory, now: float) -> list[Leaf]:
        """Return the leaves that are old enough and not of a process that still runs."""
        latest: dict[str, float] = {}
        for leaf in inventory.leaves:
            if leaf.since is not None:
                latest[leaf.writer] = max(leaf.since, latest.get(leaf.writer, leaf.since))
        old = []
        for leaf in inventory.leaves:
            age = now - latest.get(leaf.writer, now) if leaf.since is not None else -1.0
            if age < self._grace:
                self._late.append((leaf, "young"))
            elif leaf.kind != LOG and may_be_running(leaf.writer, age):
                self._late.append((leaf, "running"))
            else:
                old.append(leaf)
        return old

    def _unneeded(self, leaves: list[Leaf], *, again: bool = False) -> list[Leaf]:
        """Return those of `leaves` that nothing needs, as far as can be told now."""
        references = References.below(self._root, self._others)
        unneeded = [leaf for leaf in leaves if not _is_needed(references, leaf)]
        if any(leaf.kind == BULK for leaf in unneeded):
            self._cells.add_to(references)
            unneeded = [leaf for leaf in unneeded if not _is_needed(references, leaf)]
        blocked = _blocked(references, self._cells)
        if not again:
            self._count_kept(references, unneeded, blocked)
        return [leaf for leaf in unneeded if not blocked(leaf)]

    def _count_kept(
        self, references: References, unneeded: list[Leaf], blocked: Callable[[Leaf], bool]
    ) -> None:
        held = sum(map(blocked, unneeded))
        if held:
            self._garbage.held += held
            self._garbage.blocked |= {**references.damaged, **self._cells.unreadable}
        for leaf, reason in self._late:
            if not _is_needed(references, leaf):
                self._garbage.young += reason == "young"
                self._garbage.running += reason == "running"

    def _remove_empty(self, inventory: Inventory, now: float) -> None:
        """Remove folders that were empty for long; those that a writer fills at once stay."""
        for folder, changed in inventory.empty:
            if now - changed >= self._grace:
                with suppress(OSError):
                    folder.to_local_path().rmdir()
                    self._garbage.folders += 1


def _is_needed(references: References, leaf: Leaf) -> bool:
    if leaf.kind == PROBE:
        return False
    if leaf.kind == LOG:
        return references.needs_events(leaf.url.parent)
    if leaf.kind == BULK and references.holds_writer_of(leaf.url):
        return True
    return references.holds(leaf.url)


def _blocked(references: References, cells: CellReferences) -> Callable[[Leaf], bool]:
    """Return whether something that cannot be read may refer to a leaf."""
    kinds = set()
    if references.damaged:
        kinds = {DATA, BULK}
    elif cells.unreadable:
        kinds = {BULK}
    return lambda leaf: leaf.kind in kinds


def _store_time(project: Url, *, strict: bool) -> float:
    """Return what the store takes for the time now: that of a file that is made for it."""
    probe = project / f"{PROBE_NAME}{new_writer()}"
    try:
        UrlAdapterRegistry.create_binary_content_at_url(probe, b"")
        try:
            times = [entry.mtime for entry in entries(project) if entry.name == probe.name]
        finally:
            UrlAdapterRegistry.delete_url(probe)
    except OSError:
        if strict:
            raise
        return time.time()  # nothing is deleted; who cannot write there may look all the same
    return times[0] if times and times[0] is not None else time.time()
