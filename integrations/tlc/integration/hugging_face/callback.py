"""`MetricsCollectionCallback`: metrics per sample of a trainer that cannot be another class."""

from __future__ import annotations

import inspect
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.integration._own_pass import bound, collect_tables
from tlc.integration.hugging_face.epochs import Progress, collected, collected_before
from tlc.integration.hugging_face.tracking import TrackingCallback
from tlc.metrics import Predictor
from tlc.metrics._tensors import moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tlc.integration.hugging_face.epochs import Collected
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["MetricsCollectionCallback"]


class MetricsCollectionCallback(TrackingCallback):
    """Has any trainer of `transformers` collect metrics of each sample.

    At the epochs asked for, the model goes over the tables in the order of their rows, in a pass of
    its own; evaluations of the trainer cannot be used, because callbacks are not told of their
    batches. `Trainer` can use them. Collectors get batches as the model does, labels included.

    What the trainer logs, its arguments and the status go to the run, as of `TrackingCallback`. But
    an error of the training itself is not told to callbacks: a run that was made here is then
    marked when the process ends. Models that are sharded, as by FSDP, need `Trainer`.

    Args:
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several.
        tables: Tables or views by the name of their split.
        epochs: When to collect: 0 is before training, 1 after the first epoch, and so on. Default:
            after each epoch.
        data_collator: Makes batches of samples. Default: as of ``transformers.Trainer``.
        predict_fn: Gets the model and a batch, and returns what collectors get as
            ``predictor_output.forward``. Default: the model gets what its ``forward`` has
            parameters for.
        run: Run, or its url. Default: the active one, else a new one, which is closed at the end.
        dataloader_args: Arguments of the ``DataLoader``, in place of the trainer's: batch size of
            evaluations, workers.
    """

    def __init__(
        self,
        metrics_collectors: Collectors,
        tables: Mapping[str, Any],
        epochs: Iterable[int] | None = None,
        *,
        data_collator: Any = None,
        predict_fn: Callable[[Any, Any], Any] | None = None,
        run: Run | Url | str | None = None,
        dataloader_args: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(run)
        self.metrics_collectors = metrics_collectors
        self.tables = dict(tables)
        self.epochs = None if epochs is None else frozenset(epochs)
        self.data_collator = data_collator
        self.predict_fn = predict_fn
        self.dataloader_args = dict(dataloader_args or {})
        self._progress = Progress()
        self._done: set[Collected] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Find or make the run; collect before training, if asked for."""
        super().on_train_begin(args, state, control, **more)
        self._progress.train_begins(state)
        self._done = set()
        if state.global_step:
            data = next(iter(self.tables.values()), None)
            self._done = collected_before(self.training, data, self._progress.now(state))
        self._collect_if_due(args, state, **more)

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Note that an epoch begins."""
        self._progress.epoch_begins()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Collect, if asked for."""
        self._progress.epoch_ends()
        self._collect_if_due(args, state, **more)

    def _collect_if_due(
        self, args: Any, state: Any, *, model: Any, processing_class: Any = None, **_: Any
    ) -> None:
        now = self._progress.now(state)
        wanted = now.epoch > 0 if self.epochs is None else now.epoch in self.epochs
        if not (now.is_whole and wanted):
            return
        left = {
            split: table
            for split, table in self.tables.items()
            if collected(split, table, now.epoch) not in self._done
        }
        module = _unwrapped(model)
        collator = self.data_collator or _default_collator(processing_class)
        if args.remove_unused_columns:
            collator = _without_unused(collator, module, args.label_names)
        usual = {
            "batch_size": args.eval_batch_size,
            "num_workers": args.dataloader_num_workers,
            "collate_fn": collator,
        }
        try:
            collect_tables(
                left,
                self.metrics_collectors,
                bound(module, _on_device(module, self.predict_fn)),
                constants=now.constants,
                training=self.training,
                dataloader_args=usual | self.dataloader_args,
            )
        except BaseException as error:
            self.training.fail(error)
            raise


def _unwrapped(model: Any) -> Any:
    """Return the model itself: ranks do not have equally many batches to go through together."""
    kinds = require("torch.nn.parallel", extra="torch", purpose="to collect metrics")
    wrappers = (kinds.DistributedDataParallel, kinds.DataParallel)
    return model.module if isinstance(model, wrappers) else model


def _on_device(module: Any, predict: Callable[[Any, Any], Any] | None) -> Any:
    predictor = Predictor(module)

    def call(module: Any, batch: Any) -> Any:
        device = next(module.parameters()).device
        there = moved(batch, device)
        if isinstance(batch, MutableMapping):
            batch.update(there)  # collectors get this one
        return predictor(there) if predict is None else predict(module, there)

    return call


def _default_collator(processing_class: Any) -> Any:
    """Return what makes batches, as trainers do it."""
    made = _transformers()
    if isinstance(processing_class, made.PreTrainedTokenizerBase | made.SequenceFeatureExtractor):
        return made.DataCollatorWithPadding(processing_class)
    return made.default_data_collator


def _without_unused(collator: Any, module: Any, label_names: list[str] | None) -> Any:
    """Return a collator that passes over what the model has no parameter for, as trainers do it."""
    utils = require("transformers.trainer_utils", extra="huggingface", purpose="to make batches")
    names = [*inspect.signature(module.forward).parameters, "label", "label_ids"]
    return utils.RemoveColumnsCollator(collator, [*names, *(label_names or ["labels"])])


def _transformers() -> Any:
    return require("transformers", extra="huggingface", purpose="to work with its trainer")
