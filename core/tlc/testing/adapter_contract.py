"""The suite that every adapter for a training framework must pass."""

from __future__ import annotations

import gc
import hashlib
import logging
import random
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import tlc
from tlc._optional import require
from tlc.catalog import list_runs
from tlc.helpers.project_layout import ProjectLayout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tlc.run import Run
    from tlc.table import Table

__all__ = ["ROWS", "AdapterContract", "Training"]

ROWS = 53
CLASSES = ["even", "odd"]
NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class _StopError(RuntimeError):
    """What a collector raises to end a training."""


@dataclass(frozen=True)
class Training:
    """A training of a tiny model on a table of digits that people wrote.

    The columns are ``x``, eight floats from 0 to 1: a line of pixels, but the first of them is the
    number of the row, divided by 64; ``text``, what the digit is called; and ``label``, whether it
    is even, or odd.

    Attributes:
        table: The table, for training and for validation.
        epochs: Epochs to train.
        batch_size: Samples of a batch.
        workers: Processes that load batches.
        drop_last: Whether loaders of the framework, also those it validates with, leave out a last
            batch that is not full.
        accumulate: Batches that a step of the optimizer takes.
        learning_rate: A hyperparameter, which the run has to know.
        collectors: What to collect with at each epoch; None to train without the adapter.
        run: The run to collect to; None for the active one.
        folder: Where a checkpoint of each epoch goes; the framework goes on from the newest if
            there is one. Empty for none.
    """

    table: Table
    epochs: int = 2
    batch_size: int = 8
    workers: int = 0
    drop_last: bool = False
    accumulate: int = 1
    learning_rate: float = 0.125
    collectors: Any = None
    run: Run | None = None
    folder: str = ""


