"""Copying a run: its events and metrics tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

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
from tlc.format.publish import claim, create, exists_error
from tlc.format.rebase import moved
from tlc.run.events import EventLog
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from tlc.run.run import Run


def copy_run(run: Run, wanted: Url, if_exists: str) -> Url:
    """Copy `run` to `wanted` and return where the copy is; see `Run.copy`.

    The manifest is written last, so a copy that was cut short is no run.
    """
    folder = claim(wanted, if_exists, "run")
    for part in (METRICS, BULK_DATA):
        if UrlAdapterRegistry.is_dir(run.url / part):
            _copy_tree(run.url / part, folder / part, run.url, folder)
    events = EventLog(folder)
    for event in EventLog(run.url).read():
        values = event["values"]
        if event["type"] == "input" and "input_table_url" in values:
            values["input_table_url"] = moved(values["input_table_url"], run.url, folder)
        events.append(event["type"], values, durable=False)
    source = read(run.url, RunManifest)
    manifest = msgspec.structs.replace(source, id=new_id(), created=now())
    if if_exists == "overwrite":
        (folder / MANIFEST).write_bytes(encode(manifest))
    elif not create(folder, manifest):
        raise exists_error(folder, "run")
    return folder


def _copy_tree(source: Url, target: Url, old: Url, new: Url) -> None:
    for entry in UrlAdapterRegistry.list_dir(source):
        if entry.is_dir:
            _copy_tree(source / entry.name, target / entry.name, old, new)
        elif entry.name in (MANIFEST, OPENED):
            _copy_manifest(source, target, entry.name)
        else:
            UrlAdapterRegistry.copy_url(source / entry.name, target / entry.name)


def _copy_manifest(source: Url, target: Url, name: str) -> None:
    """Copy the manifest of a metrics table; its foreign table stays where it is."""
    manifest = decode((source / name).read_bytes(), TableManifest, source)
    parents = tuple(
        msgspec.structs.replace(parent, url=moved(parent.url, source, target))
        for parent in manifest.parents
    )
    metrics = manifest.metrics
    if metrics and metrics.foreign_table:
        metrics = msgspec.structs.replace(metrics, foreign_table=parents[0])
    changed = msgspec.structs.replace(manifest, parents=parents, metrics=metrics)
    (target / name).write_bytes(encode(changed))
