"""When a trainer collects metrics of all data."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any, TypeAlias

from tlc._optional import require
from tlc.constants import EPOCH
from tlc.metrics._origin import Origin

if TYPE_CHECKING:
    from tlc.integration._training_run import TrainingRun
    from tlc.integration.hugging_face.mixin import MetricsCollectionMixin

_Base: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
).TrainerCallback


@dataclass(frozen=True)
class Moment:
    """A point of a training.

    Attributes:
        epoch: Epochs done. One that was cut short counts when it has ended.
        step: Steps of the optimizer done.
        is_whole: Whether no epoch is under way.
    """

    epoch: int
    step: int
    is_whole: bool = True

    @property
    def constants(self) -> dict[str, int]:
        """What the rows that are collected now say."""
        return {EPOCH: self.epoch, "step": self.step}


class Progress:
    """How far a training is."""

    def __init__(self) -> None:
        self._begun = 0
        self._is_between = True
        self._best: Moment | None = None

    def train_begins(self, state: Any) -> None:
        """Note that a training begins, or goes on."""
        self._begun, self._best = floor(state.epoch or 0), None
        self._is_between = (state.epoch or 0) == self._begun

    def epoch_begins(self) -> int:
        """Note that an epoch begins, and return which, from 0."""
        self._begun, self._is_between = self._begun + 1, False
        return self._begun - 1

    def epoch_ends(self) -> None:
        """Note that an epoch ends, be it for being cut short."""
        self._is_between = True

    def train_ends(self, args: Any, state: Any) -> None:
        """Note what the model is from now on: that of the end, or the best one."""
        if args.load_best_model_at_end and state.best_model_checkpoint is not None:
            step = state.best_global_step
            logged = (each["epoch"] for each in state.log_history if each["step"] == step)
            epoch = next(logged, state.epoch)
            self._best = Moment(floor(epoch), step, epoch == floor(epoch))

    def now(self, state: Any) -> Moment:
        """Return where the training is, or of what moment the model is."""
        if self._best is not None:
            return self._best
        if self._is_between:
            return Moment(self._begun, state.global_step)
        epoch = floor(state.epoch or 0)
        return Moment(epoch, state.global_step, epoch == state.epoch)


Collected: TypeAlias = tuple[str, str, int]
"""A collection: its split, the id of its table, and its epoch."""


def collected(split: str, dataset: Any, epoch: int) -> Collected:
    """Return what tells the collection of a dataset from others."""
    return split, Origin.of(dataset).table.id, epoch


def collected_before(training: TrainingRun, dataset: Any, now: Moment) -> set[Collected]:
    """Return what was collected before the checkpoint that a training goes on from.

    Args:
        training: Tells the run.
        dataset: Any of the training's.
        now: The moment of the checkpoint.
    """
    training.go_on(dataset)
    found = set()
    for table in training.run.metrics_tables:
        info = table.metrics_info
        if info is None or info.foreign_table is None or table.is_partial:
            continue
        if (epoch := info.constants.get(EPOCH, now.epoch + 1)) <= now.epoch:
            found.add((info.split, info.foreign_table.id, epoch))
    return found


class EpochCallback(_Base):  # type: ignore[misc]
    """Has a trainer collect before training, and after the epochs that it is to collect at.

    Args:
        trainer: The trainer.
        progress: What to note the progress in.
    """

    def __init__(self, trainer: MetricsCollectionMixin, progress: Progress) -> None:
        self._trainer = trainer
        self._progress = progress

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Collect what no pass that follows collects: before training, or where it goes on."""
        self._progress.train_begins(state)
        if state.global_step:
            self._trainer.go_on()
        if not args.eval_on_start:
            self._trainer.collect_if_due()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Have the rows of this epoch drawn."""
        self._trainer.begin_epoch(self._progress.epoch_begins())

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Collect, unless an evaluation follows."""
        self._progress.epoch_ends()
        if not control.should_evaluate:
            self._trainer.collect_if_due()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note which model is left."""
        self._progress.train_ends(args, state)
