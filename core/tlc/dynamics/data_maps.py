"""Dataset cartography: which samples are easy, hard or ambiguous."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tlc.constants import ACCURACY, EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.moments import Means, Moments
from tlc.dynamics.scores import Scores
from tlc.metrics.collectors.classification_metrics_collector import LABEL_PROB

if TYPE_CHECKING:
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run


def cartography(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    label_prob: str = LABEL_PROB,
    correct: str = ACCURACY,
) -> Scores:
    """Return how sure of its label each sample made the model, and how that varied.

    With the probability ``p_e`` of the label in each of E epochs: `confidence` is the mean of
    ``p_e``, `variability` its standard deviation (divisor E), and `correctness` the share of epochs
    in which the prediction was the label. Samples of high confidence and low variability are easy,
    of low confidence and low variability hard, often because their label is wrong, and of high
    variability ambiguous. Source: S. Swayamdipta et al., "Dataset Cartography: Mapping and
    Diagnosing Datasets with Training Dynamics", EMNLP 2020, section 2.1.

    An epoch counts for a row if it has both values there. Labels are those that the metrics were
    collected with.

    Args:
        run: The run.
        table: The table whose rows are meant; None for the one that the metrics are about. See
            `Epochs`, which explains the next three as well.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        label_prob: Metrics column with the probability of the label.
        correct: Metrics column that is 1 or true where the prediction is the label, and preferably
            NaN where there is no label.

    Returns:
        `confidence`, `variability` and `correctness`, float32, NaN for rows without metrics; and
        `cartography_epochs`, int32, the number of epochs that they are made of.

    Raises:
        ColumnNotFoundError: No metrics have these columns.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    found = Epochs(run, table, [label_prob, correct], split=split, epochs=epochs, epoch=epoch)
    rows = len(found.table)
    probability, hits = Moments(rows), Means(rows)
    for each in found:
        given, right = each.values[label_prob], each.values[correct]
        is_gone = np.isnan(given) | np.isnan(right)
        if is_gone.any():
            given, right = (np.where(is_gone, np.nan, values) for values in (given, right))
        probability.add(given)
        hits.add(right)
    columns = {
        "confidence": probability.mean.astype(np.float32),
        "variability": probability.std.astype(np.float32),
        "correctness": hits.mean.astype(np.float32),
        "cartography_epochs": probability.count,
    }
    return Scores(found.table, columns, description=f"cartography of {run.name}")
