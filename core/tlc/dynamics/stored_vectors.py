"""Vectors that a run has stored of the rows of a table, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlc.constants import EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.metrics_parts import piece_of
from tlc.errors import ColumnError, MetricsError

if TYPE_CHECKING:
    from tlc.dynamics.epochs import AnyTable
    from tlc.dynamics.vectors import Vectors
    from tlc.run import Run

__all__ = ["StoredVectors"]


class StoredVectors(Epochs):
    """A column of numbers or vectors in the metrics about a table; one epoch is read at a time.

    Args:
        run: The run.
        column: The column.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epoch: Metrics column, or constant, with the number of the epoch; see `Epochs`.

    Attributes:
        column: The column.

    Raises:
        ColumnNotFoundError: No metrics have that column.
        MetricsError: The metrics are about several tables, or about no row of `table`; or only some
            have an epoch.
        ObjectNotFoundError: The table that the metrics are about is no longer there.
    """

    def __init__(
        self,
        run: Run,
        column: str,
        table: AnyTable | None = None,
        split: str | None = None,
        epoch: str = EPOCH,
    ) -> None:
        super().__init__(run, table, [column], split=split, epoch=epoch, vectors=True)
        self.column = column
        self._is_numbered = any(
            epoch in part.info.constants or epoch in part.metrics.columns for part in self.parts
        )

    def at(self, number: float | None = None) -> Vectors:
        """Return the vectors of one epoch; of several of one row the one that was written last.

        Args:
            number: One of `numbers`. None for the last one; if metrics have no epochs, for what was
                written last of each row.

        Returns:
            Shape ``(len(table), d)``; NaN in rows without a vector.

        Raises:
            MetricsError: There is no such epoch, or nothing of it can be read.
            ColumnError: The column holds no vectors, or some of different lengths.
        """
        if number is not None and number not in self.numbers:
            raise MetricsError(
                f"Nothing of {self.column!r} was stored in epoch {number:g}.",
                hint=f"there are {', '.join(f'{each:g}' for each in self.numbers)}.",
            )
        chosen = self.numbers if number is None else [number]
        if number is None and self._is_numbered:
            chosen = self.numbers[-1:]
        pieces = [
            piece_of(read, [self.column], part, vectors=True)
            for _, tables in self._tables(chosen)
            for part, read in tables
        ]
        vectors: Vectors = self._dense(pieces, self.column)
        if not vectors.shape[1]:
            raise ColumnError(
                f"There are no vectors in column {self.column!r} of {self.table.url}."
            )
        return vectors
