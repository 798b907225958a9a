"""One rank of a collection: ``python rank.py PROJECT SIZES [VICTIM]``, or below ``torchrun``.

It collects metrics of tables of the given numbers of rows, one after the other. The victim, a rank,
kills itself in the middle of the last one.
"""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

import tlc

BATCH = 500


def main() -> None:
    project, sizes, victim = sys.argv[1], sys.argv[2].split(","), sys.argv[3:]
    tables = [tlc.Table.from_names(f"rows-{size}", "data", project) for size in sizes]
    run = tlc.init(project, "run" if victim else None, if_exists="reuse" if victim else "rename")
    for number, table in enumerate(tables):
        dies = [os.environ["RANK"]] == victim and number == len(tables) - 1
        tlc.collect_metrics(
            table,
            [_wide, _deadly() if dies else _doubled] if victim else _doubled,
            constants={"epoch": 0},
            run_url=run,
            split="val",
            dataloader_args={"batch_size": BATCH},
        )


def _doubled(batch, _):
    return {"double": batch["n"] * 2.0}


def _wide(batch, _):
    """A column so wide that rows are written before the end."""
    return {"wide": np.zeros((len(batch["n"]), 256), np.float32)}


def _deadly():
    seen = []

    def collect(batch, output):
        seen.append(batch)
        if len(seen) == 19:
            os.kill(os.getpid(), signal.SIGKILL)
        return _doubled(batch, output)

    return collect


if __name__ == "__main__":
    main()
