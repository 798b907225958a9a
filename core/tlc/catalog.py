"""What lies below a project root: projects, tables and runs, damaged ones too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tlc.errors import TlcError
from tlc.format.layout import DATASETS, RUNS, TABLES, project_root
from tlc.format.listing import folders, in_each, manifests
from tlc.format.manifest import RunManifest, TableManifest, decode
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "list_projects", "list_runs", "list_tables"]

M = TypeVar("M", TableManifest, RunManifest)


@dataclass(frozen=True)
class Entry:
    """A table or run in a listing.

    Attributes:
        url: Where it is.
        created: When it was made: UTC, ISO 8601; empty if that cannot be read.
        row_count: Number of rows of a table.
        revision: Number of revisions before it.
        fault: Why it cannot be read; empty if it can.
    """

    url: Url
    created: str = ""
    row_count: int = 0
    revision: int = 0
    fault: str = ""


def list_projects(root_url: Url | str | None = None) -> list[Url]:
    """Return the folders of all projects, sorted by name.

    Args:
        root_url: Folder that holds the projects; the active run's or the configured one if None.
    """
    return [
        url
        for url in folders(project_root(root_url))
        if UrlAdapterRegistry.is_dir(url / DATASETS) or UrlAdapterRegistry.is_dir(url / RUNS)
    ]


def list_tables(project: Url) -> list[Entry]:
    """Return the tables of all datasets of a project, sorted by dataset and name."""
    datasets = folders(project / DATASETS)
    tables = in_each(lambda dataset: list(_entries(dataset / TABLES, TableManifest)), datasets)
    return [entry for group in tables for entry in group]


def list_runs(project: Url) -> list[Entry]:
    """Return the runs of a project, sorted by name."""
    return list(_entries(project / RUNS, RunManifest))


def _entries(folder: Url, kind: type[M]) -> Iterator[Entry]:
    for url, data in manifests(folders(folder)):
        try:
            manifest = decode(data, kind, url)
        except TlcError as error:
            yield Entry(url, fault=error.message)
            continue
        if isinstance(manifest, TableManifest):
            rows = manifest.stack.row_count
            yield Entry(url, manifest.created, rows, manifest.revision)
        else:
            yield Entry(url, manifest.created)
