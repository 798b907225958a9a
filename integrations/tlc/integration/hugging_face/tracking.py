"""`TrackingCallback`: what a trainer logs, and how its training ends, lands in a run."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.integration._training_run import TrainingRun

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.run import Run
    from tlc.url import Url

__all__ = ["TrackingCallback"]

_Base: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
).TrainerCallback

_AXES = ("epoch", "step")
_NOTED = "tlc"
"""Where checkpoints say which run they belong to."""


class TrackingCallback(_Base):  # type: ignore[misc]
    """Writes arguments, logged values and the status of a training to a run.

    Only the first of several processes writes. A training that goes on from a checkpoint goes on
    with its run, unless a run is given or active.

    Args:
        run: Run, or its url. Default: the active one, else a new one, which is closed at the end.
    """

    def __init__(self, run: Run | Url | str | TrainingRun | None = None) -> None:
        self.training = run if isinstance(run, TrainingRun) else TrainingRun(run)

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Find or make the run, and note the arguments of the training."""
        noted = state.stateful_callbacks
        if _NOTED in noted:
            self.training.restore(noted[_NOTED]["attributes"]["run"])
        self.training.begin(_parameters(args))
        self.training.run_about(getattr(more.get("train_dataloader"), "dataset", None))
        noted[_NOTED] = {"args": {}, "attributes": {"run": self.training.url}}

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        """Write logged values, with epoch and step."""
        values = {k: v for k, v in (logs or {}).items() if isinstance(v, int | float)}
        values = {k: v for k, v in values.items() if k not in _AXES}
        if not values:
            return
        run = self.training.run  # each process finds it, or they would not find the same later
        if state.is_world_process_zero:
            axes = {"epoch": state.epoch or 0, "step": state.global_step}
            run.add_output_value({**axes, **values})

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Complete the run, if it was made here."""
        self.training.complete()


def _parameters(args: Any) -> dict[str, Any]:
    """Return the arguments that differ from the usual ones, as far as they are plain values."""
    found = {}
    for field in fields(args):
        value = getattr(args, field.name)
        value = getattr(value, "value", value)  # of an enumeration
        is_plain = isinstance(value, str | int | float | bool) and not field.name.endswith("_token")
        if is_plain and value != field.default:
            found[field.name] = value
    return found
