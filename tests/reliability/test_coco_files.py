"""Whatever becomes of an annotation file, an import ends soon with a table or a typed error."""

from __future__ import annotations

import json
import random
import resource
import signal
from collections import Counter
from contextlib import contextmanager

import pytest
from tests.core.importers.coco_cases import good, write
from tests.reliability.scale import size

from tlc.errors import TlcError
from tlc.importers import json_stream
from tlc.importers.coco import from_coco
from tlc.importers.coco_schemas import Options
from tlc.table import Table
from tlc.table.create import write_source
from tlc.url import Url

FILES = size(10_000, 100_000)
PARTS = 10
SECONDS = 20
WRITTEN_EACH = 10
MEGABYTES = 300
SEED = 5
TASKS = ("detect", "segment", "pose")
TOKENS = [
    *(b"NaN", b"-Infinity", b"1e999", b"-0.0", b"1e-320", b"99999999999999999999", b"0x10", b"007"),
    *(b"null", b"true", b"[]", b"{}", b"[[]]", b'""', b'"\\ud800"', b'"\\u0000"', b'"\xff"', b'"'),
    *(
        b"\\",
        b",",
        b":",
        b"[",
        b"]",
        b"{",
        b"}",
        b"},{",
        b"}, {",
        b"\xef\xbb\xbf",
        b"\0",
        b" " * 99,
    ),
    *(b"[" * 2000, b'{"a":' * 2000, b"9" * 5000, b"[[1,2,3,4,5,6]]", b'"../../x.png"', b"-1", b"2"),
    *(
        b'{"size":[48,64],"counts":"0"}',
        b'{"size":[1e9,3],"counts":[1]}',
        b"1.5",
        b'"id"',
        b'"bbox"',
    ),
]


@contextmanager
def at_most(seconds):
    """Raise if the block takes longer."""

    def late(*_):
        raise AssertionError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def mutated(data, rng):
    """Return a file with some of its bytes changed, as hands, programs and disks do."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice([0, 1, 1, 2, 5, 20, 100]))
        kind = rng.randrange(6)
        if kind == 0:
            data[at:to] = bytes(rng.randrange(256) for _ in range(to - at))
        elif kind == 1:
            data[at:to] = rng.choice(TOKENS)
        elif kind == 2:
            del data[at:to]
        elif kind == 3:
            other = rng.randrange(len(data) + 1)
            data[at:at] = data[other : other + 60]
        elif kind == 4:
            starts = [place for place, byte in enumerate(data) if byte in b"-0123456789"]
            place = rng.choice(starts or [0])
            data[place : place + 1] = rng.choice(TOKENS)
        else:
            del data[at if rng.random() < 0.1 else max(at, len(data) - 3) :]
    return bytes(data)


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_files_give_a_table_or_a_typed_error(tmp_path, monkeypatch, part):
    monkeypatch.setenv("TLC_DURABILITY", "os")
    _, images = write(tmp_path, good())
    data = json.dumps(good(), indent=part % 2 or None).encode()
    rng = random.Random(SEED + part)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcomes = Counter[str]()
    for number in range(FILES // PARTS):
        monkeypatch.setattr(json_stream, "PIECE", rng.choice([64, 500, 1 << 20]))
        content = mutated(data, rng)
        file = tmp_path / "annotations.json"
        file.write_bytes(content)
        options = Options(TASKS[number % 3], "polygons", True, True, {})
        try:
            with at_most(SECONDS):
                on_error = rng.choice(["raise", "skip"])
                source = from_coco(Url(file), Url(images), options, on_error=on_error)
                for batch in source.batches():
                    assert len({len(cells) for cells in batch.values()}) == 1
                if number % WRITTEN_EACH == 0:
                    write_source(source, Table, if_exists="overwrite")
            outcomes["tables"] += 1
        except TlcError as error:
            outcomes["errors" if str(file) in str(error) else "errors of no file"] += 1
        except BaseException as error:
            error.add_note(f"file {number} of part {part}: {content!r}")
            raise
    assert set(outcomes) == {"tables", "errors"}
    assert min(outcomes.values()) > FILES // PARTS // 50  # neither all good nor all broken
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < MEGABYTES * 1024
