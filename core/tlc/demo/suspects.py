"""Finding wrong labels in the metrics of all epochs, and repairing them in two revisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tlc.run import Run
    from tlc.table import Table

DOUBTFUL = 0.5
SURE = 0.6


@dataclass(frozen=True)
class Suspects:
    """Training samples whose label the model never came to believe, the worst first.

    Attributes:
        rows: Row numbers in the table, shape (n,).
        predicted: The class that the model gave most often, shape (n,).
        sure: Whether it did so with confidence, shape (n,).
    """

    rows: np.ndarray
    predicted: np.ndarray
    sure: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)


def find(run: Run, train: Table) -> Suspects:
    """Rank samples by the mean probability of their label over the epochs after the first quarter.

    A network learns what samples have in common before it learns single wrong labels by heart, so a
    wrong label stays improbable for some epochs: the "confidence" of Swayamdipta et al., Dataset
    Cartography (2020). A sample is suspicious if that mean is below one half and another class won
    most epochs.
    """
    metrics = run.metrics(
        table=train,
        split="train",
        columns=["epoch", "label_prob", "predicted", "confidence"],
        join=["label"],
    ).sort_by([("epoch", "ascending"), ("example_id", "ascending")])
    shape = (-1, len(train))
    label = np.asarray(metrics["label"])[: len(train)]
    learnt = slice(len(metrics) // len(train) // 4, None)
    label_prob = np.asarray(metrics["label_prob"]).reshape(shape)[learnt].mean(axis=0)
    predicted = np.asarray(metrics["predicted"]).reshape(shape)[learnt]
    confidence = np.asarray(metrics["confidence"]).reshape(shape)[learnt]

    winner = np.array([np.bincount(column, minlength=10).argmax() for column in predicted.T])
    agreed = np.where(predicted == winner, confidence, 0.0).mean(axis=0)
    rows = np.flatnonzero((label_prob < DOUBTFUL) & (winner != label))
    rows = rows[np.argsort(label_prob[rows])]
    return Suspects(rows, winner[rows], agreed[rows] > SURE)


def repair(train: Table, suspects: Suspects) -> None:
    """Commit two revisions: the labels that the model is sure of, and weight 0 for the others."""
    sure, unsure = suspects.rows[suspects.sure], suspects.rows[~suspects.sure]
    relabelled = train.set_values(
        "label",
        sure,
        suspects.predicted[suspects.sure],
        description=f"{len(sure)} suspicious labels set to the predicted class",
    )
    relabelled.set_values(
        "weight",
        unsure,
        0.0,
        description=f"{len(unsure)} samples left out, where the model is unsure",
    )
