"""Forgetting events: samples that the model had right, and then wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tlc.constants import ACCURACY, EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.scores import Scores

if TYPE_CHECKING:
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run


def forgetting(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    correct: str = ACCURACY,
) -> Scores:
    """Return how often each sample was learnt and forgotten again.

    A sample is forgotten when it is wrong in an epoch and was right in the one before. It is
    unforgettable if it was learnt and never forgotten. Samples that were never learnt have no
    forgetting event; rank them with the most forgotten ones. Source: M. Toneva et al., "An
    Empirical Study of Example Forgetting during Deep Neural Network Learning", ICLR 2019, section
    3.

    The paper looks at a sample whenever it is in a batch; here it is looked at when metrics are
    collected. Epochs in which a row has no value are passed over: the one before is then the last
    that has one.

    Args:
        run: The run.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        correct: Metrics column that is 1 or true where the prediction is the label, and preferably
            NaN where there is no label; ``"correct"`` is false there.

    Returns:
        `forgetting_events`, float32, NaN for rows without metrics; `first_learnt`, float64, the
        first epoch in which the prediction was right, or NaN; `never_learnt` and `unforgettable`,
        bool, false for rows without metrics; and `forgetting_epochs`, int32, the number of epochs
        that they are made of.

    Raises:
        ColumnNotFoundError: No metrics have this column.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    found = Epochs(run, table, [correct], split=split, epochs=epochs, epoch=epoch)
    rows = len(found.table)
    count, events = np.zeros((2, rows), np.int32)
    first = np.full(rows, np.nan)
    was_right = np.zeros(rows, bool)
    for each in found:
        values = each.values[correct]
        is_there, is_right = ~np.isnan(values), values > 0
        count += is_there
        events += was_right & is_there & ~is_right
        first[is_right & np.isnan(first)] = each.number
        was_right = np.where(is_there, is_right, was_right)
    has_metrics, is_learnt = count > 0, ~np.isnan(first)
    columns = {
        "forgetting_events": np.where(has_metrics, events, np.nan).astype(np.float32),
        "first_learnt": first,
        "never_learnt": has_metrics & ~is_learnt,
        "unforgettable": is_learnt & (events == 0),
        "forgetting_epochs": count,
    }
    return Scores(found.table, columns, description=f"forgetting of {run.name}")
