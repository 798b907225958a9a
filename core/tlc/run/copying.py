"""Copying a run: its events and metrics tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tlc.constants import FOREIGN_TABLE_ID, FOREIGN_TABLE_URL
from tlc.errors import ObjectExistsError
from tlc.format.layout import BULK_DATA, METRICS
from tlc.format.manifest import (
    MANIFEST,
    OPENED,
    RunManifest,
    TableManifest,
    decode,
    encode,
    new_id,
    now,
    read,
)
from tlc.format.publish import check_option, claim, create, exists_error
from tlc.format.ranks import is_share
from tlc.run.creating import clear
from tlc.run.events import Event, EventLog
from tlc.schemas import Schema
from tlc.url import IfExistsOption, Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from tlc.run.run import Run

_URL_KEYS = {"input": "input_table_url", "metrics": "url", "metrics_removed": "url"}


def copy_run(run: Run, wanted: Url, if_exists: str) -> Url:
    """Copy `run` to `wanted` and return where the copy is; see `Run.copy`.

    The manifest is written last, so a copy that was cut short is no run.
    """
    option = check_option(if_exists, without=IfExistsOption.REUSE)
    folder = claim(wanted, option, "run")
    if folder == run.url:
        raise ObjectExistsError(
            f"{run.url} cannot be copied onto itself.", hint="give the copy another name."
        )
    source = read(run.url, RunManifest)
    manifest = msgspec.structs.replace(source, id=new_id(), created=now())
    if option is IfExistsOption.OVERWRITE:
        clear(folder)
    way = _Way(run.url, folder)
    for part in (METRICS, BULK_DATA):
        if UrlAdapterRegistry.is_dir(run.url / part):
            _copy_tree(run.url / part, folder / part, way)
    events = EventLog(run.url, source.id).read()
    if events:
        EventLog(folder, manifest.id).add(map(way.event, events))
    if option is IfExistsOption.OVERWRITE:
        (folder / MANIFEST).write_bytes(encode(manifest))
    elif not create(folder, manifest):
        raise exists_error(folder, "run")
    return folder


class _Way:
    """How paths change: what lies in the run is the copy's own, all else stays where it is."""

    def __init__(self, old: Url, new: Url) -> None:
        self._old = old
        self._new = new

    def path(self, path: str, source: Url, target: Url) -> str:
        """Return a path relative to the folder `source` as one relative to its copy `target`."""
        there = Url(path).to_absolute(source)
        inside = f"{self._old.to_str()}/"
        if there.to_str().startswith(inside):
            there = self._new / there.to_str().removeprefix(inside)
        return there.to_relative(target).to_str()

    def event(self, event: Event) -> Event:
        """Return an event as the copy must tell it."""
        key = _URL_KEYS.get(event.type)
        if key not in event.values:
            return event
        path = self.path(event.values[key], self._old, self._new)
        return Event(event.time, event.type, {**event.values, key: path})

    def manifest(self, manifest: TableManifest, source: Url, target: Url) -> TableManifest:
        """Return the manifest of a metrics table as the copy of the table must have it."""
        parents = tuple(
            msgspec.structs.replace(parent, url=self.path(parent.url, source, target))
            for parent in manifest.parents
        )
        metrics, schema = manifest.metrics, Schema.from_dict(manifest.rows_schema)
        if metrics and metrics.foreign_table:
            foreign = metrics.foreign_table
            path = self.path(foreign.url, source, target)
            foreign = msgspec.structs.replace(foreign, url=path)
            metrics = msgspec.structs.replace(metrics, foreign_table=foreign)
            if FOREIGN_TABLE_ID in schema.values:
                schema.values[FOREIGN_TABLE_ID].metadata[FOREIGN_TABLE_URL] = path
        return msgspec.structs.replace(
            manifest, parents=parents, metrics=metrics, rows_schema=schema.to_dict()
        )


def _copy_tree(source: Url, target: Url, way: _Way) -> None:
    for entry in UrlAdapterRegistry.list_dir(source):
        here, there = source / entry.name, target / entry.name
        if entry.is_dir:
            _copy_tree(here, there, way)
        elif entry.name in (MANIFEST, OPENED) or is_share(entry.name):
            manifest = decode(here.read_bytes(), TableManifest, source)
            there.write_bytes(encode(way.manifest(manifest, source, target)))
        else:
            UrlAdapterRegistry.copy_url(here, there)
