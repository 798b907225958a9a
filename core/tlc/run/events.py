"""The log of a run: what happened to it, one JSON line per event, never changed.

Each process appends to a file of its own, so any number of them can write to one run. The files lie
in a folder named after the id of the run: whoever still writes for a run that was overwritten does
not write into the new one. Each line ends with a checksum of what is before it. A line that a
killed process left unfinished at the end of its file is passed over.
"""

from __future__ import annotations

import os
import time
import uuid
import warnings
import zlib
from dataclasses import dataclass, field
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
_ATTEMPTS = 10
_CHECK = b',"crc32":"%08x"}'
_CHECK_LENGTH = len(_CHECK % 0)


class Event(msgspec.Struct):
    """Something that happened to a run.

    Attributes:
        time: When: UTC, ISO 8601.
        type: What.
        values: The facts.
    """

    time: str
    type: str
    values: dict[str, Any]


@dataclass
class _File:
    """What has been read of a file: the lines that were complete."""

    size: int = -1
    length: int = 0
    lines: int = 0
    events: list[Event] = field(default_factory=list)


class EventLog:
    """Appends events to a run and reads those of all its writers.

    Args:
        run: The run's folder.
        run_id: Its identity.
    """

    def __init__(self, run: Url, run_id: str) -> None:
        self._folder = run / EVENTS / run_id
        self._file: Url | None = None
        self._owner = 0
        self._last_sync = 0.0
        self._read: dict[str, _File] = {}

    def append(self, type_: str, values: Mapping[str, Any], *, durable: bool = True) -> None:
        """Add an event.

        On return it survives the end of the process. It is on the disk at once if `durable`, else
        within seconds, with the next event that is due.

        Args:
            type_: What happened.
            values: The facts; whatever JSON cannot hold is kept as text.
            durable: Whether to wait for the disk.
        """
        due = durable or time.monotonic() - self._last_sync >= _SYNC_SECONDS
        self._write(_line(Event(now(), type_, dict(values))), durable=due)
        if due:
            self._last_sync = time.monotonic()

    def add(self, events: Iterable[Event]) -> None:
        """Add events of another run, with their times, and wait for the disk."""
        self._write(b"".join(map(_line, events)), durable=True)

    def read(self) -> list[Event]:
        """Return all events of all writers, in the order of their times.

        The events of one writer keep their order, whatever its clock said. The values are the
        caller's to change.
        """
        try:
            entries = list(UrlAdapterRegistry.list_dir(self._folder))
        except UrlNotFoundError:
            return []
        found: list[Event] = []
        for entry in entries:
            if entry.name.endswith(".jsonl"):
                found += self._events_of(entry.name, entry.size)
        found.sort(key=lambda event: event.time)
        return [Event(event.time, event.type, from_stored(event.values)) for event in found]

    def _write(self, lines: bytes, *, durable: bool) -> None:
        for attempt in range(_ATTEMPTS):
            file = self._own_file()
            try:
                UrlAdapterRegistry.append_binary_content_to_url(file, lines, durable=durable)
                return
            except UrlNotFoundError:
                # Somebody overwrites the run, and deleted the folder just after it was made.
                if attempt == _ATTEMPTS - 1:
                    raise
            except BaseException:
                self._file = None  # it may end with part of a line, so nothing may come after that
                raise

    def _own_file(self) -> Url:
        if self._file is None or self._owner != os.getpid():
            # A forked process must not write into the file of the one it came from.
            self._owner = os.getpid()
            name = f"{now().replace(':', '')}-{self._owner}-{uuid.uuid4().hex[:8]}.jsonl"
            self._file = self._folder / name
        return self._file

    def _events_of(self, name: str, size: int | None) -> list[Event]:
        known = self._read.get(name, _File())
        if known.size == size:
            return known.events
        url = self._folder / name
        data = url.read_bytes()
        if len(data) < known.length:
            known = _File()
        complete = data[known.length :].rpartition(b"\n")[0]
        lines = complete.split(b"\n") if complete else []
        self._read[name] = _File(
            size=len(data),
            length=known.length + len(complete) + bool(lines),
            lines=known.lines + len(lines),
            events=known.events + _parse(lines, url, known),
        )
        return self._read[name].events


def _line(event: Event) -> bytes:
    values = to_stored(event.values)
    body = msgspec.json.encode({"time": event.time, "type": event.type, "values": values})[:-1]
    return body + _CHECK % zlib.crc32(body) + b"\n"


def _parse(lines: list[bytes], url: Url, before: _File) -> list[Event]:
    """Return the events of the lines that follow those read `before`."""
    events = []
    latest = before.events[-1].time if before.events else ""
    for number, line in enumerate(lines, start=before.lines + 1):
        body, check = line[:-_CHECK_LENGTH], line[-_CHECK_LENGTH:]
        try:
            if check != _CHECK % zlib.crc32(body):
                raise ValueError("its checksum does not fit")
            event = msgspec.json.decode(line, type=Event)
        except (ValueError, msgspec.MsgspecError) as error:
            warnings.warn(
                f"{url}, line {number} is damaged and was passed over: {error}.",
                DamagedObjectWarning,
                stacklevel=4,
            )
            continue
        latest = event.time = max(event.time, latest)
        events.append(event)
    return events
