"""The suite that every metrics collector must pass."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tlc.metrics.columns import Column, as_columns

if TYPE_CHECKING:
    from tlc.metrics import MetricsCollector

__all__ = ["CollectorContract"]


class CollectorContract:
    """What a collector promises. Inherit, and give the three fixtures that raise here.

    The batch needs at least two samples, and all columns that the collector has schemas for.
    """

    @pytest.fixture
    def collector(self) -> MetricsCollector:
        """A new collector."""
        raise NotImplementedError

    @pytest.fixture
    def batch(self) -> Any:
        """A batch of at least two samples."""
        raise NotImplementedError

    @pytest.fixture
    def predictor_output(self) -> Any:
        """The `PredictorOutput` of the batch, or None if the collector needs none."""
        raise NotImplementedError

    @pytest.fixture
    def sample_count(self, batch: Any) -> int:
        """Number of samples in the batch: the length of its first value, unless overridden."""
        if isinstance(batch, Mapping):
            return len(next(iter(batch.values())))
        return len(batch[0]) if isinstance(batch, (tuple, list)) else len(batch)

    @pytest.fixture
    def columns(
        self, collector: MetricsCollector, batch: Any, predictor_output: Any, sample_count: int
    ) -> dict[str, Column]:
        """What the collector gives for the batch, as a `Collection` sees it."""
        metrics = collector(batch, predictor_output)
        return as_columns(metrics, count=sample_count, collector=collector.name)

    def test_every_column_has_one_value_per_sample(
        self, columns: dict[str, Column], sample_count: int
    ) -> None:
        """The columns exist, and are as long as the batch."""
        assert columns
        assert {name: len(values) for name, values in columns.items()} == dict.fromkeys(
            columns, sample_count
        )

    def test_values_are_on_the_cpu(self, columns: dict[str, Column]) -> None:
        """No tensor is left in any column, not even inside a list or dict."""
        assert [name for name, values in columns.items() if _holds_tensors(values)] == []

    def test_schemas_describe_columns(
        self, collector: MetricsCollector, columns: dict[str, Column]
    ) -> None:
        """There is no schema without a column."""
        assert set(collector.column_schemas) <= set(columns)

    def test_batches_do_not_influence_each_other(
        self,
        collector: MetricsCollector,
        batch: Any,
        predictor_output: Any,
        columns: dict[str, Column],
        sample_count: int,
    ) -> None:
        """The same batch gives the same values again."""
        again = as_columns(
            collector(batch, predictor_output), count=sample_count, collector=collector.name
        )
        assert _plain(again) == _plain(columns)

    def test_a_pickled_collector_gives_the_same(
        self,
        collector: MetricsCollector,
        batch: Any,
        predictor_output: Any,
        columns: dict[str, Column],
        sample_count: int,
    ) -> None:
        """A collector can travel to another process."""
        copy = pickle.loads(pickle.dumps(collector))
        metrics = as_columns(copy(batch, predictor_output), count=sample_count, collector=copy.name)
        assert _plain(metrics) == _plain(columns)

    def test_aggregates_weigh_samples_equally(
        self, collector: MetricsCollector, columns: dict[str, Column]
    ) -> None:
        """A mean is that of all samples, though they come in batches of different sizes."""
        aggregator = collector.start_aggregates()
        if aggregator is None:
            assert collector.aggregate_values == {}
            return
        for part in (slice(0, 1), slice(1, None)):
            cut = {name: values[part] for name, values in columns.items()}
            aggregator.aggregate_batch(cut, collector.column_schemas)
        means = {k.removesuffix("_avg"): v for k, v in collector.aggregate_values.items()}
        expected = {name: np.nanmean(np.asarray(columns[name], dtype=float)) for name in means}
        assert means == pytest.approx(expected)


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_tensors, value.values()))
    if isinstance(value, (list, tuple)):
        return any(map(_holds_tensors, value))
    return type(value).__module__.partition(".")[0] == "torch"


def _plain(columns: dict[str, Column]) -> dict[str, list[str]]:
    """Return the columns in a form that compares, NaN included."""
    return {name: [_text(value) for value in values] for name, values in columns.items()}


def _text(value: Any) -> str:
    if hasattr(value, "tobytes") and not isinstance(value, (int, float)):
        return (
            f"{getattr(value, 'shape', None) or getattr(value, 'size', None)} {value.tobytes()!r}"
        )
    return repr(value)
