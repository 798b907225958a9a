"""Timing several ways to do one thing."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Case:
    """One piece of work and the sides that do it; the first is what the others are held against.

    Attributes:
        name: What the work is.
        sides: Name to a function that does the work once.
        unit: How many pieces the work has, for the time per piece; 0 for none.
        rounds: How often each side runs.
    """

    name: str
    sides: dict[str, Callable[[], object]]
    unit: int = 0
    rounds: int = 5


def run(case: Case) -> list[str]:
    """Run the sides in turn and return a line for each: median time, ratio to the first side."""
    times: dict[str, list[float]] = {name: [] for name in case.sides}
    for side in case.sides.values():
        side()  # warm caches, imports and allocators
    for _ in range(case.rounds):
        for name, side in case.sides.items():
            started = time.perf_counter()
            side()
            times[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(values) for name, values in times.items()}
    first = next(iter(medians.values()))
    return [case.name, *(_line(name, value, first, case.unit) for name, value in medians.items())]


def _line(name: str, seconds: float, first: float, unit: int) -> str:
    each = f"{seconds / unit * 1e6:10.3f} us each" if unit else ""
    return f"  {name:<44}{seconds * 1e3:12.2f} ms  {seconds / first:6.2f} x{each}"
