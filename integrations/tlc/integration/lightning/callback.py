"""`MetricsCollectionCallback`: metrics per sample from the passes that a trainer makes anyway."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tlc.constants import EPOCH
from tlc.errors import OptionError
from tlc.integration._loader_pass import LoaderPass
from tlc.integration._outputs import Outputs
from tlc.integration._own_pass import bound, collect_tables
from tlc.integration._training_run import TrainingRun
from tlc.integration.lightning._package import base_classes
from tlc.integration.lightning.dropped import predict_dropped
from tlc.integration.lightning.loaders import NotedLoaders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.url import Url

__all__ = ["MetricsCollectionCallback"]

MODES = ("validation", "own_pass")


class MetricsCollectionCallback(*base_classes("callbacks", "Callback")):  # type: ignore[misc]
    """Collects metrics of each sample while a trainer is at work.

    With ``collect_on="validation"`` it takes what the steps of validation, test and prediction
    give, so that no sample goes through the model a second time. With ``collect_on="own_pass"`` it
    runs the model over `tables` when an epoch of training has ended.

    Hyperparameters, epochs, means over all samples and the status go to the run. The datasets of
    the trainer are tables, views, or torch ``Subset`` of them; samples need not hold their number.
    Rows that a loader with ``drop_last`` leaves out go through the step of a copy of the module
    afterwards, which logs nothing.
    A training that goes on from a checkpoint goes on with its run, if there is no other active one;
    epochs that are trained again replace what was collected of them.

    Args:
        metrics_collectors: Collectors, or functions ``(batch, predictor_output) -> {column:
            values}``; one or several.
        tables: For a pass of its own: tables or views by the name of their split.
        collect_on: ``"validation"`` or ``"own_pass"``.
        epochs: Epochs of training, from 0, in which to collect; None for all.
        run: Run, or its url. Default: the active one, else a new one, which is closed at the end.
        predict_fn: Gets the module and a batch, and returns what collectors get as
            ``predictor_output.forward``. Default: what the step returned; if that is nothing or a
            loss, what the module's ``forward`` returned in it. In a pass of its own, the batch was
            moved by the module's ``transfer_batch_to_device``.
        dataloader_args: For a pass of its own: arguments of the ``DataLoader``.

    Raises:
        OptionError: The mode is unknown, or does not go with the other arguments.
    """

    def __init__(
        self,
        metrics_collectors: Collectors,
        tables: Mapping[str, Any] | None = None,
        collect_on: str = "validation",
        *,
        epochs: Iterable[int] | None = None,
        run: Run | Url | str | None = None,
        predict_fn: Callable[[Any, Any], Any] | None = None,
        dataloader_args: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        _check(collect_on, tables)
        self.metrics_collectors = metrics_collectors
        self.tables = dict(tables or {})
        self.collect_on = collect_on
        self.epochs = None if epochs is None else frozenset(epochs)
        self.predict_fn = predict_fn
        self.dataloader_args = dict(dataloader_args or {})
        self._training = TrainingRun(run)
        self._passes: list[LoaderPass] = []
        self._outputs: Outputs | None = None
        self._loaders: NotedLoaders | None = None

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Find or make the run, and note the hyperparameters."""
        self._training.begin(pl_module.hparams_initial)
        self._loaders = NotedLoaders(trainer.strategy)

    def state_dict(self) -> dict[str, str]:
        """Return what checkpoints hold: the run, so that who goes on from one goes on with it."""
        return {"run": self._training.url}

    def load_state_dict(self, state_dict: dict[str, str]) -> None:
        """Take what a checkpoint holds."""
        self._training.restore(state_dict["run"])

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Have a run before anything is logged: in the project of the data, if that has one."""
        data = [*self.tables.values(), getattr(trainer.train_dataloader, "dataset", None)]
        if trainer.global_step:
            self._training.go_on(data[0])
        else:
            self._training.run_about(data[0])

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End what is open; what came in stays readable."""
        self._abort()
        self._training.fail(exception)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Complete the run, if it was made here."""
        self._abort()
        if self._loaders is not None:
            self._loaders.close()
            self._loaders = None
        self._training.complete()

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to collect, unless the trainer only tries whether validation works."""
        if not trainer.sanity_checking:
            self._begin(trainer, pl_module, trainer.val_dataloaders, "val")

    def on_validation_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Collect a batch."""
        self._add(outputs, batch, dataloader_idx)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Collect what the loader left out of its last batch, and publish what was collected."""
        self._finish(trainer, pl_module)

    on_test_batch_end = on_predict_batch_end = on_validation_batch_end
    on_test_end = on_predict_end = on_validation_end

    def on_test_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to collect."""
        self._begin(trainer, pl_module, trainer.test_dataloaders, "test")

    def on_predict_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to collect."""
        self._begin(trainer, pl_module, trainer.predict_dataloaders, "predict")

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Run the model over the tables, if that was asked for."""
        if self.collect_on != "own_pass" or not self._is_wanted(trainer):
            return
        collect_tables(
            self.tables,
            self.metrics_collectors,
            pl_module if self.predict_fn is None else bound(pl_module, self._predict),
            constants=_constants(trainer),
            training=self._training,
            dataloader_args=self.dataloader_args,
        )

    def _predict(self, module: Any, batch: Any) -> Any:
        assert self.predict_fn is not None
        return self.predict_fn(module, module.transfer_batch_to_device(batch, module.device, 0))

    def _is_wanted(self, trainer: Any) -> bool:
        return self.epochs is None or trainer.current_epoch in self.epochs

    def _begin(self, trainer: Any, module: Any, loaders: Any, split: str) -> None:
        if self.collect_on != "validation" or not self._is_wanted(trainer) or not self._loaders:
            return
        found = list(loaders) if isinstance(loaders, list | tuple) else [loaders]
        names = [split] if len(found) == 1 else [f"{split}_{i}" for i in range(len(found))]
        for loader, name in zip(found, names, strict=True):
            made = LoaderPass(
                loader,
                self.metrics_collectors,
                self._training.run_about(loader.dataset),
                name,
                _constants(trainer),
                ids=self._loaders.ids_of(loader),
            )
            self._passes.append(made.open())
        self._outputs = Outputs(module, self.predict_fn)

    def _add(self, returned: Any, batch: Any, number: int) -> None:
        if self._passes and self._outputs is not None:
            self._passes[number].add(batch, self._outputs.of(batch, returned))

    def _finish(self, trainer: Any, module: Any) -> None:
        self._close_outputs()
        for number, each in enumerate(self._passes):
            each.add_dropped(
                partial(predict_dropped, trainer, module, number, predict_fn=self.predict_fn)
            )
        passes, self._passes = self._passes, []
        for each in passes:
            each.finish()
        self._training.drop_repeated()

    def _abort(self) -> None:
        self._close_outputs()
        passes, self._passes = self._passes, []
        for each in passes:
            each.abort()

    def _close_outputs(self) -> None:
        if self._outputs is not None:
            self._outputs.close()
            self._outputs = None


def _constants(trainer: Any) -> dict[str, int]:
    return {EPOCH: trainer.current_epoch, "step": trainer.global_step}


def _check(mode: str, tables: Mapping[str, Any] | None) -> None:
    if mode not in MODES:
        names = " or ".join(map(repr, MODES))
        raise OptionError(f"collect_on is {mode!r}.", hint=f"it is {names}.")
    if (mode == "own_pass") != bool(tables):
        raise OptionError(
            f"collect_on={mode!r} with tables={tables!r} is not possible.",
            hint='tables={"train": table, ...} go with "own_pass": else the trainer has them.',
        )
