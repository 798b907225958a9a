"""What hooks have in common: the run of a training, and how far the training is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet, ref

from tlc._optional import require
from tlc.constants import EPOCH, ITERATION
from tlc.integration._training_run import TrainingRun
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.datasets import registered_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from weakref import ReferenceType

    from tlc.run import Run
    from tlc.table import Table
    from tlc.url import Url

__all__ = ["RunHook", "hook_of_this_training"]

_engine: Any = detectron2("engine")
_events: Any = detectron2("utils.events")

_RUN = "tlc_run"
"""Where the state of a hook says which run a checkpoint belongs to."""

_hooks: WeakKeyDictionary[Any, ReferenceType[RunHook]] = WeakKeyDictionary()
"""The first hook of each training, by the storage of its events, which anybody can ask for."""


def hook_of_this_training() -> RunHook | None:
    """Return the first hook of the training that is under way, or None."""
    if not _events.has_event_storage():
        return None
    found = _hooks.get(_events.get_event_storage())
    return None if found is None else found()


class RunHook(_engine.HookBase):  # type: ignore[misc]
    """Gives a training its run, notes the config in it, and says in it how the training ended.

    Hooks of one trainer share a run, unless they are given others. A training that goes on from a
    checkpoint goes on with its run, if no other one is given or active.

    Args:
        run: Run, or its url. Default: that of the trainer's first hook, else the active one, else
            a new one, which is closed at the end.
        cfg: The config; that of the trainer if None.
    """

    def __init__(self, run: Run | Url | str | None = None, cfg: Any = None) -> None:
        self.training = TrainingRun(run)
        self._given = None if run is None else str(getattr(run, "url", run))
        self._cfg = cfg
        self._noted = ""
        self._error_before: BaseException | None = None
        self.evaluators: WeakSet[Any] = WeakSet()

    @property
    def cfg(self) -> Any:
        """The config of the training; None if there is none."""
        return self._cfg if self._cfg is not None else getattr(self.trainer, "cfg", None)

    @property
    def dataset_names(self) -> list[str]:
        """Names of the datasets of the training, the first of which tells the project."""
        return list(getattr(getattr(self.cfg, "DATASETS", None), "TRAIN", ()))

    def before_train(self) -> None:
        """Find or make the run."""
        self._error_before = sys.exc_info()[1]
        leader = self._sharing[0]
        if self is not leader:
            self.training = leader.training
            return
        storage = getattr(self.trainer, "storage", None)
        if storage is not None:
            _hooks.setdefault(storage, ref(self))
        self._begin()

    def after_train(self) -> None:
        """Say in the run how the training ended; complete the run, if it was made here."""
        if (error := self.error) is not None:
            for each in self.evaluators:
                each.abort()
            self.training.fail(error)
        elif self.training.url:
            self.training.drop_repeated()
        if self is self._sharing[-1]:
            self.training.complete()

    def state_dict(self) -> dict[str, str]:
        """Return what checkpoints hold: the run, so that who goes on from one goes on with it."""
        return {_RUN: self.training.url}

    def load_state_dict(self, state_dict: Mapping[str, str]) -> None:
        """Take what a checkpoint holds."""
        self._noted = state_dict[_RUN]

    @property
    def error(self) -> BaseException | None:
        """What ends the training, asked for in `after_train`, which also errors lead to."""
        error = sys.exc_info()[1]
        return None if error is self._error_before else error

    @property
    def done(self) -> int:
        """Number of iterations done, asked for while the trainer is at work, or after it."""
        return min(int(self.trainer.iter) + 1, int(self.trainer.max_iter))

    def constants(self, done: int) -> dict[str, int]:
        """Return what rows that are collected after so many iterations say.

        Args:
            done: Number of iterations.

        Returns:
            ``iteration``, and ``epoch``: how often all rows were trained on, 0 if that cannot be
            told.
        """
        size = getattr(getattr(self.cfg, "SOLVER", None), "IMS_PER_BATCH", 0)
        rows = _length(getattr(self.trainer, "data_loader", None))
        return {EPOCH: done * size // rows if rows else 0, ITERATION: done}

    @property
    def _sharing(self) -> list[RunHook]:
        """The hooks that share a run with this one, itself among them, in their order."""
        hooks = [each for each in self.trainer._hooks if isinstance(each, RunHook)]
        usual = hooks[0]._given
        return [h for h in hooks if (h._given or usual) == (self._given or usual)]

    def _begin(self) -> None:
        goes_on = self.trainer.start_iter > 0
        if goes_on:
            noted = next((each._noted for each in self._sharing if each._noted), "")
            self.training.restore(noted or self._noted_in_checkpoint())
        self.training.begin(dict(_flat(self.cfg)))
        names = (name for each in self._sharing for name in each.dataset_names)
        table: Table | None = next(filter(None, map(registered_table, names)), None)
        if goes_on:
            self.training.go_on(table)
        else:
            self.training.run_about(table)

    def _noted_in_checkpoint(self) -> str:
        """Return the run of the checkpoint that was loaded before this hook was registered."""
        checkpointer = getattr(self.trainer, "checkpointer", None)
        if checkpointer is None or not checkpointer.has_checkpoint():
            return ""
        torch = require("torch", extra="torch", purpose="to read a checkpoint")
        with checkpointer.path_manager.open(checkpointer.get_checkpoint_file(), "rb") as file:
            state = torch.load(file, map_location="cpu")
        states = state.get("trainer", {}).get("hooks", {}).values()
        return next((each[_RUN] for each in states if _RUN in each), "")


def _length(loader: Any) -> int:
    """Return how many different samples a training loader draws from; 0 if it does not tell."""
    while (inner := getattr(loader, "dataset", None)) is not None:
        loader = inner
    return len(loader) if hasattr(loader, "__len__") else 0


def _flat(config: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and value of everything in a config."""
    for name, value in config.items() if isinstance(config, Mapping) else ():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", list(value) if isinstance(value, tuple) else value
