"""Files of annotations with a few random changes, as damage and bad programs make them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.reliability import mutations

if TYPE_CHECKING:
    from random import Random

TOKENS = [
    *(b"", b"\0", b"\n", b"\r", b"\t", b" ", b" " * 99, b"\\", b'"', b",", b":", b";", b"'"),
    *(b"[", b"]", b"{", b"}", b"},{", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\xc3", b"\xed"),
    *(b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"-Infinity", b"1e999", b"-1", b"0", b"2"),
    *(b"-0.0", b"1_0", b"0x1f", b"007", b"1e308", b"-1e308", b"1e-320", b"9" * 400, b"9" * 5000),
    *(b"9223372036854775808", b"99999999999999999999", b"2147483648", b"1.5", b"1,5", b"1e9"),
    *(b"null", b"true", b'""', b"[]", b"{}", b"[[]]", b"[[1,2,3,4,5,6]]", b'"id"', b'"bbox"'),
    *(b'{"size":[48,64],"counts":"0"}', b'{"size":[1e9,3],"counts":[1]}', b'"../../x.png"'),
    *(b"~", b"-", b"#", b"&a", b"*a", b"!!python/name:x", b"<<: *a", b"? x", b"|", b">"),
    *(b"%YAML 9.9", b"--- ", b"...", b"\\ud800", b'"\\ud800"', b'"\\u0000"', b"../../x"),
    *(b"/dev/zero", b"/dev/stdin", b"C:\\x", b"http://h/x", b"<A>/x", b"x" * 5000, b"[" * 3000),
    *(b'{"a":' * 3000, b"<!DOCTYPE a [", b"<!ENTITY a 'b'>", b"&a;", b"&lt;", b"]]>", b"<!-- "),
    *(b"<![CDATA[", b"<object>", b"</annotation>", b'encoding="zip"', b"<a>" * 3000),
    b"<?xml version='1.0' encoding='utf-7'?>",
]
_DIGITS = b"-0123456789"


def mutated(random: Random, content: bytes, others: list[bytes]) -> bytes:
    """Return `content` with one to four random changes.

    Args:
        random: Where chance comes from.
        content: A good file.
        others: Further files, of which parts may be put in.
    """
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        random.choice(_CHANGES)(random, changed, others)
    return bytes(changed)


def mutated_json(random: Random, value: object) -> bytes:
    """Return the text of a JSON value, some parts of which are others."""
    try:
        text = json.dumps(mutations.changed(value, random), indent=random.choice((None, 1)))
    except (RecursionError, ValueError):
        return b"{}"
    return text.encode("utf-8", "surrogatepass")


def _flip(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    if changed:
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)


def _remove(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    del changed[_span(random, changed)]


def _scramble(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    span = _span(random, changed)
    changed[span] = random.randbytes(span.stop - span.start)


def _cut_off(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    start = random.randint(0, len(changed)) if random.random() < 0.3 else max(0, len(changed) - 3)
    del changed[start:]


def _repeat(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    span = _span(random, changed)
    changed[span.start : span.start] = changed[span] * random.choice((1, 2, 50))


def _mix(random: Random, changed: bytearray, others: list[bytes]) -> None:
    other = random.choice(others)
    place = random.randint(0, len(other))
    changed[_span(random, changed)] = other[place : place + random.randint(0, 60)]


def _put(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    changed[_span(random, changed)] = random.choice(TOKENS)


def _put_for_digit(random: Random, changed: bytearray, _others: list[bytes]) -> None:
    digits = [place for place, byte in enumerate(changed) if byte in _DIGITS]
    place = random.choice(digits or [0])
    changed[place : place + 1] = random.choice(TOKENS)


_CHANGES = (_flip, _remove, _scramble, _cut_off, _repeat, _mix, _put, _put, _put_for_digit)


def _span(random: Random, changed: bytearray) -> slice:
    start = random.randint(0, len(changed))
    return slice(start, min(len(changed), start + random.choice((0, 1, 1, 2, 5, 20, 60))))
