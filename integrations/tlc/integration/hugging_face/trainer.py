"""`Trainer`: that of `transformers`, for tables, with metrics of each sample."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.integration._loader_pass import LoaderPass
from tlc.integration._outputs import Outputs
from tlc.integration._training_run import TrainingRun
from tlc.integration.hugging_face.epochs import EpochCallback
from tlc.integration.hugging_face.tracking import TrackingCallback
from tlc.metrics._guard import random_state_kept
from tlc.samplers import create_sampler, create_sequential_sampler
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["TLCTrainer", "Trainer"]

_Base: Any = require(
    "transformers", extra="huggingface", purpose="to work with its trainer"
).Trainer

TRAIN, EVAL = "train", "eval"


class Trainer(_Base):  # type: ignore[misc]
    """A ``transformers.Trainer`` whose datasets are tables or views.

    Rows are drawn by the weights of the training table. At the epochs asked for, the model goes
    over the training and the evaluation data in the order of their rows, and collectors get each
    batch with what the model made of it. Evaluations that the trainer makes anyway at such an epoch
    are used for that. Nothing but the metrics is kept, however many samples there are.

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
            values}``; one or several.
        metrics_collection_epochs: When to collect: 0 is before training, 1 after the first epoch,
            and so on. Default: at each evaluation, of the evaluation data only.
        run: Run, or its url, in place of `run_name`.
        **more: Further arguments of ``transformers.Trainer``.
    """

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
        self._pass: LoaderPass | None = None
        self._outputs: Outputs | None = None
        self._evaluated: set[str] = set()
        self._is_own_pass = False
        self.add_callback(TrackingCallback(self._training))
        self.add_callback(EpochCallback(self))

    def train(self, *args: Any, **kwargs: Any) -> Any:
        """Train; see ``transformers.Trainer.train``. What fails also fails the run."""
        try:
            return super().train(*args, **kwargs)
        except BaseException as error:
            self._training.fail(error)
            raise

    def collect_metrics(self, epoch: int) -> None:
        """Collect metrics of all data, as far as that was not done yet at this epoch.

        Args:
            epoch: What the rows say: 0 before training, then the number of epochs done.
        """
        datasets = {TRAIN: self.train_dataset}
        named = (
            self.eval_dataset if isinstance(self.eval_dataset, dict) else {"": self.eval_dataset}
        )
        datasets |= {f"{EVAL}_{name}" if name else EVAL: data for name, data in named.items()}
        for split, dataset in datasets.items():
            if dataset is None or split in self._evaluated:
                continue
            self._is_own_pass = True
            try:
                with random_state_kept():
                    loader = self.get_eval_dataloader(dataset)
                    with self._collecting(loader, split, epoch):
                        super().evaluation_loop(loader, "Metrics", prediction_loss_only=True)
            finally:
                self._is_own_pass = False
        self._evaluated.clear()

    def evaluation_loop(self, dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate, and collect metrics on the way; see ``transformers.Trainer``."""
        split = kwargs.get("metric_key_prefix", EVAL)
        epoch = round(self.state.epoch or 0)
        is_shared = self._collects_at(epoch) and not self._without_zero_weights
        if not is_shared or not _has_rows(dataloader.dataset):
            return super().evaluation_loop(dataloader, *args, **kwargs)
        self._evaluated.add(split)
        with self._collecting(dataloader, split, epoch):
            return super().evaluation_loop(dataloader, *args, **kwargs)

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        if not (self._is_own_pass and self._without_zero_weights):
            return super()._get_eval_sampler(eval_dataset)
        return create_sequential_sampler(_table_of(eval_dataset), num_replicas=1, rank=0)

    def prediction_step(
        self,
        model: Any,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> Any:
        """Predict, and collect metrics of the batch."""
        if self._pass is None or self._outputs is None:
            return super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        batch = self._prepare_inputs(dict(inputs))
        found = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
        self._pass.add(batch, self._outputs.of(batch, None))
        return found

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if not isinstance(dataset, Table | TableView):
            return super()._get_train_sampler(train_dataset)
        table = _table_of(dataset)
        weighted = self._sampling["weighted"] and table.weights_column_name is not None
        options: dict[str, Any] = {**self._sampling, "weighted": weighted}
        options["repeat_by_weight"] = weighted and self._sampling["repeat_by_weight"]
        seed = self.args.data_seed if self.args.data_seed is not None else self.args.seed
        # Accelerate deals batches out to the ranks: so each has the rows of all.
        return create_sampler(table, **options, seed=seed, num_replicas=1, rank=0)

    def _collects_at(self, epoch: int) -> bool:
        wanted = self.metrics_collection_epochs
        return bool(self.metrics_collectors) and (wanted is None or epoch in wanted)

    @contextmanager
    def _collecting(self, loader: Any, split: str, epoch: int) -> Iterator[None]:
        constants: Mapping[str, Any] = {"epoch": epoch}
        self._pass = LoaderPass(
            loader,
            self.metrics_collectors,
            self._training.run_about(loader.dataset),
            split,
            constants,
        ).open()
        self._outputs = Outputs(self.model)
        try:
            yield
            self._pass.finish()
        finally:
            self._pass.abort()
            self._outputs.close()
            self._pass = self._outputs = None


TLCTrainer = Trainer


def _table_of(dataset: Any) -> Table:
    """Return a table, or that of a view."""
    table: Table = dataset.source if isinstance(dataset, TableView) else dataset
    return table


def _has_rows(dataset: Any) -> bool:
    inner = dataset
    while hasattr(inner, "dataset") and hasattr(inner, "indices"):
        inner = inner.dataset
    return isinstance(inner, Table | TableView)
