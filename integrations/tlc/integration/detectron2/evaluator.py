"""`MetricsCollectionEvaluator`: metrics of each row from the evaluations that a trainer makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.integration._training_run import TrainingRun
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.datasets import records_of
from tlc.integration.detectron2.passes import DatasetPass, rows_of
from tlc.integration.detectron2.run_hook import hook_of_this_training
from tlc.metrics import PredictorOutput
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["MetricsCollectionEvaluator"]

_evaluation: Any = detectron2("evaluation")
_comm: Any = detectron2("utils.comm")


class MetricsCollectionEvaluator(_evaluation.DatasetEvaluator):  # type: ignore[misc]
    """Collects metrics of each row while `inference_on_dataset` goes over a dataset.

    No sample goes through the model a second time. It can be what ``build_evaluator`` of a trainer
    returns, also in a list with others. Of several processes each collects its share, and there is
    one metrics table with each row once.

    Where a trainer has a hook of this package, rows say their ``iteration`` and ``epoch``, and the
    metrics go to the run of the hook.

    Args:
        dataset_name: A dataset of `register_coco_instances` or `register_table`.
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several.
        run: Run, or its url. Default: that of the hook, else the active one, else a new one.
        split: Put before the names of means.
    """

    def __init__(
        self,
        dataset_name: str,
        metrics_collectors: Collectors,
        *,
        run: Run | Url | str | None = None,
        split: str = "",
    ) -> None:
        self.dataset_name = dataset_name
        self.metrics_collectors = metrics_collectors
        self.split = split
        self._given = run
        self._training = TrainingRun(run)
        self._opened: DatasetPass | None = None

    def reset(self) -> None:
        """Begin to collect."""
        self.abort()
        hook = hook_of_this_training()
        if hook is not None:
            hook.evaluators.add(self)
            if self._given is None:
                self._training = hook.training
        table = records_of(self.dataset_name).table
        constants = {} if hook is None else hook.constants(hook.done)
        opened = DatasetPass(
            table,
            self.metrics_collectors,
            self._training.run_about(table),
            self.split,
            constants,
        )
        opened.open()
        self._opened = opened

    def process(self, inputs: Any, outputs: Any) -> None:
        """Collect a batch."""
        assert self._opened is not None, "reset comes first"
        try:
            self._opened.add(rows_of(inputs), inputs, PredictorOutput(outputs))
        except BaseException as error:
            self.abort()
            self._training.fail(error)
            self._training.complete()  # hooks are not asked if the last evaluation fails
            raise

    def evaluate(self) -> dict[str, float]:
        """Publish what was collected.

        Returns:
            Name to mean of all rows; on other processes than the first nothing.
        """
        assert self._opened is not None, "reset comes first"
        opened, self._opened = self._opened, None
        opened.finish()
        self._training.drop_repeated()
        values = opened.collection.aggregate_values
        return values if this_rank().count == 1 else self._of_all_ranks(values)

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.abort()

    def _of_all_ranks(self, values: dict[str, float]) -> dict[str, float]:
        """Return the means that the last rank has logged, where others know their share only."""
        _comm.synchronize()
        if this_rank().rank:
            return {}
        logged = reversed(self._training.run.constants["outputs"])
        found: dict[str, Any] = next((each for each in logged if values.keys() <= each.keys()), {})
        return {name: found[name] for name in values if name in found}
