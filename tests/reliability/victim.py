"""A process that forks others, made to be killed; see `Template` in `victims.py`.

It reads one task per line of JSON from its standard input, forks, and tells the number of the new
process, which works on the task and writes each acknowledgement to standard output. After one more
line it waits for the end of that process and tells how it ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.reliability.works import WORKS

from tlc.testing.disks import Disk, InterceptedDisk, KillingDisk, LyingDisk, use_disk


def main() -> None:
    load_all_modules()
    answer({"ready": os.getpid()})
    for line in sys.stdin:
        process = os.fork()
        if not process:
            run(json.loads(line))
        answer({"process": process})
        sys.stdin.readline()
        answer({"status": os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])})


def run(task: dict[str, Any]) -> None:
    try:
        work(**task)
    except BaseException:  # noqa: BLE001 - it is told
        answer({"failed": traceback.format_exc()})
    os._exit(0)


def work(
    name: str,
    root: str,
    goal: int,
    point: list[Any] | None = None,
    skipped: list[str] | None = None,
    durability: str = "commit",
    stay: bool = False,
) -> None:
    """Work as one of `WORKS`.

    Args:
        name: Its name.
        root: Where it writes.
        goal: How far it counts.
        point: Where to be killed: the arguments of `KillingDisk`.
        skipped: What the disk leaves out: the argument of `LyingDisk`.
        durability: The setting of that name.
        stay: Whether to do nothing more after the last acknowledgement, and wait to be killed.
    """

    def acknowledge(done: int) -> None:
        answer({"done": done})
        while stay and done == goal:
            signal.pause()

    os.environ["TLC_DURABILITY"] = durability
    disk: Disk = KillingDisk(*point) if point else LyingDisk(skipped or ())
    with use_disk(disk):
        WORKS[name].write(root, goal, acknowledge)
    if isinstance(disk, InterceptedDisk):
        answer({"calls": disk.calls})


def load_all_modules() -> None:
    """Import whatever the work imports on first use, without a thread, so that forking is safe."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        for work in WORKS.values():
            folder = os.environ["VICTIM_FOLDER"]
            work.write(f"{folder}/{type(work).__name__}", 2 * work.step, str)
        with open(writing, "w") as pipe:
            json.dump(list(sys.modules), pipe)
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        names = json.load(pipe)
    os.waitpid(process, 0)
    for name in names:
        importlib.import_module(name)


def answer(step: dict[str, Any]) -> None:
    os.write(1, (json.dumps(step) + "\n").encode())


if __name__ == "__main__":
    main()
