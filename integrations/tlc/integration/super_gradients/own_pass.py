"""Passes of a callback's own over the images of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import CollectorError, MetricsError, OptionError
from tlc.integration._own_pass import bound, collect_tables
from tlc.integration._reduction import EMBEDDINGS, reduce_collected
from tlc.integration.super_gradients._framework import part
from tlc.integration.super_gradients.images import as_is
from tlc.integration.super_gradients.images_view import images_of
from tlc.integration.super_gradients.pipeline import ImagePipeline, PipelineOutput
from tlc.integration.super_gradients.tasks import task_of
from tlc.integration.super_gradients.training import table_of
from tlc.metrics import MeanAggregator, MetricsCollector
from tlc.metrics._origin import Origin
from tlc.metrics.aggregators import Aggregator
from tlc.run.launch import this_rank
from tlc.schemas import EmbeddingSchema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.integration._training_run import TrainingRun
    from tlc.integration.super_gradients.callback import MetricsCollectionCallback
    from tlc.integration.super_gradients.tasks import Task
    from tlc.schemas import Schema

__all__ = ["CallbackCollector", "OwnPass"]


class OwnPass:
    """Runs the pipeline of a model over the images of tables.

    Args:
        callback: Says what is collected, and how.
        training: Tells the run.
        context: A ``PhaseContext`` of the training, or of a test.
        loaders: The loaders by the name of their split.

    Raises:
        MetricsError: The model has no pipeline, or a loader has no table.
        OptionError: The pipeline is none that the callback is for, or has no such parameter.
    """

    def __init__(
        self,
        callback: MetricsCollectionCallback,
        training: TrainingRun,
        context: Any,
        loaders: Mapping[str, Any],
    ) -> None:
        self._callback = callback
        self._training = training
        self._context = context
        self._datasets = {split: loader.dataset for split, loader in loaders.items()}
        kind = self._pipeline().kind  # so that what is not possible is told before the training
        if kind not in callback.kinds:
            raise OptionError(
                f"{type(callback).__name__} is not for models of the kind {kind!r}.",
                hint="give MetricsCollectionCallback, which is for all.",
            )
        self._tasks = {split: self._task(kind, split, each) for split, each in loaders.items()}

    def collect(self, constants: Mapping[str, Any]) -> None:
        """Collect from the model as it is now.

        Args:
            constants: Column name to the value that every row gets.
        """
        pipeline = self._pipeline()
        callback = self._callback
        for split, dataset in self._datasets.items():
            collectors = [
                CallbackCollector(callback, self._tasks[split]),
                *callback.metrics_collectors,
            ]
            collect_tables(
                {split: images_of(dataset, self._image_column(dataset))},
                collectors,
                bound(pipeline.model, lambda _, images: pipeline(images)),
                constants=constants,
                training=self._training,
                dataloader_args={
                    **callback.dataloader_args,
                    "batch_size": callback.inference_chunk_size or callback.batch_size,
                    "collate_fn": as_is,
                },
            )

    def reduce(self) -> None:
        """Reduce the embeddings that were collected: as those of the training table, if any."""
        callback = self._callback
        method = callback.embeddings_method if callback.collect_embeddings else None
        if method is not None and self._training.url and not this_rank().rank:
            tables = [Origin.of(dataset).table for dataset in self._datasets.values()]
            arguments = {"n_components": callback.embeddings_dim}
            reduce_collected(self._training.run, tables, method, arguments)

    def _pipeline(self) -> ImagePipeline:
        context, callback = self._context, self._callback
        net = part("training.utils.utils", "unwrap_model")(context.net)
        parameters = context.training_params  # a test has none
        return ImagePipeline(
            net,
            context.ema_model.ema if getattr(parameters, "ema", False) else net,
            callback.pipeline_params,
            batch_size=callback.batch_size,
            with_features=callback.collect_embeddings,
            fp16=bool(getattr(parameters, "mixed_precision", False)),
        )

    def _task(self, kind: str, split: str, loader: Any) -> Task:
        table = table_of(loader)
        if table is None:
            raise MetricsError(
                f"The loader of {split!r} has no table: its dataset is of type "
                f"{type(loader.dataset).__name__!r}.",
                hint="give it a dataset of tlc.integration.super_gradients, or a table.",
            )
        context = self._context
        loaders = filter(None, (loader, context.train_loader, context.valid_loader))
        known = (getattr(_inner(each.dataset), "class_ids", None) for each in loaders)
        classes = next((each for each in known if each is not None), None)
        column = self._callback.label_column_name
        if column is None:
            column = getattr(_inner(loader.dataset), "label_column_name", None)
        return task_of(kind, table, column, classes)

    def _image_column(self, dataset: Any) -> str:
        name = self._callback.image_column_name
        inner = _inner(dataset)
        own: str = getattr(inner, "image_column_name", name)
        return name if name in Origin.of(dataset).table.columns else own


def _inner(dataset: Any) -> Any:
    """Return the dataset itself of a torch ``Subset`` of it."""
    return Origin.of(dataset).dataset


class CallbackCollector(MetricsCollector):
    """Collects what a callback computes of images and predictions.

    Args:
        callback: The callback.
        task: What it collects by default.
    """

    def __init__(self, callback: MetricsCollectionCallback, task: Task) -> None:
        super().__init__()
        self._callback = callback
        self._task = task
        self._length = -1

    @property
    def name(self) -> str:
        """Name of the callback."""
        return type(self._callback).__name__

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns of a batch.

        Raises:
            CollectorError: It was not made by a pipeline.
        """
        if not isinstance(predictor_output, PipelineOutput):
            raise CollectorError(f"{self.name} needs the output of a pipeline.")
        with self._callback.about(self._task, predictor_output):
            columns = dict(
                self._callback.compute_metrics(batch, predictor_output.forward, self._task.table)
            )
        if self._callback.collect_predictions is False:
            columns.pop(self._task.predictions, None)
        if predictor_output.features is not None:
            self._length = predictor_output.features.shape[1]
            columns[EMBEDDINGS] = np.asarray(predictor_output.features, np.float32)
        return columns

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of the columns, those of embeddings among them."""
        with self._callback.about(self._task, None):
            schemas = dict(self._callback.metrics_column_schemas(self._task.table))
        if self._length > 0:
            schemas[EMBEDDINGS] = EmbeddingSchema(
                shape=(self._length,), description="Pooled features of the model", writable=False
            )
        return schemas

    def new_aggregator(self) -> Aggregator:
        """Return the aggregates of the default columns, and means of all others."""
        return _Aggregators(self._task)


class _Aggregators(Aggregator):
    def __init__(self, task: Task) -> None:
        self._task = task
        self._own = task.collector.new_aggregator()
        self._means = MeanAggregator(skip=(EMBEDDINGS,))

    def aggregate_batch(
        self, computed_metrics: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None
    ) -> None:
        own = self._task.schemas.keys()
        columns = computed_metrics.items()
        self._own.aggregate_batch({k: v for k, v in columns if k in own}, schemas)
        self._means.aggregate_batch({k: v for k, v in columns if k not in own}, schemas)

    @property
    def aggregate_values(self) -> dict[str, float]:
        return {**self._own.aggregate_values, **self._means.aggregate_values}
