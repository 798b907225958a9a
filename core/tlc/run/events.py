"""The log of a run: what happened to it, one JSON line per event, never changed.

Each process writes files of its own, so any number of them can write to one run. The files lie in a
folder named after the id of the run: whoever still writes for a run that was overwritten does not
write into the new one. Each line ends with a checksum of what is before it. A line that a killed
process left unfinished at the end of its file is passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.format.manifest import now
from tlc.run.event_lines import Event, line
from tlc.run.event_reader import EventReader
from tlc.run.event_writer import EventWriter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tlc.url import Url

__all__ = ["EVENTS", "Event", "EventLog"]

EVENTS = "events"


class EventLog:
    """Appends events to a run and reads those of all its writers.

    Args:
        run: The run's folder.
        run_id: Its identity.
    """

    def __init__(self, run: Url, run_id: str) -> None:
        folder = run / EVENTS / run_id
        self._writer = EventWriter(folder)
        self._reader = EventReader(folder)

    def append(self, type_: str, values: Mapping[str, Any], *, durable: bool = True) -> None:
        """Add an event.

        Args:
            type_: What happened.
            values: The facts; whatever JSON cannot hold is kept as text.
            durable: Whether to wait for the disk, and raise what is in the way. If not, the event
                is on the disk within seconds, and on stores whose files can grow it survives the
                end of the process at once; what is in the way is told by a warning, and the event
                is kept until it can be written.
        """
        self._writer.write(line(Event(now(), type_, dict(values))), durable=durable)

    def add(self, events: Iterable[Event]) -> None:
        """Add events of another run, with their times, and wait for the disk."""
        self._writer.write(b"".join(map(line, events)), durable=True)

    def read(self) -> list[Event]:
        """Return all events of all writers, in the order of their times.

        The events of one writer keep their order, whatever its clock said. The values are the
        caller's to change.
        """
        return self._reader.read()
