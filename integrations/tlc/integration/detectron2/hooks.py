"""`MetricsCollectionHook`: metrics of each row of a dataset while a trainer is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import ITERATION
from tlc.errors import OptionError
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.datasets import records_of
from tlc.integration.detectron2.passes import DatasetPass, as_predictor, collect, with_batch_size
from tlc.integration.detectron2.run_hook import RunHook

if TYPE_CHECKING:
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.table import Table
    from tlc.url import Url

__all__ = ["MetricsCollectionHook", "check_positive"]


class MetricsCollectionHook(RunHook):
    """Runs the model over a dataset at some iterations, and collects metrics of each row.

    The dataset is loaded as the trainer's ``build_test_loader`` does it. Rows say at which
    ``iteration`` they were collected, counted by those done, and in which ``epoch``. The state of
    the model at one iteration is collected once, whatever asks for it. ``trainer.before_train()``
    alone collects, too, without any training.

    The config, means over all rows and the status go to the run, which hooks of one trainer share.
    Register hooks before ``resume_or_load``, or after it.

    Args:
        dataset_name: A dataset of `register_coco_instances` or `register_table`.
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several. Batches are lists of dictionaries, outputs those of the model
            in evaluation mode.
        predictor: A module, a function of a batch, or a `tlc.metrics.Predictor`, such as
            ``Predictor(trainer.model, layers=[138])`` for embeddings. Default: the model of the
            trainer.
        cfg: The config; that of the trainer if None.
        collection_start_iteration: First iteration after which to collect.
        collection_frequency: Iterations from one collection to the next; -1 for none while the
            trainer is at work.
        collect_metrics_before_train: Whether to collect before the first iteration.
        collect_metrics_after_train: Whether to collect after the last iteration.
        metric_collection_batch_size: Images of a batch.
        dataset_split: Put before the names of means.
        run: Run, or its url. Default: that of the trainer's first hook, else the active one, else a
            new one, which is closed at the end.

    Raises:
        OptionError: The frequency or the batch size is none.
    """

    def __init__(
        self,
        dataset_name: str,
        metrics_collectors: Collectors,
        predictor: Any = None,
        cfg: Any = None,
        collection_start_iteration: int = 0,
        collection_frequency: int = -1,
        collect_metrics_before_train: bool = False,
        collect_metrics_after_train: bool = False,
        metric_collection_batch_size: int = 8,
        dataset_split: str = "",
        *,
        run: Run | Url | str | None = None,
    ) -> None:
        super().__init__(run, cfg)
        check_positive("collection_frequency", collection_frequency, or_never=True)
        check_positive("metric_collection_batch_size", metric_collection_batch_size)
        self.dataset_name = dataset_name
        self.metrics_collectors = metrics_collectors
        self.predictor = predictor
        self.collection_start_iteration = collection_start_iteration
        self.collection_frequency = collection_frequency
        self.collect_metrics_before_train = collect_metrics_before_train
        self.collect_metrics_after_train = collect_metrics_after_train
        self.batch_size = metric_collection_batch_size
        self.split = dataset_split
        self._last: tuple[Any, int] | None = None
        self._loader: Any = None

    @property
    def dataset_names(self) -> list[str]:
        """Names of the datasets of the training. See the base class."""
        return [self.dataset_name, *super().dataset_names]

    def before_train(self) -> None:
        """Find or make the run; collect, if that was asked for, or was due at the checkpoint."""
        super().before_train()
        self._loader = None
        start = self.trainer.start_iter
        was_missed = start > 0 and self._is_due(start) and not self._is_collected(start)
        if self.collect_metrics_before_train or was_missed:
            self._collect(start)

    def after_step(self) -> None:
        """Collect, if the iteration is one of those asked for."""
        if self._is_due(self.done):
            self._collect(self.done)

    def after_train(self) -> None:
        """Collect, if that was asked for, and end the run."""
        try:
            if self.collect_metrics_after_train and self.error is None:
                self._collect(self.done)
        except BaseException as error:
            self.training.fail(error)
            self.training.complete()
            raise
        super().after_train()

    def _is_due(self, done: int) -> bool:
        since = done - self.collection_start_iteration
        return (
            self.collection_frequency > 0 and since >= 0 and since % self.collection_frequency == 0
        )

    def _is_collected(self, done: int) -> bool:
        """Whether the run has the metrics of an iteration from before the checkpoint."""
        table = self._table
        infos = [
            each.metrics_info for each in self.training.run.metrics_tables if not each.is_partial
        ]
        return any(
            info is not None
            and info.foreign_table is not None
            and info.foreign_table.id == table.id
            and info.split == self.split
            and info.constants.get(ITERATION) == done
            for info in infos
        )

    @property
    def _table(self) -> Table:
        return records_of(self.dataset_name).table

    def _collect(self, done: int) -> None:
        if self._last is not None and self._last[0] is self.trainer and self._last[1] == done:
            return
        opened = DatasetPass(
            self._table,
            self.metrics_collectors,
            self.training.run_about(self._table),
            self.split,
            self.constants(done),
        )
        collect(
            opened,
            self._batches(),
            as_predictor(self.predictor, getattr(self.trainer, "model", None)),
        )
        self._last = self.trainer, done
        self.training.drop_repeated()

    def _batches(self) -> Any:
        if self._loader is None:
            build = getattr(self.trainer, "build_test_loader", None)
            build = build or detectron2("data").build_detection_test_loader
            self._loader = with_batch_size(build(self.cfg, self.dataset_name), self.batch_size)
        return self._loader


def check_positive(name: str, value: int, *, or_never: bool = False) -> None:
    """Refuse a number that is not above zero.

    Args:
        name: Name of the argument.
        value: Its value.
        or_never: Whether -1 is right, too.

    Raises:
        OptionError: It is not.
    """
    if value < 1 and not (or_never and value == -1):
        also = ", or -1 for never" if or_never else ""
        raise OptionError(f"{name} is {value!r}.", hint=f"give a number from 1{also}.")
