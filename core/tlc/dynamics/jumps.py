"""How far the metrics of each sample move from one epoch to the next."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tlc.constants import EPOCH, EXAMPLE_ID
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.scores import Scores
from tlc.errors import ColumnError, MetricsError, OptionError
from tlc.schemas import Float32Schema
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tlc.dynamics.epochs import AnyTable
    from tlc.dynamics.vectors import Vectors
    from tlc.run import Run

__all__ = ["JumpDistance", "MetricJumps", "metric_jumps"]

JumpDistance: TypeAlias = str | Callable[[Any, Any], Any]
"""``"euclidean"`` (``"l2"`` is the same), ``"l1"``, ``"cosine"``, or a function of two arrays of
shape ``(n, d)`` that returns one of shape ``(n,)``."""


class MetricJumps(Scores):
    """What `metric_jumps` returns: scores of rows, and the times between which they are.

    Args:
        table: The table whose rows are meant.
        metric: The metric.
        jumps: float32 of shape ``(len(table), len(times) - 1)``.
        times: When the metric was stored, ascending.
        temporal: The column that tells it.

    Attributes:
        metric: The metric.
        times: When it was stored, ascending: jump i leads from time i to time i + 1.
        temporal: The column that tells it.
    """

    def __init__(
        self, table: Table, metric: str, jumps: Vectors, times: Sequence[float], temporal: str
    ) -> None:
        count = (~np.isnan(jumps)).sum(axis=1)
        total = np.nansum(jumps, axis=1)
        mean = np.divide(total, count, out=np.full(len(jumps), np.nan), where=count > 0)
        largest = np.where(np.isnan(jumps), -np.inf, jumps).max(axis=1)
        columns = {
            f"{metric}_jumps": jumps,
            f"{metric}_jump_mean": mean.astype(np.float32),
            f"{metric}_jump_max": np.where(count > 0, largest, np.nan).astype(np.float32),
        }
        super().__init__(table, columns, description=f"jumps of {metric} from {temporal} to next")
        self.metric, self.times, self.temporal = metric, list(times), temporal

    def add_to_run(self, run: Run, *, split: str = "") -> Table:
        """Write a metrics table with a row for each jump, joined to the table's rows.

        Its columns are ``example_id``, the temporal one with the time that the jump led to, and
        ``<metric>_jump``. Where a row lacks the metric there is no jump.
        """
        jumps = self[f"{self.metric}_jumps"]
        steps, rows = np.nonzero(~np.isnan(jumps.T))
        times = np.asarray(self.times[1:])
        is_whole = bool((times == np.floor(times)).all())
        name = f"{self.metric}_jump"
        schema = Float32Schema(
            display_name=name,
            description=f"Jump in {self.metric} from the previous {self.temporal}",
            writable=False,
        )
        columns = {
            EXAMPLE_ID: rows,
            self.temporal: (times.astype(np.int64) if is_whole else times)[steps],
            name: jumps[rows, steps],
        }
        (info,) = run.add_metrics(columns, {name: schema}, self.table, split=split)
        return Table.from_url(run.url / info["url"])


def metric_jumps(
    run: Run,
    metric: str,
    *,
    table: AnyTable | None = None,
    split: str | None = None,
    temporal: str = EPOCH,
    distance: JumpDistance = "euclidean",
) -> MetricJumps:
    """Return how far a metric of each row moved from each stored epoch to the next.

    Samples whose embedding or loss still jumps late in training are those that the model has not
    settled on. Two epochs are in memory at a time.

    Args:
        run: The run.
        metric: A metrics column of numbers or vectors, such as ``"loss"`` or ``"embeddings_12"``.
        table: The table whose rows are meant; None if the metric is about one table only.
        split: Only metrics that were collected with this split.
        temporal: The column that tells when; without it each metrics table is a time of its own.
        distance: How far two values are apart: ``"euclidean"`` or ``"l2"``, ``"l1"``, ``"cosine"``
            (``1 - cos``; NaN for zeros), or a function of two arrays of shape ``(n, d)``.

    Returns:
        ``<metric>_jumps``: float32 of shape ``(rows, times - 1)``, NaN where one of the two values
        is missing, or both are infinite; ``<metric>_jump_mean`` and ``<metric>_jump_max`` of those
        that there are.

    Raises:
        ColumnNotFoundError: No metrics about the table have that column.
        MetricsError: It was stored once only; or metrics of several tables have it.
        ColumnError: It holds neither numbers nor vectors, or some of different lengths.
        OptionError: There is no such distance, or the function returns another shape.
    """
    between = _DISTANCES.get(distance) if isinstance(distance, str) else distance
    if between is None:
        raise OptionError(
            f"There is no distance {distance!r}.",
            hint=f"use one of {', '.join(map(repr, _DISTANCES))}, or a function.",
        )
    stored = Epochs(run, table, [metric], split=split, epoch=temporal, vectors=True)
    times: list[float] = []
    jumps: list[Vectors] = []
    for before, after in pairwise(stored):
        times = times or [before.number]
        times.append(after.number)
        jumps.append(_jumps(before.values[metric], after.values[metric], between))
    if not jumps:
        raise MetricsError(
            f"{metric!r} of {run.url} was stored once only, so nothing jumps.",
            hint=f"collect metrics in several epochs, with a column {temporal!r}.",
        )
    return MetricJumps(stored.table, metric, np.stack(jumps, axis=1), times, temporal)


def _jumps(before: Vectors, after: Vectors, between: Callable[[Any, Any], Any]) -> Vectors:
    found = np.full(len(before), np.nan, np.float32)
    lengths = before.shape[1], after.shape[1]
    if 0 in lengths:  # all vectors of an epoch are missing
        return found
    if before.shape != after.shape:
        raise ColumnError(
            f"Vectors of lengths {lengths[0]} and {lengths[1]} are not compared.",
            hint="choose metrics of one model with split=, or another column.",
        )
    there = np.flatnonzero(~(np.isnan(before) | np.isnan(after)).any(axis=1))
    with np.errstate(invalid="ignore"):  # infinities, such as losses
        moved = np.asarray(between(before[there], after[there]))
    if moved.shape != there.shape:
        raise OptionError(
            f"The distance of {len(there)} pairs has shape {moved.shape}.",
            hint="return one number per pair.",
        )
    found[there] = moved
    return found


def _euclidean(before: Vectors, after: Vectors) -> Any:
    return np.linalg.norm(after - before, axis=1)


def _l1(before: Vectors, after: Vectors) -> Any:
    return np.abs(after - before).sum(axis=1)


def _cosine(before: Vectors, after: Vectors) -> npt.NDArray[np.float64]:
    product = np.einsum("ij,ij->i", before, after, dtype=float)
    lengths = np.linalg.norm(before.astype(float), axis=1) * np.linalg.norm(
        after.astype(float), axis=1
    )
    return 1 - np.divide(product, lengths, out=np.full(len(product), np.nan), where=lengths > 0)


_DISTANCES: dict[str, Callable[[Any, Any], Any]] = {
    "euclidean": _euclidean,
    "l2": _euclidean,
    "l1": _l1,
    "cosine": _cosine,
}
