"""A function as a metrics collector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlc.metrics.collectors.metrics_collector_base import MetricsCollector, PreprocessFn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.schemas import Schema

__all__ = ["FunctionalMetricsCollector"]


class FunctionalMetricsCollector(MetricsCollector):
    """Collects what a function returns.

    Args:
        collection_fn: Gets the batch and the `PredictorOutput`, and returns column name to one
            value per sample.
        schema: What the columns mean. Columns left out are inferred from their values.
        compute_aggregates: Whether to average the columns over a collection.
        preprocess_fn: Changes batch and predictions before they reach the function.
        column_schemas: Older name of `schema`; both are used if both are given.
    """

    def __init__(
        self,
        collection_fn: Callable[[Any, Any], dict[str, Any]],
        schema: Mapping[str, Schema] | None = None,
        compute_aggregates: bool = True,
        preprocess_fn: PreprocessFn | None = None,
        *,
        column_schemas: Mapping[str, Schema] | None = None,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self.collection_fn = collection_fn
        self._name = _name(collection_fn)
        self._column_schemas = {**(column_schemas or {}), **(schema or {})}

    @property
    def name(self) -> str:
        """Name of the function; of a lambda, the file and line too."""
        return self._name

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """What the columns mean, as given."""
        return dict(self._column_schemas)

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return what the function returns."""
        return self.collection_fn(batch, predictor_output)


def _name(function: Callable[..., Any]) -> str:
    if getattr(function, "__name__", "") == "<lambda>" and hasattr(function, "__code__"):
        code = function.__code__
        return f"<lambda> ({Path(code.co_filename).name}:{code.co_firstlineno})"
    return getattr(function, "__qualname__", type(function).__name__)
