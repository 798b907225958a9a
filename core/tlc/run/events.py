"""The log of a run: what happened to it, one JSON line per event, never changed.

Each process appends to a file of its own, so any number of them can write to one run. A line that a
killed process left unfinished at the end of its file is passed over.
"""

from __future__ import annotations

import os
import time
import uuid
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.errors import DamagedObjectWarning, UrlNotFoundError
from tlc.format.manifest import now
from tlc.run.values import from_stored, to_stored
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENTS = "events"
_SYNC_SECONDS = 5.0


class EventLog:
    """Appends events to a run and reads those of all its writers.

    Args:
        run: The run's folder.
    """

    def __init__(self, run: Url) -> None:
        self._folder = run / EVENTS
        self._file: Url | None = None
        self._owner = 0
        self._last_sync = 0.0
        self._read: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    def append(self, type_: str, values: Mapping[str, Any], *, durable: bool = True) -> None:
        """Add an event.

        On return it survives the end of the process. It is on the disk at once if `durable`, else
        within seconds, with the next event that is due.

        Args:
            type_: What happened.
            values: The facts; whatever JSON cannot hold is kept as text.
            durable: Whether to wait for the disk.
        """
        line = msgspec.json.encode({"time": now(), "type": type_, "values": to_stored(values)})
        due = durable or time.monotonic() - self._last_sync >= _SYNC_SECONDS
        UrlAdapterRegistry.append_binary_content_to_url(self._own_file(), line + b"\n", durable=due)
        if due:
            self._last_sync = time.monotonic()

    def read(self) -> list[dict[str, Any]]:
        """Return all events of all writers, in the order of their times."""
        try:
            entries = list(UrlAdapterRegistry.list_dir(self._folder))
        except UrlNotFoundError:
            return []
        found: list[dict[str, Any]] = []
        for entry in entries:
            if entry.name.endswith(".jsonl"):
                found += self._events_of(entry.name, entry.size or 0)
        return sorted(found, key=lambda event: str(event["time"]))

    def _own_file(self) -> Url:
        if self._file is None or self._owner != os.getpid():
            # A forked process must not write into the file of the one it came from.
            self._owner = os.getpid()
            name = f"{now().replace(':', '')}-{self._owner}-{uuid.uuid4().hex[:8]}.jsonl"
            self._file = self._folder / name
        return self._file

    def _events_of(self, name: str, size: int) -> list[dict[str, Any]]:
        known = self._read.get(name)
        if known is None or known[0] != size:
            data = (self._folder / name).read_bytes()
            known = (len(data), list(_parse(data, self._folder / name)))
            self._read[name] = known
        return known[1]


def _parse(data: bytes, url: Url) -> Iterable[dict[str, Any]]:
    complete, _, _unfinished = data.rpartition(b"\n")
    for number, line in enumerate(complete.split(b"\n") if complete else [], start=1):
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
            yield {
                "time": event["time"],
                "type": event["type"],
                "values": from_stored(event["values"]),
            }
        except (msgspec.MsgspecError, KeyError) as error:
            warnings.warn(
                f"{url}, line {number} is damaged and was passed over ({error}).",
                DamagedObjectWarning,
                stacklevel=4,
            )
