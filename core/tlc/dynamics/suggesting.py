"""From stored metrics to proposals: other labels, and samples to leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tlc.constants import EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.evidence import COLUMNS, check_labels, evidence
from tlc.dynamics.labels import collected_labels, label_column, labels_of
from tlc.dynamics.suggestions import Suggestions

if TYPE_CHECKING:
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run


def suggest(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    label: str | None = None,
    doubtful: float = 0.5,
    sure: float = 0.6,
) -> Suggestions:
    """Propose what to do about labels that the model never came to believe. Nothing is changed.

    A network learns what samples have in common before it learns single wrong labels by heart, so a
    wrong label stays improbable for some epochs. A row is proposed if the mean probability of its
    label over the epochs, the `confidence` of `cartography`, is below `doubtful`, and another class
    has the greatest sum of confidences of the predictions. If that sum by the number of epochs, the
    least that the mean probability of that class can be, is above `sure`, the label is to become
    that class; else the weight is to become 0.

    Rows whose label was edited after the metrics were collected are left out.

    Args:
        run: The run; its metrics must have `label_prob`, `predicted` and `confidence`.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split, such as ``"train"``.
        epochs: How many epochs, from the first, or a slice of them; None for those after the first
            quarter, in which predictions say little yet.
        epoch: Column, or constant, with the number of the epoch.
        label: The table's column of labels, which are class numbers of the model; None for the one
            that its schema tells.
        doubtful: Labels of a lower mean probability are doubtful.
        sure: A class of a higher mean probability is proposed.

    Raises:
        ColumnNotFoundError: Metrics or table do not have a column.
        ColumnError: The table's labels are not whole numbers.
        MetricsError: The epochs cannot be told, see `Epochs`; or the labels are not class numbers
            of the model.
    """
    found = Epochs(run, table, COLUMNS, split=split, epochs=epochs, epoch=epoch)
    if epochs is None:
        found.numbers = found.numbers[len(found.numbers) // 4 :]
    name = label_column(found.table, label)
    labels = collected_labels(found.parts, found.table, name)
    seen = evidence(found)
    check_labels(seen, labels, f"column {name!r} of {found.table.url}")
    is_current = (labels >= 0) & (labels == labels_of(found.table, name))
    is_wrong = (seen.label_prob < doubtful) & (seen.winner >= 0) & (seen.winner != labels)
    rows = np.flatnonzero(is_current & is_wrong)
    rows = rows[np.argsort(seen.label_prob[rows], kind="stable")]
    return Suggestions(
        table=found.table,
        label=name,
        rows=rows,
        current=labels[rows],
        proposed=seen.winner[rows],
        label_prob=seen.label_prob[rows],
        proposed_prob=seen.winner_prob[rows],
        is_sure=seen.winner_prob[rows] > sure,
    )
