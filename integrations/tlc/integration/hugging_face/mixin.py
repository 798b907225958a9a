"""What makes a trainer of `transformers` take tables, and collect metrics of each sample."""

from __future__ import annotations

from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, proxy

from tlc._optional import require
from tlc.constants import EPOCH
from tlc.errors import OptionError
from tlc.integration._loader_pass import LoaderPass
from tlc.integration._outputs import Outputs
from tlc.integration._training_run import TrainingRun
from tlc.integration.hugging_face.epochs import (
    EpochCallback,
    Progress,
    collected,
    collected_before,
)
from tlc.integration.hugging_face.tracking import TrackingCallback
from tlc.metrics._guard import evaluation_mode, random_state_kept
from tlc.metrics._loader import rows_to_collect
from tlc.metrics._origin import Origin
from tlc.metrics.batch_ids import BatchIds
from tlc.samplers import SubsetSequentialSampler, create_sampler
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tlc.integration.hugging_face.epochs import Collected
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["MetricsCollectionMixin"]

_Host: Any = object
_ProgressCallback: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
).ProgressCallback

TRAIN, EVAL = "train", "eval"


class MetricsCollectionMixin(_Host):  # type: ignore[misc]
    """Makes another class of trainer one like `Trainer`, whose arguments it takes.

    Put it first::

        class MyTrainer(MetricsCollectionMixin, SomeTrainer): ...

    Args:
        model: This and what follows is as of ``transformers.Trainer``.
        args: Arguments of the training.
        data_collator: Makes batches of samples.
        train_dataset: Table or view to train on.
        eval_dataset: Table or view to evaluate on, or several by name.
        processing_class: Tokenizer, image processor or the like.
        model_init: Makes the model.
        compute_loss_func: Gives the loss of a batch.
        compute_metrics: Gives metrics of all predictions.
        callbacks: Further callbacks.
        optimizers: Optimizer and scheduler.
        preprocess_logits_for_metrics: Gets the logits before they are kept for `compute_metrics`.
        run_name: Name of the run; one of that name in the project is gone on with. Default: the
            active run, else a new one.
        run_description: Description of a new run.
        exclude_zero_weights_metrics_collection: Collect no metrics of rows of weight zero.
        exclude_zero_weights_train: Train on no rows of weight zero.
        weighted: Let weights decide how often a row comes; a table without weights has all rows
            once.
        shuffle: Random order.
        repeat_by_weight: Repeat rows by their weight instead of drawing them.
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several. Default: collect nothing.
        metrics_collection_epochs: When to collect: 0 is before training, 1 after the first epoch,
            and so on. Default: at each evaluation, of the evaluation data only.
        run: Run, or its url, in place of `run_name`.
        **more: Further arguments of ``transformers.Trainer``.

    Raises:
        OptionError: Rows are to be both drawn by weight and grouped by length.
    """

    args: Any

    def __init__(
        self,
        model: Any = None,
        args: Any = None,
        data_collator: Any = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        processing_class: Any = None,
        model_init: Any = None,
        compute_loss_func: Any = None,
        compute_metrics: Any = None,
        callbacks: Any = None,
        optimizers: tuple[Any, Any] = (None, None),
        preprocess_logits_for_metrics: Any = None,
        *,
        run_name: str | None = None,
        run_description: str | None = None,
        exclude_zero_weights_metrics_collection: bool = False,
        exclude_zero_weights_train: bool = True,
        weighted: bool = True,
        shuffle: bool = True,
        repeat_by_weight: bool = False,
        metrics_collectors: Collectors | None = None,
        metrics_collection_epochs: Sequence[int] | None = None,
        run: Run | Url | str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(
            model=model,
            args=args,
            data_collator=data_collator,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            model_init=model_init,
            compute_loss_func=compute_loss_func,
            compute_metrics=compute_metrics,
            callbacks=callbacks,
            optimizers=optimizers,
            preprocess_logits_for_metrics=preprocess_logits_for_metrics,
            **more,
        )
        self.metrics_collectors = metrics_collectors or []
        self.metrics_collection_epochs = (
            None if metrics_collection_epochs is None else sorted(set(metrics_collection_epochs))
        )
        self._sampling = {
            "exclude_zero_weights": exclude_zero_weights_train,
            "weighted": weighted,
            "shuffle": shuffle,
            "repeat_by_weight": repeat_by_weight,
        }
        self._without_zero_weights = exclude_zero_weights_metrics_collection
        self._training = TrainingRun(run, name=run_name, description=run_description)
        self._prepare_to_collect()

    def _prepare_to_collect(self) -> None:
        self._progress = Progress()
        self._pass: LoaderPass | None = None
        self._outputs: Outputs | None = None
        self._is_own_pass = False
        self._train_sampler: Any = None
        self._done: set[Collected] = set()
        self._ids: WeakKeyDictionary[Any, BatchIds] = WeakKeyDictionary()
        self.add_callback(TrackingCallback(self._training))
        # No circle: workers that stay are waited for where their loader is part of one.
        this: Any = proxy(self)
        self.add_callback(EpochCallback(this, self._progress))

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train; see ``transformers.Trainer.train``. What fails also fails the run."""
        if self.state.global_step:  # the model is no longer that of before
            self._done.clear()
        try:
            return super().train(*args, **kwargs)
        except BaseException as error:
            self._training.fail(error)
            raise

    def evaluate(
        self,
        eval_dataset: Any = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = EVAL,
        **more: Any,
    ) -> Any:
        """Evaluate; see ``transformers.Trainer``. In training, collect what it was not about."""
        found = super().evaluate(eval_dataset, ignore_keys, metric_key_prefix, **more)
        if self.is_in_train and metric_key_prefix == EVAL:
            self.collect_if_due()
        return found

    def collect_metrics(self, epoch: int) -> None:
        """Collect metrics of all data, as far as that was not done yet at this epoch.

        Args:
            epoch: What the rows say: 0 before training, then the number of epochs done.
        """
        evaluated = self.eval_dataset if isinstance(self.eval_dataset, dict) else None
        datasets = {TRAIN: self.train_dataset}
        datasets |= (
            {EVAL: self.eval_dataset}
            if evaluated is None
            else {f"{EVAL}_{name}": data for name, data in evaluated.items()}
        )
        for split, dataset in datasets.items():
            if _has_rows(dataset) and collected(split, dataset, epoch) not in self._done:
                self._collect(dataset, split, epoch)

    def collect_if_due(self) -> None:
        """Collect metrics of all data if this is one of the epochs to do so."""
        now = self._progress.now(self.state)
        wanted = self.metrics_collection_epochs or ()
        if self.metrics_collectors and now.is_whole and now.epoch in wanted:
            self.collect_metrics(now.epoch)

    def go_on(self) -> None:
        """Note what was collected before the checkpoint that the training goes on from."""
        now = self._progress.now(self.state)
        self._done |= collected_before(self._training, self.train_dataset, now)

    def begin_epoch(self, epoch: int) -> None:
        """Have the rows of an epoch drawn, also where the training goes on within it."""
        if hasattr(self._train_sampler, "set_epoch"):
            self._train_sampler.set_epoch(epoch)

    def evaluation_loop(self, dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate, and collect metrics on the way; see ``transformers.Trainer``."""
        split, dataset = kwargs.get("metric_key_prefix", EVAL), dataloader.dataset
        if not self._is_due(split, dataset):
            return super().evaluation_loop(dataloader, *args, **kwargs)
        epoch = self._progress.now(self.state).epoch
        if self.args.dataloader_drop_last or self._without_zero_weights:
            found = super().evaluation_loop(dataloader, *args, **kwargs)
            self._collect(dataset, split, epoch)
            return found
        with self._collecting(dataloader, split, epoch):
            return super().evaluation_loop(dataloader, *args, **kwargs)

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
        **more: Any,
    ) -> Any:
        """Predict, and collect metrics of the batch."""
        if self._pass is None or self._outputs is None:
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys, **more)
        batch = self._prepare_inputs(dict(inputs))
        found = super().prediction_step(model, batch, prediction_loss_only, ignore_keys, **more)
        self._pass.add(batch, self._outputs.of(batch, None))
        # Losses would be kept, one for each sample.
        return (None, None, None) if self._is_own_pass else found

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        """Return the loader, see ``transformers.Trainer``, with the rows of its batches noted."""
        loader = super().get_eval_dataloader(eval_dataset)
        if self.metrics_collectors and _has_rows(loader.dataset):
            # Workers that stay have a loader draw as it did when they were started.
            self._ids_of(loader)
        return loader

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        table = Origin.of(eval_dataset).table
        has_weights = getattr(table, "weights_column_name", None) is not None
        if not (self._is_own_pass and self._without_zero_weights and has_weights):
            return super()._get_eval_sampler(eval_dataset)
        plan = rows_to_collect(eval_dataset, exclude_zero_weights=True)
        return SubsetSequentialSampler([] if plan.chosen is None else plan.chosen.tolist())

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if not isinstance(dataset, Table | TableView):
            return super()._get_train_sampler(train_dataset)
        if self.args.train_sampling_strategy in _BY_LENGTH:
            self._check_without_weights(dataset)
            return super()._get_train_sampler(train_dataset)
        self._train_sampler = self._table_sampler(dataset)
        return self._train_sampler

    def _table_sampler(self, dataset: Any) -> Any:
        table, options = Origin.of(dataset).table, dict(self._sampling)
        options["weighted"] &= table.weights_column_name is not None
        options["repeat_by_weight"] &= options["weighted"]
        options["shuffle"] &= self.args.train_sampling_strategy != "sequential"
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        # Accelerate deals batches out to the ranks: so each has the rows of all.
        return create_sampler(table, **options, seed=seed, num_replicas=1, rank=0)

    def _check_without_weights(self, dataset: Any) -> None:
        table, options = Origin.of(dataset).table, self._sampling
        is_weighted = options["weighted"] or options["exclude_zero_weights"]
        if is_weighted and table.weights_column_name is not None:
            raise OptionError(
                f"train_sampling_strategy={self.args.train_sampling_strategy!r} groups the rows of "
                f"{table.url} by their length, whatever their weight.",
                hint="leave it out, or give weighted=False, exclude_zero_weights_train=False.",
            )

    def _is_due(self, split: str, dataset: Any) -> bool:
        if self._is_own_pass or not self.metrics_collectors or not _has_rows(dataset):
            return False
        if self.metrics_collection_epochs is None:
            return True
        now = self._progress.now(self.state)
        is_wanted = now.is_whole and now.epoch in self.metrics_collection_epochs
        return is_wanted and collected(split, dataset, now.epoch) not in self._done

    def _collect(self, dataset: Any, split: str, epoch: int) -> None:
        """Collect in a pass of its own, over all rows."""
        self._is_own_pass = True
        try:
            with random_state_kept(), evaluation_mode(self.model):
                loader = self._own_loader(dataset)
                with self._collecting(loader, split, epoch):
                    super().evaluation_loop(loader, "Metrics", prediction_loss_only=True)
        finally:
            self._is_own_pass = False
        for callback in self.callback_handler.callbacks:
            if isinstance(callback, _ProgressCallback):
                callback.on_predict(self.args, self.state, self.control)  # ends its bar

    def _own_loader(self, dataset: Any) -> Any:
        given = self.args
        self.args = copy(given)
        self.args.dataloader_drop_last = self.args.dataloader_persistent_workers = False
        try:
            return self.get_eval_dataloader(dataset)
        finally:
            self.args = given

    def _ids_of(self, loader: Any) -> BatchIds:
        if loader not in self._ids:
            self._ids[loader] = BatchIds(loader)
        return self._ids[loader]

    @contextmanager
    def _collecting(self, loader: Any, split: str, epoch: int) -> Iterator[None]:
        constants = self._progress.now(self.state).constants | {EPOCH: epoch}
        self._pass = LoaderPass(
            loader,
            self.metrics_collectors,
            self._training.run_about(loader.dataset),
            split,
            constants,
            ids=self._ids_of(loader),
        ).open()
        self._outputs = Outputs(self.model)
        try:
            yield
            self._pass.finish()
        finally:
            self._pass.abort()
            self._outputs.close()
            self._pass = self._outputs = None
        self._done.add(collected(split, loader.dataset, epoch))
        self._training.drop_repeated()


_BY_LENGTH = ("group_by_length", "batch_rebalance")


def _has_rows(dataset: Any) -> bool:
    return isinstance(Origin.of(dataset).dataset, Table | TableView)
