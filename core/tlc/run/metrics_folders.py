"""Metrics tables that a run lists although no event says so.

A writer publishes the table and then tells the run. If it is killed in between, the manifest still
says that the table belongs to the run.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from tlc.errors import (
    CorruptObjectError,
    DamagedObjectWarning,
    ObjectKindError,
    UnsupportedFormatError,
    UrlNotFoundError,
)
from tlc.format.layout import METRICS
from tlc.format.manifest import TableManifest, read
from tlc.table import Table
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["linked_tables"]


def linked_tables(run: Url, told: Collection[str]) -> Iterator[Table]:
    """Yield the metrics tables whose manifests say that the run lists them, sorted by name.

    Args:
        run: The run's folder.
        told: Urls, relative to the run, of those that events tell of already: that they are linked,
            or no longer are.
    """
    try:
        names = UrlAdapterRegistry.list_folders(run / METRICS)
    except UrlNotFoundError:
        return
    for name in names:
        if f"{METRICS}/{name}" not in told:
            table = _linked(run / METRICS / name)
            if table is not None:
                yield table


def _linked(url: Url) -> Table | None:
    try:
        manifest = read(url, TableManifest)
    except (ObjectKindError, UrlNotFoundError):  # its writer has not finished
        return None
    except (CorruptObjectError, UnsupportedFormatError) as error:
        warnings.warn(
            f"The metrics table {url} cannot be read and was passed over: {error}",
            DamagedObjectWarning,
            stacklevel=2,
        )
        return None
    linked = manifest.metrics is not None and manifest.metrics.linked
    return Table(url, manifest) if linked else None
