"""The course of the loss of each sample over the epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EPOCH, LOSS
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.scores import Scores

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.dynamics.epochs import Floats
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run


def loss_trajectory(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    loss: str = LOSS,
) -> Scores:
    """Return what the course of each sample's loss comes to.

    The slope is that of the straight line with the least squares over the numbers of the epochs:
    ``cov(e, l) / var(e)``. The area is that below the straight pieces between neighbouring epochs
    (trapezoidal rule). Each row's own epochs count, so rows may have been collected in different
    ones.

    Args:
        run: The run.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        loss: Metrics column, which may be any that falls or rises.

    Returns:
        float32: `loss_mean`; `loss_slope`, per epoch, NaN below two epochs; `loss_area`, 0 of one
        epoch; `loss_change`, last minus first. float64: `best_epoch`, the first of the least loss.
        NaN for rows without metrics. And `loss_epochs`, int32, the number of epochs that they are
        made of.

    Raises:
        ColumnNotFoundError: No metrics have this column.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    found = Epochs(run, table, [loss], split=split, epochs=epochs, epoch=epoch)
    course = _Course(len(found.table))
    for each in found:
        course.add(each.number, each.values[loss])
    return Scores(found.table, course.columns(), description=f"loss trajectory of {run.name}")


class _Course:
    """What the epochs so far come to, of each row.

    Squares and products are of deviations from the mean, updated as in Welford (1962), see
    `Moments`: those of late epochs themselves would cancel out.
    """

    def __init__(self, rows: int) -> None:
        self._count = np.zeros(rows, np.int32)
        self._epoch, self._total, self._squares, self._products, self._area = np.zeros((5, rows))
        self._first, self._last, self._when, self._best, self._least = np.full((5, rows), np.nan)

    def add(self, number: float, losses: npt.NDArray[Any]) -> None:
        """Take in the loss, or NaN, of each row in one epoch."""
        is_there = ~np.isnan(losses)
        known = np.where(is_there, losses, 0.0)
        before = is_there & (self._count > 0)
        width = np.where(before, number - self._when, 0.0)
        self._first = np.where(is_there & (self._count == 0), losses, self._first)
        is_best = is_there & ~(losses >= self._least)
        self._best[is_best], self._least[is_best] = number, losses[is_best]
        self._count += is_there
        with np.errstate(invalid="ignore"):  # infinite losses
            self._total += known
            self._area += width * np.where(before, (known + self._last) / 2, 0.0)
            self._fit(number, known, is_there)
        self._last = np.where(is_there, losses, self._last)
        self._when = np.where(is_there, number, self._when)

    def _fit(self, number: float, known: npt.NDArray[Any], is_there: npt.NDArray[np.bool_]) -> None:
        count = np.maximum(self._count, 1)
        away = np.where(is_there, number - self._epoch, 0.0)
        self._epoch += away / count
        self._squares += away * (number - self._epoch)
        self._products += away * (known - self._total / count)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the losses come to."""
        n = self._count
        with np.errstate(invalid="ignore", divide="ignore"):
            slope: Floats = self._products / self._squares  # 0 / 0 of a single epoch
            found: dict[str, Floats] = {
                "loss_mean": self._total / n,
                "loss_slope": slope,
                "loss_area": np.where(n > 0, self._area, np.nan),
                "loss_change": self._last - self._first,
            }
        columns: dict[str, npt.NDArray[Any]] = {k: v.astype(np.float32) for k, v in found.items()}
        return {**columns, "best_epoch": self._best, "loss_epochs": n}
