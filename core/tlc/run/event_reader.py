"""Reading the events of a run: the files of all its writers, each from where it was read last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tlc.errors import TlcError, UrlNotFoundError
from tlc.run.event_lines import Event, is_begun, parse
from tlc.run.event_writer import writer_and_part
from tlc.schemas._json import from_json
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from tlc.url import UrlAdapterDirEntry

__all__ = ["EventReader"]


@dataclass
class _File:
    """What has been read of a file: the lines that were complete."""

    size: int = -1
    length: int = 0
    lines: int = 0
    events: list[Event] = field(default_factory=list)


class EventReader:
    """Reads the events in a folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Url) -> None:
        self._folder = folder
        self._files: dict[str, _File] = {}

    def read(self) -> list[Event]:
        """Return all events of all writers, in the order of their times.

        The events of one writer keep their order, whatever its clock said. The values are the
        caller's to change.
        """
        parts: dict[str, dict[int, str]] = {}
        for entry in self._update():
            writer, part = writer_and_part(entry.name)
            parts.setdefault(writer, {})[part] = entry.name
        found: list[tuple[str, Event]] = []
        for named in parts.values():
            latest = ""
            for event in _joined([self._files[named[part]].events for part in sorted(named)]):
                latest = max(latest, event.time)
                found.append((latest, event))
        found.sort(key=lambda each: each[0])
        return [Event(time, event.type, from_json(event.values)) for time, event in found]

    def _update(self) -> list[UrlAdapterDirEntry]:
        """Read what is new, of several files at the same time, and return the files there are."""
        try:
            entries = list(UrlAdapterRegistry.list_dir(self._folder))
        except UrlNotFoundError:
            return []
        files = [entry for entry in entries if entry.name.endswith(".jsonl")]
        changed = [
            entry
            for entry in files
            if entry.name not in self._files or self._files[entry.name].size != entry.size
        ]
        urls = [self._folder / entry.name for entry in changed]
        for url, content in zip(urls, UrlAdapterRegistry.read_many(urls), strict=True):
            if isinstance(content, UrlNotFoundError):  # the run is being overwritten
                self._files.setdefault(url.name, _File())
            elif isinstance(content, TlcError):
                raise content
            else:
                self._add(url, content)
        return files

    def _add(self, url: Url, data: bytes) -> None:
        known = self._files.get(url.name, _File())
        if len(data) < known.length:
            known = _File()
        complete = data[known.length :].rpartition(b"\n")[0]
        lines = complete.split(b"\n") if complete else []
        rest = data[known.length + len(complete) + bool(lines) :]
        if not is_begun(rest):
            parse([rest], url, known.lines + len(lines) + 1)  # says that it is damaged
        self._files[url.name] = _File(
            size=len(data),
            length=known.length + len(complete) + bool(lines),
            lines=known.lines + len(lines),
            events=known.events + parse(lines, url, known.lines + 1),
        )


def _joined(parts: list[list[Event]]) -> list[Event]:
    """Return the events of the parts of one writer.

    A writer that could not know whether events had reached the disk began a later part with them;
    they count once.
    """
    if len(parts) == 1:
        return parts[0]
    events: list[Event] = []
    by_time: dict[str, list[Event]] = {}
    for part in parts:
        again = 0
        while again < len(part) and part[again] in by_time.get(part[again].time, ()):
            again += 1
        events += part[again:]
        for event in part[again:]:
            by_time.setdefault(event.time, []).append(event)
    return events
