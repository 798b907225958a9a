"""When a trainer collects metrics of all data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc._optional import require

if TYPE_CHECKING:
    from tlc.integration.hugging_face.trainer import Trainer

_Base: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
).TrainerCallback


class EpochCallback(_Base):  # type: ignore[misc]
    """Has a trainer collect before training, and after the epochs that it is to collect at.

    Args:
        trainer: The trainer.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Collect before training, unless it goes on with an earlier one."""
        if not state.global_step:
            self._collect(0)

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Collect what this evaluation was not about."""
        self._collect(round(state.epoch or 0))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Collect after an epoch without an evaluation of its own."""
        if not control.should_evaluate:
            self._collect(round(state.epoch or 0))

    def _collect(self, epoch: int) -> None:
        if epoch in (self._trainer.metrics_collection_epochs or ()):
            self._trainer.collect_metrics(epoch)
