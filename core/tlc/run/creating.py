"""Making the folder of a run, and making room for it."""

from __future__ import annotations

from contextlib import suppress

from tlc.errors import CorruptObjectError
from tlc.format.layout import BULK_DATA, METRICS
from tlc.format.manifest import MANIFEST, RunManifest, encode, new_id, now, read
from tlc.format.publish import check_option, claim, create, exists_error, numbered, object_exists
from tlc.run.events import EVENTS
from tlc.run.presence import leave
from tlc.url import IfExistsOption, Url, UrlAdapterRegistry


def create_run(wanted: Url, if_exists: str, description: str) -> tuple[Url, RunManifest]:
    """Write the manifest of a new run, or read that of the one to go on with.

    Args:
        wanted: Where the run is to be.
        if_exists: What to do if there is one already; see `tlc.init`.
        description: What it is about.

    Returns:
        Where it is in the end, and its manifest.
    """
    option = check_option(if_exists)
    claim(wanted, option, "run")
    manifest = RunManifest(id=new_id(), created=now(), description=description)
    if option is IfExistsOption.OVERWRITE:
        clear(wanted)
        (wanted / MANIFEST).write_bytes(encode(manifest))
        return wanted, manifest
    for url in numbered(wanted) if option is IfExistsOption.RENAME else [wanted]:
        if not object_exists(url) and create(url, manifest):
            return url, manifest
        if option is IfExistsOption.REUSE:
            return url, read(url, RunManifest)
    raise exists_error(wanted, "run")


def clear(folder: Url) -> None:
    """Delete what a run holds that is to be overwritten; its manifest stays until it is replaced.

    Whoever still writes for that run does so under its id, where nobody looks any more.

    Raises:
        ObjectKindError: What is there is no run.
    """
    if not object_exists(folder):
        return
    leaving = [folder / METRICS, folder / BULK_DATA]
    with suppress(CorruptObjectError):  # then it cannot be known which events are its own
        run_id = read(folder, RunManifest).id
        leaving.append(folder / EVENTS / run_id)
        leave(folder, run_id)
    for part in leaving:
        with suppress(OSError):  # another process may be doing the same
            UrlAdapterRegistry.delete_tree(part)
