"""Collectors of what validators predict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tlc.constants import PREDICTED
from tlc.metrics import (
    ClassificationMetricsCollector,
    InstanceMetricsCollector,
    MetricsCollector,
)
from tlc.schemas import EmbeddingSchema, Float32Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from tlc.integration.ultralytics.settings import Settings
    from tlc.integration.ultralytics.split import Split
    from tlc.schemas import Schema


@dataclass
class Seen:
    """A batch and what came of it.

    Attributes:
        preds: What ``postprocess`` returned.
        batch: The batch.
        kept: Positions in it of the images that are collected.
        annotations: What was predicted for each image of the batch.
        logits: Of a classifier, shape (images, classes).
        columns: Further columns, with one value for each image of the batch.
    """

    preds: Any
    batch: Any
    kept: np.ndarray[Any, Any]
    annotations: list[Any] = field(default_factory=list)
    logits: Any = None
    columns: dict[str, Any] = field(default_factory=dict)


def collectors_of(split: Split, settings: Settings) -> list[MetricsCollector]:
    """Return collectors of a split: they get `Seen` as the output of the model."""
    made: list[MetricsCollector] = []
    if split.task == "classify":
        made.append(_Classes(split))
    else:
        made.append(
            InstanceMetricsCollector(split.table, split.label_column, preprocess_fn=_instances)
        )
    if settings.image_embeddings_dim or settings.collect_loss:
        made.append(_Columns())
    if settings.metrics_collection_function is not None:
        made.append(_Own(settings.metrics_collection_function, settings.metrics_schemas or {}))
    return made


def _instances(batch: Any, output: Any) -> tuple[Any, Any]:
    seen = output.forward
    return batch, [seen.annotations[number] for number in seen.kept]


class _Classes(ClassificationMetricsCollector):
    """Predicted classes, as ids of the table."""

    def __init__(self, split: Split) -> None:
        super().__init__(split.classes)
        self._ids = split.ids

    def preprocess(self, batch: Any, predictor_output: Any) -> tuple[Any, Any]:
        """Return labels and logits of the images that are collected."""
        seen = predictor_output.forward
        kept = seen.kept.tolist()
        return {"label": batch["cls"][kept]}, seen.logits[kept]

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns, with ids in place of indices."""
        columns = super().compute_metrics(batch, predictor_output)
        return {**columns, PREDICTED: self._ids[columns[PREDICTED]]}


class _Columns(MetricsCollector):
    """Columns that were computed on the way: embeddings and losses."""

    @property
    def column_schemas(self) -> dict[str, Schema]:
        return self._schemas

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns."""
        seen = predictor_output.forward
        columns = {name: each[seen.kept] for name, each in seen.columns.items()}
        self._schemas: dict[str, Schema] = {
            name: EmbeddingSchema(shape=each.shape[1:])
            if each.ndim > 1
            else Float32Schema(writable=False)
            for name, each in columns.items()
        }
        return columns


class _Own(MetricsCollector):
    """Columns of a function of the user's own."""

    def __init__(self, function: Any, schemas: Mapping[str, Schema]) -> None:
        super().__init__()
        self._function = function
        self._schemas = dict(schemas)

    @property
    def name(self) -> str:
        """Name of the function."""
        return f"metrics_collection_function {getattr(self._function, '__name__', '')}".strip()

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """What the columns mean, as given."""
        return self._schemas

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return what the function returns, for the images that are collected."""
        seen = predictor_output.forward
        columns: dict[str, Any] = self._function(seen.preds, seen.batch)
        if len(seen.kept) == len(batch["img"]):
            return columns
        return {name: [each[number] for number in seen.kept] for name, each in columns.items()}
