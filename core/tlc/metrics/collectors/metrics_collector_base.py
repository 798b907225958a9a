"""What every metrics collector is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from tlc.errors import CollectorError
from tlc.metrics.aggregators import Aggregator, MeanAggregator

if TYPE_CHECKING:
    from tlc.metrics.predictor import PredictorOutput
    from tlc.schemas import Schema

__all__ = ["MetricsCollector", "PreprocessFn"]

PreprocessFn: TypeAlias = Callable[[Any, Any], tuple[Any, Any]]
"""Gets batch and `PredictorOutput`; returns batch and predictions to use in their place."""


class MetricsCollector(ABC):
    """Turns a batch of samples and what a model made of it into columns of a metrics table.

    Override `compute_metrics` and, where the types of the values do not say it all,
    `column_schemas`. A collector keeps no state from batch to batch, apart from aggregates, which
    are kept for it.

    Args:
        preprocess_fn: Changes batch and predictions before they reach `compute_metrics`.
        compute_aggregates: Whether to average the columns over a collection.
    """

    # For subclasses whose __init__ does not call this one's.
    preprocess_fn: PreprocessFn | None = None
    compute_aggregates: bool = True
    _aggregator: Aggregator | None = None

    def __init__(
        self, *, preprocess_fn: PreprocessFn | None = None, compute_aggregates: bool = True
    ) -> None:
        self.preprocess_fn = preprocess_fn
        self.compute_aggregates = compute_aggregates

    def __call__(self, batch: Any, predictor_output: PredictorOutput | None) -> dict[str, Any]:
        """Return the metrics of a batch: `preprocess`, then `compute_metrics`."""
        return self.compute_metrics(*self.preprocess(batch, predictor_output))

    @abstractmethod
    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return column name to one value per sample: a tensor, an array or a list.

        Args:
            batch: The batch as it was loaded, not moved to the model's device.
            predictor_output: The `PredictorOutput` of the batch, or what `preprocess_fn` made of
                it; None if metrics are collected without a model.
        """

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """What the columns mean. Columns left out are inferred from their values.

        Asked for after the first batch, so it may depend on it.
        """
        return {}

    @property
    def name(self) -> str:
        """Name of the collector in messages."""
        return type(self).__name__

    def preprocess(self, batch: Any, predictor_output: Any) -> tuple[Any, Any]:
        """Return the batch and predictions that `compute_metrics` gets.

        Raises:
            CollectorError: The `preprocess_fn` did not return two things.
        """
        if self.preprocess_fn is None:
            return batch, predictor_output
        result = self.preprocess_fn(batch, predictor_output)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise CollectorError(
                f"The preprocess_fn of {self.name} returned {type(result).__name__!r}.",
                hint="return a tuple (batch, predictions).",
            )
        return result[0], result[1]

    def new_aggregator(self) -> Aggregator:
        """Return what aggregates the columns of one collection; override it for more than means."""
        return MeanAggregator()

    def start_aggregates(self) -> Aggregator | None:
        """Start afresh for a new collection; return the aggregator to feed, None if off."""
        self._aggregator = self.new_aggregator() if self.compute_aggregates else None
        return self._aggregator

    @property
    def aggregate_values(self) -> dict[str, float]:
        """Aggregates of the collection started last, such as ``accuracy_avg``; empty if off."""
        return {} if self._aggregator is None else self._aggregator.aggregate_values
