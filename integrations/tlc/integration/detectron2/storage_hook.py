"""`DetectronMetricsCollectionHook`: what a trainer logs lands in a run."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Any

from tlc.constants import ITERATION
from tlc.integration.detectron2.hooks import check_positive
from tlc.integration.detectron2.run_hook import RunHook
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["DetectronMetricsCollectionHook"]


class DetectronMetricsCollectionHook(RunHook):
    """Writes what a trainer has in its event storage to a run: losses, learning rate, times.

    Each value is logged at its ``iteration``, counted by those done, so that it can be charted
    while the trainer is at work. Afterwards there is a metrics table of all of them, with a row for
    each iteration. Only the first of several processes writes.

    Args:
        run_url: Run, or its url. Default: that of the trainer's first hook, else the active one,
            else a new one, which is closed at the end.
        cfg: The config; that of the trainer if None.
        collection_start_iteration: First iteration after which to collect.
        collection_frequency: Iterations from one collection to the next; -1 for none.
        collect_metrics_before_train: Whether to collect what is there before the first iteration,
            which is nothing unless other hooks have put something there.

    Raises:
        OptionError: The frequency is none.
    """

    def __init__(
        self,
        run_url: Run | Url | str | None = None,
        cfg: Any = None,
        collection_start_iteration: int = 0,
        collection_frequency: int = -1,
        collect_metrics_before_train: bool = False,
    ) -> None:
        super().__init__(run_url, cfg)
        check_positive("collection_frequency", collection_frequency, or_never=True)
        self.collection_start_iteration = collection_start_iteration
        self.collection_frequency = collection_frequency
        self.collect_metrics_before_train = collect_metrics_before_train
        self._rows: list[dict[str, float]] = []

    def before_train(self) -> None:
        """Find or make the run."""
        super().before_train()
        if self.collect_metrics_before_train:
            self._collect(self.trainer.start_iter)

    def after_step(self) -> None:
        """Log what came in with this iteration, if it is one of those asked for."""
        since = self.done - self.collection_start_iteration
        often = self.collection_frequency
        if often > 0 and since >= 0 and since % often == 0:
            self._collect(self.done)

    def after_train(self) -> None:
        """Write the metrics table, and end the run."""
        rows, self._rows = self._rows, []
        if rows:
            names = dict.fromkeys(name for row in rows for name in row)
            columns = {name: [row.get(name, nan) for row in rows] for name in names}
            columns[ITERATION] = [int(each) for each in columns[ITERATION]]
            self.training.run.add_metrics(columns)
        super().after_train()

    def _collect(self, done: int) -> None:
        storage = getattr(self.trainer, "storage", None)
        if storage is None or this_rank().rank:
            return
        latest = storage.latest().items()
        values = {name: value for name, (value, at) in latest if at == storage.iter}
        if values:
            row = {ITERATION: done, **values}
            self.training.run.add_output_value(row)
            self._rows.append(row)
