"""What may be damaged after a power cut when nobody waited for the disk, and how that is judged.

Damage is harmless if it is told: every object is either as it was written or refused with an error
of `tlc`, and refused only if one of its own files is not as it was written.
"""

from __future__ import annotations

import json
import os
import warnings
from typing import TYPE_CHECKING, Any

from tests.reliability.works import entries

import tlc
from tlc.catalog import list_runs, list_tables
from tlc.errors import DamagedObjectWarning, TlcError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def check_harmless(work: Any, root: str, intact: Mapping[str, bytes | None]) -> int:
    """Assert that what a crash left is harmless, and return how many objects it damaged.

    Args:
        work: What was at work.
        root: Where it is now.
        intact: Content of all files, by path below the root, as it was written.
    """
    damaged = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedObjectWarning)
        for entry in entries(root, list_tables):
            damaged += not _is_right(work, tlc.Url(entry.url), entry.revision, root, intact)
        for entry in entries(root, list_runs):
            if entry.fault:
                damaged += 1
                assert is_harmed(str(entry.url), root, intact)
                continue
            for table in tlc.Run.from_url(entry.url).metrics_tables:
                damaged += not _is_right(work, table.url, 0, root, intact)
    return damaged


def _is_right(
    work: Any, url: tlc.Url, revision: int, root: str, intact: Mapping[str, bytes | None]
) -> bool:
    try:
        assert work.is_right(tlc.Table.from_url(url), revision)
    except TlcError:
        assert is_harmed(str(url), root, intact)
        return False
    return True


def is_harmed(folder: str, root: str, intact: Mapping[str, bytes | None]) -> bool:
    """Return whether a file of an object is not as it was written."""
    for path in _files(folder):
        try:
            with open(path, "rb") as file:
                if file.read() != intact[os.path.relpath(path, root)]:
                    return True
        except FileNotFoundError:
            return True
    return False


def _files(folder: str) -> Iterator[str]:
    """Yield the paths of an object's manifest and, if that can be read, of the files it names."""
    manifest = os.path.join(folder, "manifest.json")
    if not os.path.exists(
        manifest
    ):  # a partial metrics table, whose files are those that lie there
        for above, _, names in os.walk(folder):
            yield from (os.path.join(above, name) for name in names)
        return
    yield manifest
    try:
        with open(manifest, encoding="utf-8") as file:
            below = [json.load(file)]
    except ValueError:
        return
    while below:
        part = below.pop()
        if isinstance(part, dict):
            if "path" in part:
                yield os.path.normpath(os.path.join(folder, part["path"]))
            below += part.values()
        elif isinstance(part, list):
            below += part
