"""Scores that are the mean over epochs of one number: the margin, and the error vector's length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tlc.constants import EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.moments import Means
from tlc.dynamics.scores import Scores
from tlc.metrics.collectors.classification_metrics_collector import (
    EL2N,
    LABEL_LOGIT,
    MAX_OTHER_LOGIT,
)

if TYPE_CHECKING:
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run


def aum(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
) -> Scores:
    """Return the area under the margin: low where other classes pull harder than the label.

    With the logits ``z`` of each of T epochs: ``1/T sum_t (z[label] - max of z[others])``. A sample
    with a wrong label is pulled to its true class by samples like it, so its margin is small or
    negative. Source: G. Pleiss et al., "Identifying Mislabeled Data using the Area Under the Margin
    Ranking", NeurIPS 2020, equations 1 and 2.

    The paper takes the margins at the training steps themselves; here they are those that were
    collected, usually after each epoch. Its threshold samples are not needed to rank, and are not
    built here.

    Args:
        run: The run; its metrics must have `label_logit` and `max_other_logit`.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all. The paper stops
            before the learning rate is lowered.
        epoch: Column, or constant, with the number of the epoch.

    Returns:
        `aum`, float32, in logits, NaN for rows without metrics; and `aum_epochs`, int32, the number
        of epochs that it is made of.

    Raises:
        ColumnNotFoundError: No metrics have these columns.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    names = [LABEL_LOGIT, MAX_OTHER_LOGIT]
    found = Epochs(run, table, names, split=split, epochs=epochs, epoch=epoch)
    margins = Means(len(found.table))
    for each in found:
        margins.add(each.values[LABEL_LOGIT] - each.values[MAX_OTHER_LOGIT])
    return _scores("aum", margins, found, f"area under the margin of {run.name}")


def el2n(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = 10,
    epoch: str = EPOCH,
) -> Scores:
    """Return the length of the error vector early in training: high for important or wrong samples.

    That is the Euclidean norm of ``p - onehot(label)``, with the probabilities ``p`` of all
    classes. Source: M. Paul et al., "Deep Learning on a Data Diet: Finding Important Examples Early
    in Training", NeurIPS 2021, definition 2.3.

    The paper averages over several trainings at one early epoch. One run is one training, so the
    mean is over its first epochs instead; of several runs, average the results.

    Args:
        run: The run; its metrics must have `el2n`, which cannot be computed from the other columns
            of `ClassificationMetricsCollector`.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.

    Returns:
        `el2n`, float32, from 0 to the square root of 2, NaN for rows without metrics; and
        `el2n_epochs`, int32, the number of epochs that it is made of.

    Raises:
        ColumnNotFoundError: No metrics have this column.
        MetricsError: The epochs cannot be told; see `Epochs`.
    """
    found = Epochs(run, table, [EL2N], split=split, epochs=epochs, epoch=epoch)
    lengths = Means(len(found.table))
    for each in found:
        lengths.add(each.values[EL2N])
    return _scores("el2n", lengths, found, f"EL2N of {run.name}")


def _scores(name: str, means: Means, found: Epochs, description: str) -> Scores:
    columns = {name: means.mean.astype(np.float32), f"{name}_epochs": means.count}
    return Scores(found.table, columns, description=description)
