"""Detection: how well each true instance is met, and how that varies from epoch to epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.constants import EPOCH, EXAMPLE_ID
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.missed import as_lists, instance_counts, places_of, true_column
from tlc.dynamics.moments import Moments
from tlc.dynamics.scores import Scores
from tlc.errors import MetricsError
from tlc.format.plain import numbers_of
from tlc.metrics.collectors.instance_metrics_collector import IS_FALSE_NEGATIVE
from tlc.metrics.quality import match_stored
from tlc.schemas import Float32Schema, Int32Schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.dynamics.missed import Ints
    from tlc.run import Run
    from tlc.run.metrics_reader import MetricsPart


def matched_ious(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    column: str | None = None,
    threshold: float = 0.5,
) -> Scores:
    """Return how well each true instance was met by the prediction that matched it.

    A box whose IoU varies from epoch to epoch is one whose edges the model cannot settle. The
    predictions that are stored are matched anew, which takes as long as collecting the metrics did
    without the model. What is said of `missed_instances` about rows that have changed holds here.

    Args:
        run: The run; its metrics are those of `tlc.metrics.InstanceMetricsCollector`, with one
            epoch in each metrics table.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        column: The table's column of true instances; None for the first that the predictions fit.
        threshold: The least IoU of a match; of poses, the least object keypoint similarity.

    Returns:
        For each instance, as Arrow lists, null for rows without metrics or left out:
        `times_matched`, int32; `iou_mean` and `iou_variability`, float32, mean and standard
        deviation (divided by the number) of the IoU over the epochs with a match, NaN without any.
        Crowds count as never matched.

    Raises:
        ColumnNotFoundError: No metrics have `is_false_negative`, or the table has no such column.
        SchemaError: `column` holds no annotations.
        MetricsError: The epochs cannot be told, see `Epochs`; a metrics table holds several; or the
            table has no instances.
    """
    found = Epochs(run, table, [IS_FALSE_NEGATIVE], split=split, epochs=epochs, epoch=epoch)
    name = column or true_column(found.table, found.parts[0])
    counts = instance_counts(found.table, name)
    ious = Moments(int(counts.sum()))
    is_there, is_other = np.zeros((2, len(counts)), bool)
    for _, tables in found.tables():
        values = np.full(counts.sum(), np.nan)
        for part, read in tables:
            rows, lengths, overlaps = _overlaps(part, name, threshold)
            if len(rows) != len(read):
                raise MetricsError(
                    f"{part.metrics.url} holds several epochs.",
                    hint="collect metrics of each epoch by a call of its own.",
                )
            is_other[rows[lengths != counts[rows]]] = True
            places, fits = places_of(rows, lengths, counts)
            values[places[fits]] = overlaps[fits]
            is_there[rows] = True
        ious.add(values)
    known = is_there & ~is_other
    columns = {
        "times_matched": as_lists(ious.count, counts, known),
        "iou_mean": as_lists(ious.mean.astype(np.float32), counts, known),
        "iou_variability": as_lists(ious.std.astype(np.float32), counts, known),
    }
    schemas: dict[str, Any] = dict.fromkeys(columns, Float32Schema(shape=(-1,)))
    schemas["times_matched"] = Int32Schema(shape=(-1,))
    return Scores(found.table, columns, schemas, description=f"matched IoU of {run.name}")


def _overlaps(
    part: MetricsPart, column: str, threshold: float
) -> tuple[Ints, Ints, npt.NDArray[np.float64]]:
    """Return rows, their numbers of true instances, and the IoU of each with its match, or NaN."""
    matches = match_stored(
        part.metrics, part.table(), threshold, column=column, max_detections=None
    )
    offsets = matches.ground_truth.offsets
    lengths = np.diff(offsets)
    image = np.repeat(np.arange(len(lengths)), lengths)
    which = matches.prediction_of_truth[0]
    is_matched = (which >= 0) & ~matches.is_truth_ignored
    overlaps = np.full(len(which), np.nan)
    taken = (matches.predictions.offsets[image] + which)[is_matched]
    overlaps[is_matched] = matches.similarity[0, taken]
    rows = numbers_of(part.metrics.column(EXAMPLE_ID)).astype(np.int64)
    mapped = part.row_numbers()
    if mapped is None:
        return rows, lengths, overlaps
    rows = mapped[rows]
    return rows[rows >= 0], lengths[rows >= 0], overlaps[np.repeat(rows >= 0, lengths)]
