"""Random epochs, stored as programs store them, and as matrices for independent computations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tlc.run import Run
from tlc.schemas import CategoricalLabelSchema
from tlc.table import Table

CLASSES = 3


@dataclass
class Stored:
    """A run, the table that its metrics are about, and what they are.

    `values` maps columns to arrays of shape (epochs, rows), NaN where nothing is stored, in the
    order of `numbers`.
    """

    run: Run
    table: Table
    numbers: list[float]
    labels: np.ndarray
    values: dict[str, np.ndarray]


def make_table(labels, name="train"):
    schema = {"label": CategoricalLabelSchema([f"class {n}" for n in range(CLASSES)])}
    columns = {"x": range(len(labels)), "label": labels}
    return Table.from_dict(columns, schema, table_name=name, if_exists="rename")


def collected(rng, labels, epochs):
    """Return what a classifier with random logits would have stored, and its probabilities."""
    rows = len(labels)
    logits = rng.normal(0, 2, (epochs, rows, CLASSES)).astype(np.float32)
    wide = np.exp(logits.astype(np.float64))
    shares = wide / wide.sum(axis=2, keepdims=True)
    is_label = np.arange(CLASSES) == np.asarray(labels)[:, None]
    own = shares[:, is_label]
    predicted = shares.argmax(axis=2)
    values = {
        "loss": -np.log(own),
        "label_prob": own,
        "predicted": predicted.astype(np.int32),
        "confidence": shares.max(axis=2),
        "accuracy": (predicted == labels).astype(np.float32),
        "label_logit": logits[:, is_label],
        "max_other_logit": np.where(is_label, -np.inf, logits).max(axis=2),
        "el2n": np.linalg.norm(shares - is_label, axis=2),
        "probabilities": shares,
    }
    return {n: v if n == "predicted" else v.astype(np.float32) for n, v in values.items()}


@pytest.fixture
def store():
    """Return a function that stores random epochs.

    In some rows are missing, in any order; the epochs are stored in any order too: each as a
    constant ("constant"), as a column of its metrics table ("column"), or all in one metrics table
    ("together").
    """

    def make(seed=0, rows=7, epochs=3, form="constant", *, missing=0.3, split="train") -> Stored:
        rng = np.random.default_rng(seed)
        labels = rng.integers(0, CLASSES, rows)
        table, run = make_table(labels), Run.create("project")
        values = collected(rng, labels, epochs)
        numbers = np.sort(rng.choice(20, epochs, replace=False)).astype(float)
        is_there = rng.random((epochs, rows)) >= missing
        is_there[:, 0] = True  # an epoch without any row would not be one
        order = rng.permutation(epochs)
        batches = []
        for place in order:
            chosen = rng.permutation(np.flatnonzero(is_there[place]))
            batch: dict[str, Any] = {"example_id": chosen}
            batch |= {name: each[place][chosen] for name, each in values.items()}
            if form != "constant":
                batch["epoch"] = np.full(len(chosen), numbers[place])
            batches.append(batch)
        if form == "together":
            batches = [{n: np.concatenate([b[n] for b in batches]) for n in batches[0]}]
        for place, batch in zip(order, batches, strict=False):
            constants = {"epoch": int(numbers[place])} if form == "constant" else {}
            run.add_metrics(batch, foreign_table_url=table, constants=constants, split=split)
        seen = {}
        for name, each in values.items():
            gaps = is_there if each.ndim == 2 else is_there[:, :, None]
            seen[name] = np.where(gaps, each.astype(np.float64), np.nan)
        return Stored(run, table, numbers.tolist(), labels, seen)

    return make
