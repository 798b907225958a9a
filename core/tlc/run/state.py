"""What the events of a run add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tlc.run.events import Event


class RunStatus(IntEnum):
    """What a run is doing. Equal to the numbers ``tlc.constants.RUN_STATUS_...``."""

    EMPTY = 0
    RUNNING = 1
    COLLECTING = 2
    POST_PROCESSING = 3
    COMPLETED = 4
    FAILED = 5
    INTERRUPTED = 6

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of the run."""
        return self >= RunStatus.COMPLETED


_STATUSES = frozenset(RunStatus)


@dataclass
class RunState:
    """What a run holds now.

    Attributes:
        parameters: Hyperparameters.
        inputs: One dict per input: ``{"input_table_url": ...}`` for tables, relative to the run.
        outputs: Logged values, one dict per call, in order.
        metrics: One dict per metrics table: url relative to the run, rows, bytes, stream name.
        removed_metrics: Urls of metrics tables that are no longer linked, relative to the run.
        status: What the run is doing.
        reason: Why it failed or was interrupted, if somebody said so.
        description: What the run is about, if it was changed later.
        last_modified: Time of the last event: UTC, ISO 8601; empty if there is none.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    removed_metrics: list[str] = field(default_factory=list)
    status: RunStatus = RunStatus.EMPTY
    reason: str = ""
    description: str | None = None
    last_modified: str = ""

    @classmethod
    def of(cls, events: Iterable[Event]) -> RunState:
        """Return the state after `events`, in their order; unknown events change nothing."""
        state = cls()
        metrics: dict[str, dict[str, Any]] = {}
        removed: set[str] = set()
        for event in events:
            state._apply(event.type, event.values)
            if event.type in ("metrics", "metrics_removed"):
                metrics.pop(event.values["url"], None)
                removed.add(event.values["url"])
            if event.type == "metrics":
                metrics[event.values["url"]] = event.values
            state.last_modified = event.time
        state.metrics = list(metrics.values())
        state.removed_metrics = sorted(removed - metrics.keys())
        return state

    def _apply(self, type_: str, values: dict[str, Any]) -> None:
        match type_:
            case "parameters":
                self.parameters.update(values)
            case "input":
                if values not in self.inputs:
                    self.inputs.append(values)
            case "output":
                self.outputs.append(values)
            case "status" if values["status"] in _STATUSES:
                self.status = RunStatus(values["status"])
                self.reason = values.get("reason", "")
            case "description":
                self.description = values["description"]
