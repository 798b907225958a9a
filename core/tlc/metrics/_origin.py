"""The rows of a table that the samples of a dataset come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import MetricsError
from tlc.metrics._tensors import to_array
from tlc.run.metrics_file import foreign_table
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from tlc.url import Url

__all__ = ["Origin"]


@dataclass(frozen=True)
class Origin:
    """Where the samples of a dataset come from.

    Attributes:
        dataset: The dataset; of a torch ``Subset`` of a table or view, however nested, the latter.
        rows: Row number of each sample; None if sample i is row i.
    """

    dataset: Any
    rows: np.ndarray[Any, Any] | None = None

    @classmethod
    def of(cls, dataset: Any) -> Origin:
        """Find the table or view that a dataset is, or is a subset of."""
        inner, picks = dataset, []
        while not isinstance(inner, (Table, TableView)):
            if not (hasattr(inner, "dataset") and hasattr(inner, "indices")):
                return cls(dataset)
            picks.append(to_array(inner.indices).astype(np.int64, copy=False))
            inner = inner.dataset
        if not picks:
            return cls(inner)
        rows = np.arange(len(inner))
        for pick in reversed(picks):
            rows = rows[pick]
        return cls(inner, rows)

    @property
    def table(self) -> Any:
        """The table behind a view, else the dataset."""
        return self.dataset.source if isinstance(self.dataset, TableView) else self.dataset

    def row_numbers(self, indices: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the rows that samples come from."""
        return indices if self.rows is None else self.rows[indices]

    def url(self, given: Url | str | None) -> Url | str:
        """Return the url of the table that row numbers refer to.

        Args:
            given: The url, if it is not that of the dataset.

        Raises:
            MetricsError: None is given and the dataset has none, or the table at the given one has
                another number of rows than the dataset.
        """
        if given is not None:
            self._check_length(given)
            return given
        own: Url | str | None = getattr(self.dataset, "url", None)
        if own is None:
            raise MetricsError(
                f"An object of type {type(self.dataset).__name__!r} has no url that metrics could"
                " refer to.",
                hint="pass foreign_table_url=table.url of the table whose row i is sample i.",
            )
        return own

    def _check_length(self, given: Url | str) -> None:
        table = foreign_table(given)
        if table is None or not hasattr(self.dataset, "__len__"):
            return
        if (count := len(self.dataset)) != (expected := table.row_count):
            raise MetricsError(
                f"The dataset has {count} samples, but the table {table.url} has {expected} rows:"
                " metrics would be told of the wrong rows.",
                hint="give a dataset whose sample i is row i of the table, or a table, a view or a"
                " torch Subset of them, without foreign_table_url.",
            )
