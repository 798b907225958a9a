"""A full check of a project or an object: what is damaged, what that affects, what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.catalog import list_projects
from tlc.errors import ObjectKindError, ObjectNotFoundError, TlcError
from tlc.format.layout import DATASETS, RUNS, TABLES
from tlc.format.listing import folders
from tlc.format.manifest import MANIFEST, OPENED, Head, decode_part
from tlc.upkeep.files import check_files
from tlc.upkeep.findings import Finding, Report
from tlc.upkeep.gc import collect_garbage
from tlc.upkeep.runs import check_run, metrics_folders
from tlc.upkeep.tables import TableCheck, file_finding
from tlc.url import Scheme, Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["examine"]


class _Identity(Head, frozen=True, kw_only=True):
    id: str


def examine(
    url: Url | str | None = None, root_url: Url | str | None = None, *, repair: bool = False
) -> Report:
    """Read a project, or one object, in full and say what is wrong with it.

    Every file that a table needs is compared with its digest, so this takes as long as reading the
    project takes.

    Args:
        url: A project, table, run or metrics table; all projects if None.
        root_url: Folder that holds the projects; the active run's or the configured one if None.
        repair: Whether to do what is safe: link metrics tables that their run does not know of, and
            remove temporary files of dead processes. Nothing else is ever changed.

    Raises:
        ObjectNotFoundError: There is nothing at `url`.
        ObjectKindError: What is there is none of these.
    """
    places = list_projects(root_url) if url is None else [Url(url).to_absolute()]
    check = _Check()
    for place in places:
        check.look_at(place)
    report = check.report()
    if repair:
        report.repaired = [each.repair() for each in report.findings if each.repair]
        for place in places:
            adapter, folder = UrlAdapterRegistry.resolve(place)
            report.repaired += [f"removed {each}" for each in adapter.sweep_unfinished(folder)]
    return report


class _Check:
    """Gathers findings, and the files of all tables, each of which is read once."""

    def __init__(self) -> None:
        self._report = Report()
        self._tables = TableCheck(self._missing)
        self._known: dict[Url, str | None] = {}

    def look_at(self, place: Url) -> None:
        """Check the manifests of what lies at a url."""
        if UrlAdapterRegistry.is_dir(place / DATASETS) or UrlAdapterRegistry.is_dir(place / RUNS):
            self._look_at_project(place)
        elif _is_run(place):
            self._look_at_run(place)
        elif (place / MANIFEST).exists() or (place / OPENED).exists():
            self._report.findings += self._tables.check(place)
        elif place.exists():
            raise ObjectKindError(
                f"{place} is neither a project nor a table nor a run.",
                hint="give the folder of one, as `tlc ls` shows it.",
            )
        else:
            raise ObjectNotFoundError(
                f"There is nothing at {place}.", hint="`tlc ls` lists projects, tables and runs."
            )

    def report(self) -> Report:
        """Read the files of all tables, and return what was found."""
        self._tables.add_bulk()
        for url, wanted, fault, size in check_files(self._tables.files.items()):
            self._report.files += 1
            self._report.size += size
            if fault:
                self._report.findings.append(file_finding(url, wanted, fault))
        self._report.tables = self._tables.count
        self._report.findings.sort(key=lambda finding: str(finding.url))
        return self._report

    def _look_at_project(self, project: Url) -> None:
        for dataset in folders(project / DATASETS):
            for table in folders(dataset / TABLES):
                self._report.findings += self._tables.check(table)
        for run in folders(project / RUNS):
            self._look_at_run(run)
        self._report.findings += _garbage(project)

    def _look_at_run(self, run: Url) -> None:
        self._report.runs += 1
        self._report.findings += check_run(run, self._missing)
        for table in metrics_folders(run):
            self._report.findings += self._tables.check(table)

    def _missing(self, url: Url, identity: str) -> str:
        """Return why there is no object of an id at a url; empty if it is there, or unreadable."""
        if url.scheme in (Scheme.HTTP, Scheme.HTTPS):
            return ""  # a request has effects by itself; nobody asked for one
        if url not in self._known:
            self._known[url] = _identity(url)
        found = self._known[url]
        if found is None:
            return "nothing is there"
        return "" if found in ("", identity) or not identity else "another table is there"


def _identity(url: Url) -> str | None:
    """Return the id of the object at a url, empty if it cannot be read, None if there is none."""
    for file in (MANIFEST, OPENED):
        try:
            content = (url / file).read_bytes()
        except FileNotFoundError:
            continue
        except (TlcError, OSError):
            return ""
        try:
            return decode_part(content, _Identity, url).id
        except TlcError:
            return ""  # that is told where the object itself is looked at
    return None


def _is_run(place: Url) -> bool:
    if place.parent.name == RUNS:
        return True
    try:
        return decode_part((place / MANIFEST).read_bytes(), Head, place).kind == "run"
    except (TlcError, OSError):
        return False


def _garbage(project: Url) -> Iterator[Finding]:
    garbage = collect_garbage(project.name, project.parent)
    if garbage.count:
        yield Finding(
            project,
            f"{garbage.count:,} files ({garbage.size:,} bytes) are needed by nobody",
            remedy=f"tlc gc {project.name!r} --root {str(project.parent)!r} --delete",
            is_damage=False,
        )
