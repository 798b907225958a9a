"""A disk that shows what a power cut would leave."""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING, Any, cast

from tlc.testing.disks.crash_state import CrashState
from tlc.testing.disks.intercepted_disk import InterceptedDisk
from tlc.testing.disks.volume import Fate, Volume

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tlc.url.disk import Disk

__all__ = ["SimulatedDisk"]

_ACKNOWLEDGE = "acknowledge"


class SimulatedDisk(InterceptedDisk):
    """Writes as always, and remembers each step that was done below one folder.

    Afterwards `crash_states` goes through the steps once more, in a model of a file system that
    promises no more than POSIX does, and shows what a power cut could have left at each point.

    Args:
        root: The folder. What it holds already counts as safe.
        disk: The disk that does the work; the real one if None.

    Example:
        >>> from tlc.testing.disks import SimulatedDisk, use_disk
        >>> disk = SimulatedDisk(tmp_path)
        >>> with use_disk(disk):
        ...     table = tlc.Table.from_dict({"n": [1]}, root_url=tmp_path)
        ...     disk.acknowledge(table.url)
        >>> for state in disk.crash_states():
        ...     ...  # state.write_to(folder), and open what was acknowledged
    """

    def __init__(self, root: Path | str, disk: Disk | None = None) -> None:
        super().__init__(disk)
        self._root = os.path.abspath(root)
        self._before = _content(self._root)
        self._steps: list[tuple[str, tuple[Any, ...]]] = []
        self._handles: dict[int, int] = {}

    def acknowledge(self, what: object) -> None:
        """Note that from here on `what` must survive a power cut."""
        with self.lock:
            self._steps.append((_ACKNOWLEDGE, (what,)))

    def intercept(self, operation: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do what was asked for, and remember it if it was done."""
        result = act(*arguments)
        if operation == "close":
            self._handles.pop(arguments[0], None)
        elif isinstance(arguments[0], int):
            if arguments[0] in self._handles:
                data = [bytes(arguments[1][:result])] if operation == "write" else []
                self._steps.append((operation, (self._handles[arguments[0]], *data)))
        elif os.path.commonpath((self._root, arguments[0])) == self._root:
            paths = [argument for argument in arguments if isinstance(argument, str)]
            if operation.startswith("open"):
                self._handles[result] = len(self._steps)
                paths.append(cast("str", self._handles[result]))
            self._steps.append((operation, tuple(paths)))
        return result

    def crash_states(self, limit: int = 64, seed: int = 0) -> Iterator[CrashState]:
        """Yield what a power cut may have left after each step.

        Everything that was not synced at that point is dropped, kept or, if it is the content of a
        file, torn or zero in whole or in part, each independently of the others.

        Args:
            limit: Most states to show after one step. If there are more, all dropped, all kept,
                and random ones among the others are shown.
            seed: For those.
        """
        volume, acknowledged = Volume(self._root, self._before), list[Any]()
        generator = random.Random(seed)
        for number, (operation, arguments) in enumerate(self._steps, start=1):
            if operation == _ACKNOWLEDGE:
                acknowledged.append(arguments[0])
            else:
                getattr(volume, operation)(*arguments)
            for fates in _choices(volume.fates(), limit, generator):
                yield CrashState(number, tuple(acknowledged), volume.after(fates))


def _content(root: str) -> dict[str, bytes | None]:
    """Return what is below a folder, in the form of `CrashState.files`."""
    found: dict[str, bytes | None] = {}
    for above, folders, files in os.walk(root):
        for name in folders:
            found[os.path.relpath(os.path.join(above, name), root)] = None
        for name in files:
            path = os.path.join(above, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, root)] = file.read()
    return found


def _choices(
    fates: Sequence[Sequence[Fate]], limit: int, generator: random.Random
) -> Iterator[Sequence[Fate]]:
    count = 1
    for each in fates:
        count *= len(each)
    if count <= limit:
        yield from itertools.product(*fates)
        return
    yield [Fate.DROP] * len(fates)
    yield [Fate.KEEP] * len(fates)
    for _ in range(limit - 2):
        # Names of which nearly all, or nearly none, are kept find more than even chances do.
        chance = generator.random()
        yield [Fate.KEEP if generator.random() < chance else generator.choice(f) for f in fates]
