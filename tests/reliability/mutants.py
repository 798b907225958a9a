"""A process that reads damaged annotation files, with little memory and little time.

``python mutants.py FOLDER LOG`` reads lines ``FORMAT FIRST STOP`` from its standard input, makes
and reads the damaged files of these numbers, and answers each line with one of JSON. Which files it
is at stands in `LOG`, for the case that it does not survive them. They stay in `FOLDER`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

BYTES = 2 << 30
SECONDS = 60
WRITTEN_EACH = 10
MOST_TOLD = 20


def rows_of(source):
    """Return all rows of a source."""
    found = []
    for batch in source.batches():
        assert len({len(cells) for cells in batch.values()}) <= 1
        columns = [c.to_pylist() if hasattr(c, "to_pylist") else list(c) for c in batch.values()]
        found += [dict(zip(batch, row, strict=True)) for row in zip(*columns, strict=True)]
    return found


def read(format, random, number, seen):
    """Write and read damaged files, and count what happened."""
    from tlc.errors import TlcError
    from tlc.table import Table
    from tlc.table.create import write_source

    format.write(random)
    on_error = random.choice(("raise", "skip"))
    try:
        source = format.source(random, on_error)
        rows = rows_of(source)
        for row in rows:
            format.check(row)
        seen["rows"] += len(rows)
        report = source.report()
        seen["left out"] += report.skipped if report else 0
        if number % WRITTEN_EACH == 0:
            table = Table.from_url(write_source(source, Table, if_exists="overwrite"))
            assert len(list(table.table_rows)) == len(rows)
        seen["read"] += 1
    except TlcError as error:
        seen["refused"] += 1
        seen[type(error).__name__] += 1
        if str(format.folder) not in str(error):
            seen["error without a file"] += 1
            seen[f"without: {type(error).__name__}: {error}"[:300]] += 1


def run(name, first, stop, folder, log):
    """Return what happened with the files of some numbers."""
    from tests.reliability.mutated_formats import FORMATS

    format, seen, bad, slowest = FORMATS[name](folder), Counter(), [], 0.0
    for number in range(first, stop):
        os.pwrite(log, f"{name} {number:9d}\n".encode(), 0)
        signal.alarm(SECONDS)
        start = time.monotonic()
        try:
            read(format, random.Random(f"{name} {number}"), number, seen)
        except BaseException as error:  # noqa: BLE001
            seen["bad"] += 1
            bad += [f"{name} {number}: {told(error)}"][: MOST_TOLD - len(bad)]
        slowest = max(slowest, time.monotonic() - start)
        signal.alarm(0)
    seen["files"] = (stop - first) * format.together
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seen": seen, "bad": bad, "slowest": slowest, "peak": peak}


def told(error):
    last = [line for line in traceback.format_exception(error) if "tlc" in line][-3:]
    return f"{type(error).__name__}: {str(error)[:300]} {''.join(last)}"


def main():
    folder, log = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    warnings.simplefilter("ignore")
    descriptor = os.open(log, os.O_RDWR | os.O_CREAT)
    for line in sys.stdin:
        name, first, stop = line.split()
        place = Path(folder) / f"{name}-{first}"
        place.mkdir()
        with contextlib.chdir(place):
            answer = run(name, int(first), int(stop), place, descriptor)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
