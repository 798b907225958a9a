"""A process that reads a table that does not fit into the memory it has.

``python small_memory.py KIND MEGABYTES URL`` reads all rows in order, then some anywhere, and says
what it found. `KIND` is the limit that is set: ``DATA`` (all that is the process's own), or ``AS``
(mapped files count too).
"""

from __future__ import annotations

import json
import random
import resource
import sys

import pyarrow.compute
import pyarrow.parquet  # noqa: F401 - imports are not what needs memory

from tlc.format.memory import memory_share
from tlc.table import Table

STEP = 10_000


def in_use(kind):
    """Return how many bytes the process has of what the limit is on."""
    name = {"DATA": "VmData:", "AS": "VmSize:"}[kind]
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith(name))


def main(kind, megabytes, url):
    """Set the limit, read, and print."""
    table = Table.from_url(url)
    number = getattr(resource, f"RLIMIT_{kind}")
    resource.setrlimit(number, (in_use(kind) + (megabytes << 20),) * 2)
    memory_share.cache_clear()
    parts = (range(k, min(k + STEP, len(table))) for k in range(0, len(table), STEP))
    total = sum(int(table.get_batch(part)["n"].sum()) for part in parts)
    rows = random.Random(0).sample(range(len(table)), 500)
    anywhere = [table[row]["n"] == row and table[row]["text"] == f"row {row}" for row in rows[:12]]
    same = table.get_batch(rows)["n"].tolist() == rows
    json.dump({"total": total, "anywhere": all(anywhere), "batch": same}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
