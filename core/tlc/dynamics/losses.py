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
        epoch; `loss_change`, last minus first; `best_epoch`, the first of the least loss. NaN for
        rows without metrics. And `loss_epochs`, int32, the number of epochs that they are made of.

    Raises:
        ColumnNotFoundError: No metrics have this column.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    found = Epochs(run, table, [loss], split=split, epochs=epochs, epoch=epoch)
    course = _Course(len(found.table), found.numbers[0])
    for each in found:
        course.add(each.number, each.values[loss])
    columns = {
        name: values if values.dtype == np.int32 else values.astype(np.float32)
        for name, values in course.columns().items()
    }
    return Scores(found.table, columns, description=f"loss trajectory of {run.name}")


class _Course:
    """Sums over the epochs so far, counted from the first so that they stay small."""

    def __init__(self, rows: int, start: float) -> None:
        self._start = start
        self._count = np.zeros(rows, np.int32)
        self._e, self._ee, self._l, self._el, self._area = np.zeros((5, rows))
        self._first, self._last, self._when, self._best, self._least = np.full((5, rows), np.nan)

    def add(self, number: float, losses: npt.NDArray[Any]) -> None:
        """Take in the loss, or NaN, of each row in one epoch."""
        at = number - self._start
        is_there = ~np.isnan(losses)
        known = np.where(is_there, losses, 0.0)
        before = is_there & (self._count > 0)
        width = np.where(before, at - self._when, 0.0)
        self._area += width * np.where(before, (known + self._last) / 2, 0.0)
        self._first = np.where(is_there & (self._count == 0), losses, self._first)
        is_best = is_there & ~(losses >= self._least)
        self._best[is_best], self._least[is_best] = number, losses[is_best]
        self._last = np.where(is_there, losses, self._last)
        self._when = np.where(is_there, at, self._when)
        self._count += is_there
        self._e += at * is_there
        self._ee += at * at * is_there
        self._l += known
        with np.errstate(invalid="ignore"):  # infinite losses
            self._el += at * known

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return what the losses come to."""
        n = self._count
        has_metrics = n > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            slope: Floats = (n * self._el - self._e * self._l) / (n * self._ee - self._e**2)
            mean = self._l / n
        return {
            "loss_mean": mean,
            "loss_slope": np.where(n > 1, slope, np.nan),
            "loss_area": np.where(has_metrics, self._area, np.nan),
            "loss_change": self._last - self._first,
            "best_epoch": self._best,
            "loss_epochs": n,
        }
