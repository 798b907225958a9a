"""Processes that start a run of one name at the same moment: ``python racers.py ROOT MODE COUNT``.

Each says one line of JSON when it has tried, and one for each warning that it is given until its
end.
"""

from __future__ import annotations

import json
import os
import sys
import warnings

import tlc
from tlc.errors import TlcError


class Gate:
    """Holds processes until it is opened for all at once."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def wait(self) -> None:
        os.close(self._write)
        os.read(self._read, 1)

    def open(self) -> None:
        os.close(self._write)


def say(**facts: object) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


def race(number: int, root: str, mode: str) -> None:
    warnings.showwarning = lambda message, category, *_: say(
        number=number, warned=category.__name__
    )
    try:
        run = tlc.init("project", "run", parameters={"of": number}, if_exists=mode, root_url=root)
    except TlcError as error:
        say(number=number, error=type(error).__name__)
    else:
        say(number=number, url=run.url.to_str(), id=run.id)


def main() -> None:
    root, mode, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    start, end = Gate(), Gate()
    assert tlc.Run  # loads what all need, once
    children = []
    for number in range(count):
        child = os.fork()
        if not child:
            start.wait()
            race(number, root, mode)
            end.wait()
            if tlc.active_run() is not None:
                tlc.log({"by": number})
            return
        children.append(child)
    start.open()
    for _ in range(count):
        sys.stdin.readline()  # its parent has heard of one more
    end.open()
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
