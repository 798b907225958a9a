"""Timing several ways to do one thing, and holding figures against goals."""

from __future__ import annotations

import gc
import os
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Timed:
    """What a side returns that has timed itself, for example in a new interpreter."""

    seconds: float


@dataclass(frozen=True)
class Case:
    """One piece of work and the sides that do it; the first is the floor for the others.

    A side is called once to warm up and then `rounds` times, in turn with the others; what it
    leaves behind is removed by whoever made it. It may return `Timed` (or `Measured`, see
    `benchmarks.processes`) if the time of the call is not the time that counts.

    Attributes:
        name: What the work is.
        sides: Name to a function that does the work once.
        unit: How many pieces the work has, for the time per piece; 0 for none.
        rounds: How often each side runs.
        goal: Largest allowed ratio to the first side, of the side named ``tlc``; without one, of
            each side whose name starts with ``tlc``; without those, of the last.
        limit: Largest allowed time of the same sides, in milliseconds.
        less: A side, such as the bare loop, whose time is taken off all others before they are
            compared; the first of the others is then the floor.
        quickest: Whether the quickest round of each side counts instead of the median one: for
            sides in processes of their own whose speed depends on the pages that they get.
    """

    name: str
    sides: Mapping[str, Callable[[], object]]
    unit: int = 0
    rounds: int = 5
    goal: float | None = None
    limit: float | None = None
    less: str | None = None
    quickest: bool = False


@dataclass(frozen=True)
class Fact:
    """One figure: bytes on disk, megabytes of memory, a ratio of such.

    Attributes:
        name: What it is.
        value: The figure, or a function that measures it.
        limit: The largest allowed; None to report it only.
        unit: What it is counted in.
    """

    name: str
    value: float | Callable[[], float]
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Outcome:
    """One line of the table of results.

    Attributes:
        work: What was measured.
        figure: What came out.
        goal: What must be reached; empty if nothing must.
        met: Whether it is; None if nothing must.
        floor: What a ratio is held against.
        others: The other sides and their ratios to the floor.
    """

    work: str
    figure: str
    goal: str = ""
    met: bool | None = None
    floor: str = ""
    others: dict[str, str] = field(default_factory=dict)


def run(item: Case | Fact) -> tuple[list[str], list[Outcome]]:
    """Measure, and return lines to read and what came out."""
    return _run_fact(item) if isinstance(item, Fact) else _run_case(item)


def unsynced(side: Callable[[], object]) -> Callable[[], object]:
    """Return a side that does the same without waiting for the disk, as the floors do."""

    def unsynced_side() -> object:
        before = os.environ.get("TLC_DURABILITY")
        os.environ["TLC_DURABILITY"] = "os"
        try:
            return side()
        finally:
            os.environ.pop("TLC_DURABILITY")
            if before is not None:
                os.environ["TLC_DURABILITY"] = before

    return unsynced_side


def _run_fact(fact: Fact) -> tuple[list[str], list[Outcome]]:
    value = fact.value() if callable(fact.value) else fact.value
    figure, met = f"{_number(value)} {fact.unit}", None
    goal = "" if fact.limit is None else f"<= {_number(fact.limit)} {fact.unit}"
    if fact.limit is not None:
        met = value <= fact.limit
    return [f"{fact.name}: {figure}"], [Outcome(fact.name, figure, goal, met)]


def _run_case(case: Case) -> tuple[list[str], list[Outcome]]:
    times = _times(case)
    taken_off = times[case.less] if case.less else 0.0
    compared = {name: value - taken_off for name, value in times.items() if name != case.less}
    floor = next(iter(compared.values()))
    ratios = {name: value / floor for name, value in compared.items()}
    lines = [case.name]
    for name, value in times.items():
        lines.append(_line(name, value, ratios.get(name), case.unit))
    return lines, _judge(case, times, ratios)


def _times(case: Case) -> dict[str, float]:
    times: dict[str, list[float]] = {name: [] for name in case.sides}
    for side in case.sides.values():
        side()  # warm caches, imports and allocators
    for _ in range(case.rounds):
        for name, side in case.sides.items():
            gc.collect()  # the rubbish of the side before is not this one's
            times[name].append(_seconds(side))
    pick = min if case.quickest else statistics.median
    return {name: pick(values) for name, values in times.items()}


def _seconds(side: Callable[[], object]) -> float:
    started = time.perf_counter()
    result = side()
    ended = time.perf_counter()
    return result.seconds if isinstance(result, Timed) else ended - started


def _judge(case: Case, times: dict[str, float], ratios: dict[str, float]) -> list[Outcome]:
    floor = next(iter(ratios))
    judged = _judged(list(ratios))
    others = {name: f"{_number(r)} x" for name, r in ratios.items() if name not in (floor, *judged)}
    against = f"{floor}, over {case.less}" if case.less else floor
    outcomes = []
    for name in judged:
        work = case.name if name == "tlc" else f"{case.name}: {name}"
        if case.goal is not None or case.limit is None:
            goal = "" if case.goal is None else f"<= {_number(case.goal)} x"
            met = None if case.goal is None else ratios[name] <= case.goal
            figure = f"{_number(ratios[name])} x"
            outcomes.append(Outcome(work, figure, goal, met, against, others))
        if case.limit is not None:
            figure = f"{_number(times[name] * 1e3)} ms"
            met = times[name] * 1e3 <= case.limit
            outcomes.append(Outcome(work, figure, f"<= {_number(case.limit)} ms", met))
    return outcomes


def _judged(names: list[str]) -> list[str]:
    if "tlc" in names:
        return ["tlc"]
    return [name for name in names if name.startswith("tlc")] or names[-1:]


def _number(value: float) -> str:
    """Write three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(name: str, seconds: float, ratio: float | None, unit: int) -> str:
    compared = "        " if ratio is None else f"{ratio:6.2f} x"
    each = f"{seconds / unit * 1e6:10.3f} us each" if unit else ""
    return f"  {name:<44}{seconds * 1e3:12.2f} ms  {compared}{each}"
