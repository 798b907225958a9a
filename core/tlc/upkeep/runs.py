"""Checks of runs: their manifests, their events, and the metrics tables that they know of."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING

from tlc.errors import DamagedObjectWarning, TlcError
from tlc.format.layout import METRICS
from tlc.format.listing import folders
from tlc.format.manifest import MANIFEST, RunManifest, read
from tlc.run import Run
from tlc.run.events import EVENTS, EventLog
from tlc.run.state import RunState
from tlc.upkeep.findings import Finding, removal
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def check_run(folder: Url, missing: Callable[[Url, str], str]) -> Iterator[Finding]:
    """Yield what is wrong with a run, but for its metrics tables.

    Args:
        folder: The run's folder.
        missing: Returns why there is no object of an id at a url; empty if it is there.
    """
    try:
        manifest = read(folder, RunManifest)
    except TlcError as error:
        yield _unreadable(folder, error)
        return
    state, damages = _read_events(folder, manifest.id)
    yield from damages
    for entry in state.inputs:
        url = entry.get("input_table_url")
        fault = (
            missing(Url(url).to_absolute(folder), entry.get("input_table_id", "")) if url else ""
        )
        if fault:
            yield Finding(
                folder,
                f"the table that the run reads is not at {url}: {fault}",
                affects="the run's metrics cannot be shown beside their samples",
                remedy="put the table back, if it was moved.",
                is_damage=False,
            )
    yield from _check_links(folder, state)
    if not damages:
        yield from _check_end(folder)


def metrics_folders(run: Url) -> list[Url]:
    """Return the folders of a run's metrics tables."""
    return folders(run / METRICS)


def _unreadable(folder: Url, error: TlcError) -> Finding:
    if not (folder / MANIFEST).exists():
        return Finding(
            folder,
            f"it has no {MANIFEST}: a copy that was cut short, or what is left of a run",
            affects="its metrics tables can be read by their urls",
            remedy=f"if nobody is copying it: {removal(folder)}",
            is_damage=False,
        )
    return Finding(
        folder,
        error.message.rstrip("."),
        affects="the run; its metrics tables can be read by their urls",
        remedy=f"restore its {MANIFEST} from a copy, or give it up: {removal(folder)}",
    )


def _read_events(folder: Url, run_id: str) -> tuple[RunState, list[Finding]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            state = RunState.of(EventLog(folder, run_id).read())
        except (TlcError, OSError) as error:
            fault = getattr(error, "message", str(error)).rstrip(".")
            return RunState(), [_lost_events(folder / EVENTS / run_id, fault)]
    texts = [str(each.message) for each in caught if each.category is DamagedObjectWarning]
    return state, [_lost_events(folder / EVENTS / run_id, text.rstrip(".")) for text in texts]


def _lost_events(url: Url, fault: str) -> Finding:
    return Finding(
        url,
        fault,
        affects="what was noted there: logged values, parameters, a link to metrics or a status; "
        "all other events are read",
        remedy="restore the file from a copy; nothing else is lost without one.",
    )


def _check_links(folder: Url, state: RunState) -> Iterator[Finding]:
    linked = {Url(info["url"]).to_absolute(folder) for info in state.metrics}
    removed = {Url(url).to_absolute(folder) for url in state.removed_metrics}
    for table in sorted(linked, key=str):
        if not table.exists():
            yield Finding(
                folder,
                f"the metrics table {table} is not there",
                affects="its metrics",
                remedy="restore it from a copy.",
            )
    for table in metrics_folders(folder):
        known = table in linked or table in removed
        if not known and (table / MANIFEST).exists():
            yield Finding(
                table,
                "it is finished, but the run does not know of it: its writer ended just before "
                "it said so, or nobody added it",
                affects="`run.metrics` leaves it out",
                remedy=f"`tlc doctor --fix`, or Run.from_url({str(folder)!r})"
                f".add_metrics_table({str(table)!r})",
                is_damage=False,
                repair=partial(_link, folder, table),
            )


def _link(run: Url, table: Url) -> str:
    Run.from_url(run).add_metrics_table(table)
    return f"linked {table} to its run"


def _check_end(folder: Url) -> Iterator[Finding]:
    run = Run.from_url(folder)
    if run.is_crashed:
        yield Finding(
            folder,
            "it has crashed: its processes were killed before they could say how it ended",
            affects="what was logged in its last seconds may be missing",
            remedy=f"to say so for good: Run.from_url({str(folder)!r}).set_status_interrupted()",
            is_damage=False,
        )
