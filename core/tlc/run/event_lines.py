"""One event, and the line that stands for it in a file: JSON that ends with its own checksum."""

from __future__ import annotations

import warnings
import zlib
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.errors import DamagedObjectWarning
from tlc.run.values import to_stored
from tlc.schemas._json import from_json

if TYPE_CHECKING:
    from tlc.url import Url

__all__ = ["Event", "is_begun", "line", "parse"]

_START = b'{"time":"'

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


def line(event: Event) -> bytes:
    """Return the line of an event; whatever JSON cannot hold is kept as text."""
    values = to_stored(event.values)
    body = msgspec.json.encode({"time": event.time, "type": event.type, "values": values})[:-1]
    return body + _CHECK % zlib.crc32(body) + b"\n"


def is_begun(rest: bytes) -> bool:
    """Whether what follows the last end of a line is a line that is not finished, or nothing."""
    whole = rest[-_CHECK_LENGTH - 1 : -1].startswith(_CHECK[:10])  # but its end is no end
    return rest[: len(_START)] == _START[: len(rest)] and not whole


def parse(lines: list[bytes], file: Url, first: int) -> list[Event]:
    """Return the events of some lines; damaged ones are passed over with a warning.

    Args:
        lines: The lines, without their ends.
        file: Where they are from.
        first: Number of the first of them there.
    """
    events = []
    for number, each in enumerate(lines, start=first):
        body, check = each[:-_CHECK_LENGTH], each[-_CHECK_LENGTH:]
        try:
            if check != _CHECK % zlib.crc32(body):
                raise ValueError("its checksum does not fit")
            event = msgspec.json.decode(each, type=Event)
            _check_values(event, each)
            events.append(event)
        except _NOT_UNDERSTOOD as error:
            warnings.warn(
                f"{file}, line {number} is damaged and was passed over: {error}.",
                DamagedObjectWarning,
                stacklevel=2,
            )
    return events


_NOT_UNDERSTOOD = (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError)
_MOST_NESTED = 200
_NEEDED: dict[str, dict[str, type]] = {
    "metrics": {"url": str},
    "metrics_removed": {"url": str},
    "status": {"status": int},
    "description": {"description": str},
}
"""Values that an event must have, by its type, and what they must be."""

_OPTIONAL: dict[str, dict[str, type]] = {
    "input": {"input_table_url": str},
    "status": {"reason": str},
}


def _check_values(event: Event, line: bytes) -> None:
    """Raise an error if nobody could understand an event.

    Checksums tell of accidents. Who wants to do harm, or makes a mistake, gives one that fits.
    """
    values = event.values
    for name, kind in _NEEDED.get(event.type, {}).items():
        if not isinstance(values.get(name), kind):
            raise ValueError(f"its {name!r} is {values.get(name)!r:.80}")
    for name, kind in _OPTIONAL.get(event.type, {}).items():
        if not isinstance(values.get(name, kind()), kind):
            raise ValueError(f"its {name!r} is {values.get(name)!r:.80}")
    if line.count(b"[") + line.count(b"{") > _MOST_NESTED and _depth(values) > _MOST_NESTED:
        raise ValueError("it is nested too deep")
    if b'"$' in line and not isinstance(from_json(values), dict):
        raise ValueError("it has no values")


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        inner = [part.values() if isinstance(part, dict) else part for part in level]
        level = [item for part in inner for item in part if isinstance(item, dict | list)]
        depth += 1
    return depth
