"""Confident learning: labels that contradict what the model is confident of."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlc.constants import EPOCH
from tlc.dynamics.epochs import Epochs
from tlc.dynamics.evidence import COLUMNS, check_labels, evidence
from tlc.dynamics.labels import collected_labels, label_column, labels_of
from tlc.dynamics.scores import Scores
from tlc.errors import ColumnError, MetricsError

if TYPE_CHECKING:
    from tlc.dynamics.epochs import Floats
    from tlc.dynamics.evidence import Evidence, Ints
    from tlc.dynamics.metrics_parts import AnyTable
    from tlc.run import Run
    from tlc.table import Table

_ROUNDING = 1e-6  # a class whose samples are all alike is confident of them


def label_issues(
    run: Run,
    table: AnyTable | None = None,
    *,
    split: str | None = None,
    epochs: int | slice | None = None,
    epoch: str = EPOCH,
    label: str | None = None,
    probabilities: str | None = None,
) -> Scores:
    """Return which labels are probably wrong, and what they should be.

    The threshold of a class is the mean probability of that class over the samples with that label.
    A sample counts for the class of the highest probability among those that reach their threshold;
    if that is not its label, the label is an issue. Source: C. G. Northcutt et al., "Confident
    Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021), equations 1 and 2.

    With `probabilities`, the mean over the epochs of whole probability vectors, this is exact.
    Without, `label_prob`, `predicted` and `confidence` are used: the thresholds are exact, and the
    probability of the class that was predicted most is known from below. What is found then are
    issues by the definition above as well, but some are missed: those whose class was confident and
    not predicted. And where several classes reach their thresholds, the one that was predicted most
    need not be the one of the highest mean probability.

    The method wants probabilities of a model that was not trained on the sample. A model that was
    learns wrong labels by heart in time: use the first `epochs`, or metrics of a held-out part.

    Args:
        run: The run.
        table: The table whose rows are meant; None for the one that the metrics are about.
        split: Only metrics that were collected with this split.
        epochs: How many epochs, from the first, or a slice of them; None for all.
        epoch: Column, or constant, with the number of the epoch.
        label: The table's column of labels, which are class numbers of the model; None for the one
            that its schema tells.
        probabilities: Metrics column with the probabilities of all classes.

    Returns:
        `is_label_issue`, bool, false for rows without metrics; `suggested_label`, int32, the class
        that the sample counts for, or the label, -1 for none, if it is no issue; `label_quality`,
        float32, the mean probability of the label, NaN for rows without metrics or label. Labels
        are those that the metrics were collected with, or, with `probabilities`, those of the
        table.

    Raises:
        ColumnNotFoundError: Metrics or table do not have a column.
        ColumnError: The table's labels are not whole numbers, or the vectors differ in length.
        MetricsError: The epochs cannot be told, see `Epochs`; or a label is no class of the
            vectors.
    """
    options: dict[str, Any] = {"split": split, "epochs": epochs, "epoch": epoch}
    if probabilities is None:
        found = Epochs(run, table, COLUMNS, **options)
        name = label_column(found.table, label)
        labels = collected_labels(found.parts, found.table, name)
        seen = evidence(found)
        check_labels(seen, labels, f"column {name!r} of {found.table.url}")
        guess, quality = _from_stored(seen, labels)
    else:
        found = Epochs(run, table, [probabilities], vectors=True, **options)
        name = label_column(found.table, label)
        labels = labels_of(found.table, name)
        guess, quality = _from_vectors(_mean_vectors(found, probabilities), labels)
    is_issue = (guess >= 0) & (labels >= 0) & (guess != labels)
    columns = {
        "is_label_issue": is_issue,
        "suggested_label": np.where(is_issue, guess, labels).astype(np.int32),
        "label_quality": quality.astype(np.float32),
    }
    schemas = {"suggested_label": _schema(found.table, name)}
    return Scores(found.table, columns, schemas, description=f"label issues of {run.name}")


def confident_classes(probabilities: npt.NDArray[Any], thresholds: Floats) -> Ints:
    """Return the class of the highest probability among those that reach their threshold.

    Args:
        probabilities: Shape (rows, classes).
        thresholds: Shape (classes,).

    Returns:
        int64 of shape (rows,); -1 where no class reaches its threshold.
    """
    reached = np.where(probabilities >= thresholds - _ROUNDING, probabilities, -1.0)
    best = reached.argmax(axis=1)
    return np.where(reached[np.arange(len(best)), best] >= 0, best, -1)


def thresholds_of(quality: Floats, labels: Ints, classes: int) -> Floats:
    """Return the mean probability of each class over the samples with that label.

    Args:
        quality: Probability of its label of each sample, NaN for none; shape (rows,).
        labels: Class numbers, -1 for none; shape (rows,).
        classes: How many there are.

    Returns:
        Shape (classes,); infinite for classes without samples, so that none counts for them.
    """
    known = (labels >= 0) & (labels < classes) & ~np.isnan(quality)
    count = np.bincount(labels[known], minlength=classes)
    total = np.bincount(labels[known], quality[known], classes)
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _from_stored(seen: Evidence, labels: Ints) -> tuple[Ints, Floats]:
    quality = np.where(labels >= 0, seen.label_prob, np.nan)
    classes = int(seen.winner.max(initial=-1)) + 1
    thresholds = np.append(thresholds_of(quality, labels, classes), np.inf)  # -1 is no class
    is_confident = seen.winner_prob >= thresholds[seen.winner] - _ROUNDING
    return np.where(is_confident & (seen.winner_prob > quality), seen.winner, -1), quality


def _from_vectors(probabilities: npt.NDArray[Any], labels: Ints) -> tuple[Ints, Floats]:
    classes = probabilities.shape[1]
    if labels.max(initial=-1) >= classes:
        raise MetricsError(
            f"Row {labels.argmax()} has label {labels.max()}, but the vectors have {classes} "
            "probabilities.",
            hint="labels must be class numbers of the model.",
        )
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    quality = np.where(labels >= 0, own, np.nan)
    return confident_classes(probabilities, thresholds_of(quality, labels, classes)), quality


def _mean_vectors(found: Epochs, name: str) -> npt.NDArray[np.float32]:
    """Return the mean vector of each row, float32 of shape (rows, classes)."""
    total: Any = np.float32(0)
    count = np.zeros(len(found.table), np.float32)
    for each in found:
        vectors: Any = each.values[name]
        if not vectors.shape[1]:  # all are missing
            continue
        if np.ndim(total) and total.shape != vectors.shape:
            raise ColumnError(f"The vectors in column {name!r} differ in length.")
        is_there = ~np.any(np.isnan(vectors), axis=1)
        total = total + np.where(is_there[:, None], vectors, np.float32(0))
        count += is_there
    with np.errstate(invalid="ignore"):
        return total / count[:, None]


def _schema(table: Table, name: str) -> Any:
    schema = copy.copy(table.rows_schema.values[name])
    schema.display_name, schema.description = "", f"What {name} should be"
    return schema
