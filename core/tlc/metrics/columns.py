"""From what a collector returns to columns with one value per sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from tlc.errors import CollectorError
from tlc.metrics._tensors import is_tensor, plain, to_array

__all__ = ["Column", "as_columns"]

Column: TypeAlias = np.ndarray[Any, Any] | list[Any]
"""One value per sample: an array whose first dimension is the batch, or a list."""


def as_columns(metrics: Any, *, count: int, collector: str) -> dict[str, Column]:
    """Return the metrics of a batch as arrays and lists on the CPU that share no memory with them.

    Args:
        metrics: What a collector returned: column name to a tensor, an array, or a list.
        count: Number of samples in the batch.
        collector: Name of the collector, for messages.

    Raises:
        CollectorError: It is not a dict with string keys, or some column does not have one value
            per sample.
    """
    if not isinstance(metrics, Mapping):
        raise CollectorError(
            f"{collector} returned {type(metrics).__name__!r}.",
            hint="return a dict of column name to one value per sample.",
        )
    columns = {}
    for name, values in metrics.items():
        if not isinstance(name, str):
            raise CollectorError(f"{collector} returned a column called {name!r}, not a string.")
        column = columns[name] = _column(values, name, collector)
        if (got := len(column)) != count:
            raise CollectorError(
                f"{collector} returned {got} values for column {name!r}, expected {count}:"
                " one for each sample of the batch.",
            )
    return columns


def _column(values: Any, name: str, collector: str) -> Column:
    if isinstance(values, (list, tuple)):
        return [plain(value) for value in values]
    if isinstance(values, np.ndarray) or is_tensor(values) or hasattr(values, "__array__"):
        array = to_array(values)
        if array.ndim:
            return array.tolist() if array.dtype.kind in "OUS" else array
        raise CollectorError(
            f"{collector} returned a single number for column {name!r}.",
            hint="do not reduce over the batch: for a loss, use reduction='none'.",
        )
    raise CollectorError(
        f"{collector} returned a value of type {type(values).__name__!r} for column {name!r}.",
        hint="give a tensor, an array or a list with one value per sample.",
    )