class AdapterContract:
    """What an adapter promises. Inherit, and say how to train: see `train`."""

    @abstractmethod
    def train(self, training: Training) -> Mapping[str, np.ndarray[Any, Any]]:
        """Train a model, from weights that are the same each time, and return its weights.

        Batches are shuffled. With collectors, metrics of all rows of the table are collected once
        at each epoch.
        """

    def numbers(self, batch: Any, _: Any) -> dict[str, Any]:
        """Return the row numbers that samples tell, as a collector does: ``{"number": ...}``.

        Override it where batches are neither dictionaries with ``x`` nor tuples that begin with it.
        """
        x = batch["x"] if isinstance(batch, dict) else batch[0]
        return {"number": (x[:, 0] * 64).round().long()}

    def collector(self) -> Any:
        """Return a collector of what the model makes of batches; override it as the model needs."""
        return tlc.metrics.ClassificationMetricsCollector(classes=CLASSES)

    @pytest.fixture
    def table(self) -> Table:
        """The table of `ROWS` rows to train on; override it where samples must be others."""
        data = require("sklearn.datasets", extra="demo", purpose="to have digits").load_digits()
        x, digits = data.images[:ROWS, 3].astype(np.float32) / 16, data.target[:ROWS].tolist()
        x[:, 0] = np.arange(ROWS) / 64
        texts = [f"the digit {NAMES[digit]}" for digit in digits]
        columns = {"x": x, "text": texts, "label": [digit % 2 for digit in digits]}
        schema = {"label": tlc.schemas.CategoricalLabelSchema(CLASSES)}
        return tlc.Table.from_dict(columns, schema, project_name="adapters", table_name="rows")

    @pytest.fixture
    def training(self, table: Table) -> Training:
        """A short training with collectors."""
        return Training(table, collectors=[self.collector(), self.numbers])

    @pytest.mark.parametrize("workers", [0, 2])
    @pytest.mark.parametrize("batch_size", [1, 8, 64])
    def test_each_row_is_there_once_per_collection_in_the_order_of_the_table(
        self, training: Training, table: Table, batch_size: int, workers: int
    ) -> None:
        """Whatever shuffling, workers and batch size; and ids are those of the samples."""
        run = tlc.init("adapters")
        self.train(replace(training, batch_size=batch_size, workers=workers))
        for metrics in run.metrics_tables:
            assert _column(metrics, "example_id") == list(range(ROWS))
        found = run.metrics(table=table)
        assert found["number"].to_pylist() == found["example_id"].to_pylist()
        assert len(set(found["epoch"].to_pylist())) == training.epochs
        assert found.num_rows == training.epochs * ROWS

    @pytest.mark.parametrize("option", [{"drop_last": True}, {"accumulate": 3}], ids=str)
    def test_how_the_model_is_trained_makes_no_difference(
        self, training: Training, option: dict[str, Any]
    ) -> None:
        """Rows that the framework leaves out in an epoch are collected all the same."""
        run = tlc.init("adapters")
        self.train(replace(training, **option))
        for metrics in run.metrics_tables:
            assert _column(metrics, "example_id") == list(range(ROWS))
        assert len(run.metrics_tables) == training.epochs

    def test_nothing_is_kept_of_batches(self, training: Training) -> None:
        """Memory does not grow with the number of samples."""
        tlc.init("adapters")
        batches, counts = 0, []

        def count(batch: Any, output: Any) -> dict[str, Any]:
            nonlocal batches
            batches += 1
            if not batches % 10:
                gc.collect()
                counts.append(len(gc.get_objects()))
            return self.numbers(batch, output)

        logging.disable()  # or pytest keeps what libraries say of each image
        try:
            self.train(replace(training, batch_size=1, epochs=1, collectors=[count]))
        finally:
            logging.disable(logging.NOTSET)
        # What is made once, at any time, is no matter: the fewest that came in ten batches count.
        assert min(after - before for before, after in pairwise(counts)) < 10

    def test_the_run_knows_the_hyperparameters(self, training: Training) -> None:
        """By whatever names the framework has for them."""
        run = tlc.init("adapters")
        self.train(replace(training, learning_rate=0.0625))
        assert 0.0625 in run.parameters.values()

    def test_who_goes_on_from_a_checkpoint_repeats_nothing(
        self, training: Training, tmp_path: Path
    ) -> None:
        """Each epoch is in the run once, also where it was interrupted in between."""
        run = tlc.init("adapters")
        for epochs in (1, 3):
            self.train(replace(training, epochs=epochs, folder=str(tmp_path / "checkpoints")))
        found = run.metrics(table=training.table)
        assert found.num_rows == 3 * ROWS
        assert len(set(found["epoch"].to_pylist())) == 3

    def test_metrics_go_to_the_run_that_is_given(self, training: Training) -> None:
        """Not to the active one, and it stays open."""
        active, given = tlc.init("adapters", "active"), tlc.Run.create("adapters", "given")
        self.train(replace(training, run=given))
        assert len(given.metrics_tables) == training.epochs
        assert not active.metrics_tables
        assert not given.state.status.is_final

    def test_without_a_run_one_is_made_and_closed(self, training: Training) -> None:
        """A script that knows nothing of runs leaves a complete one."""
        self.train(training)
        assert tlc.active_run() is None
        project = ProjectLayout.project_url(project_name="adapters")
        (entry,) = list_runs(project)
        assert tlc.Run.from_url(entry.url).status_name == "completed"

    def test_means_are_logged_with_their_epoch(self, training: Training) -> None:
        """Each collection logs the mean of its rows, whatever the sizes of the batches."""
        run = tlc.init("adapters")
        self.train(training)
        logged = [each for each in run.constants["outputs"] if any("number_avg" in k for k in each)]
        assert len(logged) == training.epochs
        for each, metrics in zip(logged, run.metrics_tables, strict=True):
            name = next(key for key in each if key.endswith("number_avg"))
            assert each[name] == pytest.approx(np.mean(_column(metrics, "number")))
            assert each["epoch"] == _column(metrics, "epoch")[0]

    def test_training_takes_the_same_course(self, training: Training) -> None:
        """Weights are bit for bit those of a training without the adapter."""
        tlc.init("adapters")
        _seed()
        collected = self.train(training)
        states = _random_states()
        _seed()
        plain = self.train(replace(training, collectors=None))
        assert states == _random_states()
        assert collected.keys() == plain.keys()
        for name, weights in plain.items():
            assert np.array_equal(collected[name], weights), name

    @pytest.mark.parametrize(
        "error", [_StopError("enough"), KeyboardInterrupt()], ids=["error", "stop"]
    )
    def test_a_training_that_fails_leaves_what_it_has(
        self, training: Training, error: BaseException
    ) -> None:
        """The run says so, and the metrics so far can be read."""
        run = tlc.init("adapters")
        # Some frameworks end quietly on Ctrl-C, some exit.
        told = pytest.raises(_StopError), suppress(KeyboardInterrupt, SystemExit)
        with told[isinstance(error, KeyboardInterrupt)]:
            self.train(replace(training, collectors=[self.numbers, self._failing(error, after=3)]))
        wanted = "failed" if isinstance(error, _StopError) else "interrupted"
        assert run.status_name == wanted
        (metrics,) = run.metrics_tables
        assert metrics.is_partial
        assert 0 < len(metrics) < ROWS

    def _failing(self, error: BaseException, after: int) -> Callable[[Any, Any], dict[str, Any]]:
        """Return a collector that raises at a batch."""
        seen = []

        def collect(batch: Any, output: Any) -> dict[str, Any]:
            seen.append(batch)
            if len(seen) > after:
                raise error
            return {"other": self.numbers(batch, output)["number"]}

        return collect


def _column(metrics: Table, name: str) -> list[Any]:
    found: list[Any] = metrics.get_column_as_pyarrow_array(name).to_pylist()
    return found


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)
    require("torch", extra="torch", purpose="to train").manual_seed(0)


def _random_states() -> tuple[str, ...]:
    torch = require("torch", extra="torch", purpose="to train")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state().tolist()
    return tuple(hashlib.sha256(repr(each).encode()).hexdigest() for each in states)
