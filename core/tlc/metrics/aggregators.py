"""One number for a whole collection, made from its per-sample values batch by batch."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tlc.schemas import Schema

__all__ = ["Aggregator", "MeanAggregator"]


class Aggregator(ABC):
    """Takes the metrics of batch after batch and gives scalars for all of them."""

    @abstractmethod
    def aggregate_batch(
        self, computed_metrics: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None
    ) -> None:
        """Take in one batch.

        Args:
            computed_metrics: Column name to one value per sample: an array, or a list.
            schemas: What the columns mean, as far as known.
        """

    @property
    @abstractmethod
    def aggregate_values(self) -> dict[str, float]:
        """Name to value, for all batches so far."""


class MeanAggregator(Aggregator):
    """Means over all samples, named ``<column>_avg``.

    Every sample weighs the same, however the samples fell into batches. Averaged are columns of one
    number or boolean per sample; not images, strings, structs, vectors, embeddings, nor categories,
    whose ids are names; nor columns whose schema is not `computable`. A NaN, or a None among
    numbers, says "no value for this sample": it counts neither in the sum nor in the number of
    samples. A column with no value at all has no mean.

    Args:
        skip: Columns never to be averaged, beyond those that their values or schemas rule out.
    """

    SUFFIX = "avg"

    def __init__(self, skip: Container[str] = ()) -> None:
        self._skip = skip
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._averaged: dict[str, bool] = {}

    def aggregate_batch(
        self, computed_metrics: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None
    ) -> None:
        """Add the samples of one batch to the sums; see `Aggregator.aggregate_batch`."""
        known = schemas or {}
        with np.errstate(invalid="ignore"):  # inf - inf
            for name, values in computed_metrics.items():
                averaged = self._averaged.get(name)
                if averaged is None:
                    averaged = name not in self._skip and _has_mean(known.get(name))
                    self._averaged[name] = averaged
                if averaged and (numbers := _numbers(values)) is not None:
                    self._add(name, numbers)

    @property
    def aggregate_values(self) -> dict[str, float]:
        """``<column>_avg`` to the mean of the column so far."""
        return {
            f"{name}_{self.SUFFIX}": total / self._counts[name]
            for name, total in self._sums.items()
            if self._counts[name]
        }

    def _add(self, name: str, numbers: np.ndarray[Any, Any]) -> None:
        total = float(np.add.reduce(numbers, dtype=np.float64))
        if math.isnan(total):
            numbers = numbers[~np.isnan(numbers)]
            total = float(np.add.reduce(numbers, dtype=np.float64))
        self._sums[name] = self._sums.get(name, 0.0) + total
        self._counts[name] = self._counts.get(name, 0) + len(numbers)


def _has_mean(schema: Schema | None) -> bool:
    """Whether a schema allows a mean: it is not categorical, and not marked as not computable."""
    if schema is None:
        return True
    return schema.computable and (schema.value is None or schema.value.map is None)


def _numbers(values: Any) -> np.ndarray[Any, Any] | None:
    """Return one number per sample, or None if the values are not that."""
    if isinstance(values, np.ndarray):
        return values if values.ndim == 1 and values.dtype.kind in "biuf" else None
    if isinstance(values, Sequence) and all(v is None or isinstance(v, Real) for v in values):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return None
