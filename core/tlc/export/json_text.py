"""JSON that is made while it is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


def json_list(items: Iterable[Any], indent: int, level: int = 0) -> Iterator[bytes]:
    """Yield the text of a list, item by item.

    Args:
        items: What JSON can hold.
        indent: Spaces before each level; 0 for no line breaks.
        level: How deep the list lies in others.
    """
    encode = msgspec.json.Encoder().encode
    line_end = b"\n" if indent > 0 else b""
    before = b"[" + line_end
    for item in items:
        yield before + _indented(encode(item), indent, level + 1)
        before = b"," + line_end
    if before.startswith(b"["):
        yield b"[]"
    else:
        yield line_end + b" " * indent * level + b"]"


def json_object(members: Iterable[tuple[str, Any]], indent: int) -> Iterator[bytes]:
    """Yield the text of an object.

    Args:
        members: Names and values; an iterator is a list, which is asked for when its turn comes.
        indent: Spaces before each level; 0 for no line breaks.
    """
    line_end, colon = (b"\n", b": ") if indent > 0 else (b"", b":")
    before = b"{" + line_end
    for name, value in members:
        yield before + b" " * indent + msgspec.json.encode(name) + colon
        if isinstance(value, Iterator):
            yield from json_list(value, indent, 1)
        else:
            yield _indented(msgspec.json.encode(value), indent, 1).lstrip()
        before = b"," + line_end
    yield line_end + b"}\n"


def _indented(text: bytes, indent: int, level: int) -> bytes:
    """Return the text of a value that begins in a line of its own."""
    if indent <= 0:
        return text
    margin = b" " * indent * level
    lines = msgspec.json.format(text, indent=indent).split(b"\n")
    return b"\n".join(margin + line for line in lines)
