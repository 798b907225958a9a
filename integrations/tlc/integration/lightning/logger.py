"""`RunLogger`: what a module logs lands in a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.integration._training_run import TrainingRun
from tlc.integration.lightning._package import base_classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.run import Run
    from tlc.url import Url

__all__ = ["RunLogger"]

_on_first_rank: Any = base_classes("utilities.rank_zero", "rank_zero_only")[0]


class RunLogger(*base_classes("loggers", "Logger")):  # type: ignore[misc]
    """A logger for ``Trainer(logger=RunLogger())``: ``self.log`` values become values of a run.

    Each has the ``step`` beside it, and the ``epoch`` where the trainer tells it. Only the first of
    several processes logs.

    Args:
        run: Run, or its url. Default: the active one, else a new one.
    """

    def __init__(self, run: Run | Url | str | None = None) -> None:
        super().__init__()
        self._training = TrainingRun(run)

    @property
    def run(self) -> Run:
        """The run."""
        return self._training.run

    @property
    def experiment(self) -> Run:
        """The run, as ``trainer.logger.experiment`` is often asked for it."""
        return self._training.run

    @property
    def name(self) -> str:
        """Name of the project of the run."""
        return self._training.run.project_name

    @property
    def version(self) -> str:
        """Name of the run."""
        return self._training.run.name

    @_on_first_rank  # type: ignore[untyped-decorator]
    def log_hyperparams(self, params: Any, *_: Any, **__: Any) -> None:
        """Note parameters of the training."""
        given = params if isinstance(params, dict) else vars(params)
        self._training.begin(given)

    @_on_first_rank  # type: ignore[untyped-decorator]
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log values."""
        values = dict(metrics)
        epoch = values.pop("epoch", None)
        axes = {} if epoch is None else {"epoch": int(epoch)}
        if step is not None:
            axes["step"] = step
        if values:
            self._training.run.add_output_value({**axes, **values})
