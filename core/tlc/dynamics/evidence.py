"""What the stored predictions of several epochs say together about each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tlc.constants import CONFIDENCE, PREDICTED
from tlc.dynamics.moments import Means
from tlc.errors import MetricsError
from tlc.metrics.collectors.classification_metrics_collector import LABEL_PROB

if TYPE_CHECKING:
    from tlc.dynamics.epochs import Epochs, Floats

    Ints = npt.NDArray[np.int64]

COLUMNS = (LABEL_PROB, PREDICTED, CONFIDENCE)
_AT_ONCE = 1 << 16


@dataclass(frozen=True, eq=False)
class Evidence:
    """Mean probabilities over epochs, as far as they are stored; arrays of shape ``(rows,)``.

    Attributes:
        label_prob: Mean probability of the label; NaN without metrics or label.
        winner: The class whose predictions have the greatest sum of confidences; -1 without any.
        winner_prob: That sum by the number of epochs: the mean probability of the winner is at
            least this, since in epochs that predict another class it counts as 0. NaN likewise.
        count: Number of epochs with a prediction, int32.
    """

    label_prob: Floats
    winner: Ints
    winner_prob: Floats
    count: npt.NDArray[np.int32]


def evidence(found: Epochs) -> Evidence:
    """Return what epochs with the columns `COLUMNS` say.

    All predictions are in memory at once: 8 bytes for each row and epoch.
    """
    rows, epochs = len(found.table), len(found.numbers)
    probability = Means(rows)
    predicted = np.full((rows, epochs), -1, np.int32)
    confidence = np.zeros((rows, epochs), np.float32)
    for number, each in enumerate(found):
        probability.add(each.values[LABEL_PROB])
        classes, sure = each.values[PREDICTED], each.values[CONFIDENCE]
        is_there = ~(np.isnan(classes) | np.isnan(sure))
        predicted[:, number] = np.where(is_there, classes, -1)
        confidence[:, number] = np.where(is_there, sure, 0)
    count = (predicted >= 0).sum(axis=1, dtype=np.int32)
    winner, total = dominant(predicted, confidence)
    with np.errstate(invalid="ignore"):
        return Evidence(probability.mean, winner, total / count, count)


def check_labels(seen: Evidence, labels: Ints, what: str) -> None:
    """Check that labels are numbers of the model's classes.

    Where the winner is the label, the probability of the label is at least the winner's.

    Args:
        seen: What was stored.
        labels: Labels of the same rows, -1 for none.
        what: What they are, for the message.

    Raises:
        MetricsError: They are not.
    """
    same = np.flatnonzero((seen.winner == labels) & (labels >= 0))
    wrong = same[seen.label_prob[same] < seen.winner_prob[same] - 1e-3]
    if 2 * len(wrong) > len(same):
        row = wrong[0]
        raise MetricsError(
            f"The labels in {what} are not class numbers of the model: row {row} has label "
            f"{labels[row]}, which was predicted with probability {seen.winner_prob[row]:.2f}, but "
            f"its label had only {seen.label_prob[row]:.2f}.",
            hint="name the column that the model is trained on with label=.",
        )


def dominant(
    predicted: npt.NDArray[np.int32], confidence: npt.NDArray[np.float32]
) -> tuple[Ints, Floats]:
    """Return for each row the class with the greatest sum of confidences, and that sum.

    Args:
        predicted: Classes, shape (rows, epochs); -1 for none, with confidence 0.
        confidence: How sure they are, of the same shape.

    Returns:
        int64 and float64 of shape (rows,). Of equal sums the lowest class counts; -1 and 0 where
        nothing is predicted.
    """
    winner, total = np.full(len(predicted), -1, np.int64), np.zeros(len(predicted))
    for start in range(0, len(predicted), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        winner[part], total[part] = _dominant(predicted[part], confidence[part])
    return winner, total


def _dominant(predicted: npt.NDArray[Any], confidence: npt.NDArray[Any]) -> tuple[Ints, Floats]:
    rows, epochs = predicted.shape
    order = np.argsort(predicted, axis=1, kind="stable")
    classes = np.take_along_axis(predicted, order, axis=1)
    sure = np.take_along_axis(confidence, order, axis=1).astype(np.float64)
    begins = np.ones((rows, epochs), bool)
    begins[:, 1:] = classes[:, 1:] != classes[:, :-1]
    starts = np.flatnonzero(begins)
    sums, owners = np.add.reduceat(sure.ravel(), starts), starts // epochs
    best = np.maximum.reduceat(sums, np.flatnonzero(np.append(True, owners[1:] != owners[:-1])))
    chosen = np.flatnonzero(sums == best[owners])[::-1]  # backwards, so that the first one stays
    winner = np.full(rows, -1, np.int64)
    winner[owners[chosen]] = classes.ravel()[starts[chosen]]
    # Where nothing is sure, a class of confidence 0 loses against none at all.
    return winner, best
