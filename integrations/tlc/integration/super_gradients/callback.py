"""`MetricsCollectionCallback`: metrics of each sample while SuperGradients' trainer is at work."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, ClassVar

from tlc.constants import EPOCH, IMAGE
from tlc.errors import CollectorError
from tlc.integration._training_run import TrainingRun
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.hyperparameters import hyperparameters
from tlc.integration.super_gradients.options import (
    as_list,
    check_embeddings,
    check_loader,
    check_mode,
    check_sizes,
)
from tlc.integration.super_gradients.own_pass import OwnPass
from tlc.integration.super_gradients.pipeline import KINDS
from tlc.integration.super_gradients.pipeline_params import PipelineParams
from tlc.integration.super_gradients.training import earlier_run, note_run, table_of
from tlc.integration.super_gradients.validation import LoaderRows, ValidationPass, rows_of
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tlc.integration.super_gradients.pipeline import PipelineOutput
    from tlc.integration.super_gradients.tasks import Task
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.schemas import Schema
    from tlc.table import Table
    from tlc.url import Url

__all__ = ["MetricsCollectionCallback"]


class MetricsCollectionCallback(part("training.utils.callbacks", "Callback")):  # type: ignore[misc]
    """Collects metrics of each sample: one of ``training_params["phase_callbacks"]``.

    With ``collect_on="own_pass"`` it runs the model, or its moving average if that is what is
    validated, over the images of the training and validation tables, through the model's own
    prediction pipeline: predictions are in pixels of the images of the table. Boxes, poses, classes
    and label maps are collected, each with how well it fits the labels of the table. Classes are
    the ids of the table.

    With ``collect_on="validation"`` collectors take what the model returns in the validation that
    the trainer makes anyway, so that no sample goes through the model a second time: the batch
    ``(inputs, targets)``, and the output. Rows that a loader with ``drop_last`` leaves out are
    predicted afterwards.

    Given to ``trainer.test`` as one of its ``test_phase_callbacks``, it collects the split ``test``
    in the same way.

    Training parameters, epochs, steps, losses and metrics, means over all samples and the status go
    to the run. Datasets of the loaders are tables, views, torch ``Subset`` of them, or datasets of
    this package. A training that is resumed goes on with its run, if there is no other active one;
    epochs that are trained again replace what was collected of them.

    Args:
        project_name: Project of the run; that of the table if None.
        run_name: Name of the run: the active one if it is called so, or one that the project has,
            or a new one.
        run_description: Description of a new run.
        image_column_name: Column of images; if there is none of that name, that of the dataset.
        label_column_name: Column of labels; None for that of the dataset, or the first that fits.
        metrics_collection_epochs: Epochs, from 0, at whose end metrics are collected. None for none
            in a pass of its own, and for all in the trainer's validation.
        collect_metrics_on_train_end: Whether to collect when the training has ended, too.
        collect_val_only: Whether to leave out the training table.
        batch_size: Images that go through the model together.
        pipeline_params: What becomes of the raw output; None for the model's defaults.
        collect_predictions: Whether predictions themselves are collected, beside how well they fit.
            None for what is usual, which is to do so.
        collect_embeddings: Whether to collect pooled features of the images.
        embeddings_dim: Dimensions that they are reduced to when the training is over, as
            ``embeddings_<method>``.
        embeddings_method: ``"pacmap"``, ``"umap"`` or ``"pca"``; None to keep them whole, as
            ``embeddings``.
        inference_chunk_size: Images that are read at once; None for `batch_size`.
        dataloader_args: Arguments of the ``DataLoader`` of images, such as ``num_workers``.
        metrics_collectors: Collectors or functions. In a pass of its own they get a list of RGB
            images, and as ``predictor_output.forward`` SuperGradients' predictions of them.
        collect_on: ``"own_pass"`` or ``"validation"``. None for the second if there are collectors.
        run: Run, or its url. Default: the active one, else a new one, which is closed at the end.

    Raises:
        OptionError: An argument is not possible, or does not go with the others.
        MissingExtraError: The package that reduces embeddings is not installed.
        BrokenExtraError: It is installed, but cannot be imported.
    """

    kinds: ClassVar[tuple[str, ...]] = tuple(KINDS)

    def __init__(
        self,
        project_name: str | None = None,
        run_name: str | None = None,
        run_description: str | None = None,
        image_column_name: str = IMAGE,
        label_column_name: str | None = None,
        metrics_collection_epochs: Iterable[int] | None = None,
        collect_metrics_on_train_end: bool = True,
        collect_val_only: bool = False,
        batch_size: int = 32,
        pipeline_params: PipelineParams | Mapping[str, Any] | None = None,
        collect_predictions: bool | None = None,
        collect_embeddings: bool = False,
        embeddings_dim: int = 2,
        embeddings_method: str | None = "pacmap",
        inference_chunk_size: int | None = None,
        dataloader_args: Mapping[str, Any] | None = None,
        *,
        metrics_collectors: Collectors | None = None,
        collect_on: str | None = None,
        run: Run | Url | str | None = None,
    ) -> None:
        super().__init__()
        self.image_column_name = image_column_name
        self.label_column_name = label_column_name
        epochs = metrics_collection_epochs
        self.metrics_collection_epochs = None if epochs is None else frozenset(epochs)
        self.collect_metrics_on_train_end = collect_metrics_on_train_end
        self.collect_val_only = collect_val_only
        self.batch_size = batch_size
        self.pipeline_params = PipelineParams.of(pipeline_params)
        self.collect_predictions = collect_predictions
        self.collect_embeddings = collect_embeddings
        self.embeddings_dim = embeddings_dim
        self.embeddings_method = embeddings_method
        self.inference_chunk_size = inference_chunk_size
        self.dataloader_args = dict(dataloader_args or {})
        self.metrics_collectors = as_list(metrics_collectors)
        self.collect_on = collect_on or ("validation" if self.metrics_collectors else "own_pass")
        self._check()
        self._training = TrainingRun(
            run, name=run_name, description=run_description, project=project_name
        )
        self._current: tuple[Task, PipelineOutput | None] | None = None
        self._rows: dict[str, LoaderRows] = {}
        self._pass: ValidationPass | None = None
        self._own_pass: OwnPass | None = None
        self._epoch: int | None = None
        self._error_before: BaseException | None = None
        self._is_due = self._is_finished = False

    def compute_metrics(
        self, images: list[Any], predictions: list[Any], table: Table
    ) -> dict[str, Any]:
        """Return the columns of a batch of images; override it for others, or more.

        Args:
            images: uint8 of shape (H, W, 3), in RGB.
            predictions: SuperGradients' prediction of each, in pixels of the image; its
                ``prediction`` has such as ``bboxes_xyxy``, ``labels`` and ``confidence``.
            table: The table that the images are from.

        Returns:
            Column name to one value for each image.

        Raises:
            CollectorError: It is not called by a collection.
        """
        task, output = self._known()
        if output is None:
            raise CollectorError("compute_metrics has no predictions to compute metrics of.")
        return task.columns(images, predictions, output)

    def metrics_column_schemas(self, table: Table) -> dict[str, Schema]:
        """Return what the columns mean; those left out are inferred from their values.

        Args:
            table: The table that the metrics are about.

        Raises:
            CollectorError: It is not called by a collection.
        """
        return self._known()[0].schemas

    @contextmanager
    def about(self, task: Task, output: PipelineOutput | None) -> Iterator[None]:
        """Let `compute_metrics` and `metrics_column_schemas` know what they are called for."""
        self._current = task, output
        try:
            yield
        finally:
            self._current = None

    def on_training_start(self, context: Any) -> None:
        """Begin anew."""
        self._epoch = self._pass = self._own_pass = None
        self._rows = {}
        self._is_due = self._is_finished = False
        self._error_before = sys.exc_info()[1]

    def on_train_loader_start(self, context: Any) -> None:
        """Find or make the run, and note the parameters, when the first epoch begins."""
        if self._epoch is None:
            self._begin(context)
        self._collect_due(context)
        self._epoch = context.epoch

    def on_train_batch_start(self, context: Any) -> None:
        """Tell the rows of a batch to other callbacks: ``context.example_id``."""
        if "train" in self._rows:
            self._rows["train"].note(context)

    def on_train_loader_end(self, context: Any) -> None:
        """Log losses and metrics of training."""
        self._log(context, "train")
        self._is_due = self.collect_on == "own_pass" and self._wants(context.epoch)

    def on_validation_loader_start(self, context: Any) -> None:
        """Begin to collect from a validation."""
        if self.collect_on == "validation" and self._wants(context.epoch):
            self._begin_pass(context, "val", context.valid_loader, self._constants(context))

    def on_validation_batch_start(self, context: Any) -> None:
        """Tell the rows of a batch, as of those of training."""
        if "val" in self._rows:
            self._rows["val"].note(context)

    def on_validation_batch_end(self, context: Any) -> None:
        """Collect a batch."""
        if self._pass is not None:
            self._pass.add(context)

    def on_validation_loader_end(self, context: Any) -> None:
        """Publish what was collected, and log losses and metrics of validation."""
        self._finish_pass()
        self._log(context, "val")
        self._collect_due(context)

    def on_test_loader_start(self, context: Any) -> None:
        """Begin to collect from a test of its own, which tells its loader."""
        loader = context.test_loader
        if loader is None:
            return
        self._rows["test"] = rows_of(context, loader)
        if self.collect_on == "validation":
            self._begin_pass(context, "test", loader, self._tested)

    def on_test_batch_start(self, context: Any) -> None:
        """Tell the rows of a batch, as of those of training."""
        if "test" in self._rows:
            self._rows["test"].note(context)

    def on_test_batch_end(self, context: Any) -> None:
        """Collect a batch."""
        if "test" in self._rows and self._pass is not None:
            self._pass.add(context)

    def on_test_loader_end(self, context: Any) -> None:
        """Publish what was collected, or make a pass over the images of the test."""
        if self._rows.pop("test", None) is None:
            return
        self._finish_pass()
        if self.collect_on == "own_pass":
            own = OwnPass(self, self._training, context, {"test": context.test_loader})
            own.collect(self._tested)
            own.reduce()
        self._training.complete()

    def on_average_best_models_validation_start(self, context: Any) -> None:
        """Collect what is due since the last epoch, which had no validation."""
        self._collect_due(context)

    def on_average_best_models_validation_end(self, context: Any) -> None:
        """Collect from the model as it is after the last epoch."""
        is_wanted = self.collect_on == "own_pass" and self.collect_metrics_on_train_end
        if is_wanted and self._epoch is not None and not self._wants(self._epoch):
            self._collect(context)
        self._is_finished = True

    def on_training_end(self, context: Any) -> None:
        """Say in the run how the training ended, and complete it, if it was made here."""
        if self._pass is not None:
            self._pass.abort()
        own, self._own_pass = self._own_pass, None  # which knows the model and its data
        self._pass = None
        self._rows = {}
        error = sys.exc_info()[1]
        if own is not None and self._is_finished and error is self._error_before:
            own.reduce()
        if error is not None and error is not self._error_before:
            self._training.fail(error)
        elif not self._is_finished:  # the trainer keeps a KeyboardInterrupt to itself
            self._training.fail(KeyboardInterrupt())
        self._training.complete()

    def _check(self) -> None:
        check_mode(
            self.collect_on,
            has_collectors=bool(self.metrics_collectors),
            own_pass_only={
                "collect_embeddings": self.collect_embeddings,
                "pipeline_params": bool(self.pipeline_params.given()),
                "dataloader_args": bool(self.dataloader_args),
            },
        )
        check_sizes(batch_size=self.batch_size, inference_chunk_size=self.inference_chunk_size)
        check_loader(self.dataloader_args)
        check_embeddings(
            self.embeddings_dim, self.embeddings_method, is_wanted=self.collect_embeddings
        )

    def _begin(self, context: Any) -> None:
        loaders = {"train": context.train_loader, "val": context.valid_loader}
        has_table = next((each for each in loaders.values() if table_of(each)), None)
        dataset = (has_table or context.train_loader).dataset
        if context.epoch:
            self._training.restore(earlier_run(context))
        self._training.begin(hyperparameters(context))
        if context.epoch:
            self._training.go_on(dataset)
        note_run(context.ckpt_dir, self._training.run_about(dataset).url.to_str())
        if self.collect_on == "own_pass":
            own = {"val": loaders["val"]} if self.collect_val_only else loaders
            self._own_pass = OwnPass(self, self._training, context, own)
        needed = "val" if self.collect_on == "validation" else ""
        for split, loader in loaders.items():
            if split == needed or table_of(loader) is not None:
                self._rows[split] = rows_of(context, loader)

    def _begin_pass(
        self, context: Any, split: str, loader: Any, constants: Mapping[str, int]
    ) -> None:
        run = self._training.run_about(loader.dataset)
        if self._pass is not None:
            self._pass.abort()  # a test that failed
        self._pass = ValidationPass(
            context, self._rows[split], loader, self.metrics_collectors, run, split, constants
        )

    def _finish_pass(self) -> None:
        if self._pass is not None:
            self._pass.finish()
            self._pass = None
            self._training.drop_repeated()

    @property
    def _tested(self) -> dict[str, int]:
        """What rows of a test say: the epoch of the training before it, if there was one."""
        return {} if self._epoch is None else {EPOCH: self._epoch}

    def _wants(self, epoch: int) -> bool:
        if self.metrics_collection_epochs is None:
            return self.collect_on == "validation"
        return epoch in self.metrics_collection_epochs

    def _collect_due(self, context: Any) -> None:
        if self._is_due:
            self._is_due = False
            self._collect(context)

    def _collect(self, context: Any) -> None:
        assert self._own_pass is not None
        self._own_pass.collect(self._constants(context))

    def _constants(self, context: Any) -> dict[str, int]:
        assert self._epoch is not None
        batches = len(context.train_loader) * (self._epoch + 1)
        return {EPOCH: self._epoch, "step": batches // context.training_params.batch_accumulate}

    def _log(self, context: Any, split: str) -> None:
        if this_rank().rank or self._is_logged_by_another(context):
            return
        values = {f"{split}_{name}": float(each) for name, each in context.metrics_dict.items()}
        if split == "train":
            values["lr"] = float(context.optimizer.param_groups[0]["lr"])
        run = self._training.run_about(context.train_loader.dataset)
        run.add_output_value({**self._constants(context), **values})

    def _is_logged_by_another(self, context: Any) -> bool:
        """Whether a callback before this one has the same run."""
        callbacks = context.training_params.phase_callbacks
        before = takewhile(lambda each: each is not self, callbacks)
        own = (each for each in before if isinstance(each, MetricsCollectionCallback))
        return any(each._training.url == self._training.url for each in own)

    def _known(self) -> tuple[Task, PipelineOutput | None]:
        if self._current is None:
            raise CollectorError(
                f"{type(self).__name__} computes metrics only while it collects.",
                hint="override its methods, and leave it to the training to call them.",
            )
        return self._current
