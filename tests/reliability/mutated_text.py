"""Files of annotations with a few random changes, as damage and bad programs make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

TOKENS = [
    *(
        b"",
        b"\0",
        b"\n",
        b"\r",
        b"\t",
        b" ",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xc3",
        b"\xed",
    ),
    *(
        b"nan",
        b"NaN",
        b"inf",
        b"-inf",
        b"Infinity",
        b"1e999",
        b"-1",
        b"0",
        b"-0.0",
        b"1_0",
        b"0x1f",
    ),
    *(b"1e308", b"-1e308", b"1e-320", b"9" * 400, b"9223372036854775808", b"2147483648", b"1.5"),
    *(
        b"null",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b"[[]]",
        b"~",
        b"-",
        b"#",
        b"&a",
        b"*a",
        b"!!python/name:x",
    ),
    *(
        b"<<: *a",
        b"? x",
        b"|",
        b">",
        b"%YAML 9.9",
        b"--- ",
        b"...",
        b"\\ud800",
        b'"\\u0000"',
        b"../../x",
    ),
    *(b"/dev/zero", b"/dev/stdin", b"C:\\x", b"http://h/x", b"<A>/x", b"x" * 5000, b"[" * 3000),
    *(b"<!DOCTYPE a [", b"<!ENTITY a 'b'>", b"&a;", b"&lt;", b"]]>", b"<![CDATA[", b"<object>"),
    *(
        b"</annotation>",
        b"<!-- ",
        b"<?xml version='1.0' encoding='utf-7'?>",
        b'encoding="zip"',
        b"<a>" * 3000,
    ),
]


def mutated(random: Random, content: bytes, others: list[bytes]) -> bytes:
    """Return `content` with one to four random changes.

    Args:
        random: Where chance comes from.
        content: A good file.
        others: Further files, of which parts may be put in.
    """
    changed = bytearray(content)
    for _ in range(random.randint(1, 4)):
        _change(random, changed, others)
    return bytes(changed)


def _change(random: Random, changed: bytearray, others: list[bytes]) -> None:
    start = random.randint(0, len(changed))
    stop = min(len(changed), start + random.choice((0, 1, 1, 2, 5, 20)))
    kind = random.randrange(7)
    if kind == 0 and changed:
        changed[start % len(changed)] ^= 1 << random.randrange(8)
    elif kind == 1:
        del changed[start:stop]
    elif kind == 2:
        del changed[start:]
    elif kind == 3:
        changed[start:start] = changed[start:stop] * random.choice((1, 2, 50))
    elif kind == 4:
        other = random.choice(others)
        place = random.randint(0, len(other))
        changed[start:stop] = other[place : place + random.randint(0, 60)]
    else:
        changed[start:stop] = random.choice(TOKENS)
