"""One rank of several: ``python shard.py RUN TABLE IDS``, where IDS are numbers with commas.

It writes the metrics of these rows, flushes each batch, and says how many rows are safe. It waits
for a line of input after half of them.
"""

from __future__ import annotations

import sys

import tlc

BATCH = 4


def main() -> None:
    run, table = tlc.init(run_url=sys.argv[1], if_exists="reuse"), sys.argv[2]
    ids = [int(each) for each in sys.argv[3].split(",") if each]
    with tlc.MetricsTableWriter(run, table, unique_ids=True) as writer:
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            writer.add_batch({"example_id": batch, "loss": [float(i) for i in batch]})
            writer.flush()
            print(start + len(batch), flush=True)  # noqa: T201 - what its parent reads
            if start < len(ids) // 2 <= start + BATCH:
                sys.stdin.readline()


if __name__ == "__main__":
    main()
