"""The contract of adapters, with a detector of Ultralytics."""

from __future__ import annotations

import gc
import itertools
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import ultralytics
from tests.integrations.ultralytics_data import QUICK, grey_images, noted_grey, tiny

import tlc
from tlc.integration.ultralytics import YOLO, Settings
from tlc.metrics import PredictorOutput
from tlc.testing import AdapterContract
from tlc.testing.adapter_contract import ROWS

LAST = "weights/last.pt"


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class TestUltralytics(AdapterContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.tmp_path = tmp_path
        self.trainings = 0
        self.on_batch = lambda _: None

    @pytest.fixture
    def table(self):
        """Images whose grey is the number of the row, with a box each."""
        return grey_images(self.tmp_path, ROWS, project_name="adapters")

    def numbers(self, batch, _):
        return {"number": noted_grey(batch)}

    def collector(self):
        return lambda _, output: {"found": [len(each["conf"]) for each in output.forward]}

    def arguments(self, training):
        return {
            **QUICK,
            "epochs": training.epochs,
            "batch": training.batch_size,
            "workers": training.workers,
            "nbs": training.batch_size * training.accumulate,
            "lr0": training.learning_rate,
            "optimizer": "SGD",
            "project": str(self.tmp_path / "runs"),
            "name": f"train-{self.trainings}",
        }

    def train(self, training):
        arguments = self.arguments(training)
        self.trainings += 1
        start = tiny(self.tmp_path)
        if training.folder:
            # Who has trained all epochs cannot go on: the first time is interrupted.
            arguments |= {"epochs": 3, "project": training.folder, "name": "checkpoints"}
            if (checkpoint := Path(training.folder, "checkpoints", LAST)).exists():
                start, arguments["resume"] = str(checkpoint), True
        if not training.collectors:
            model = ultralytics.YOLO(start)
            model.add_callback("on_val_batch_end", self.on_batch)
            model.train(data=str(self.tmp_path / "data/data.yaml"), **arguments)
        else:
            model = YOLO(start)
            model.add_callback("on_val_batch_end", self.on_batch)
            model.add_callback("on_train_epoch_start", _stop_before(training.epochs))
            try:
                model.train(
                    tables={"train": training.table, "val": training.table},
                    settings=_settings(training.collectors),
                    run=training.run,
                    **arguments,
                )
            except _InterruptedError:
                return {}
        weights = model.trainer.model.named_parameters()
        return {name: each.detach().numpy() for name, each in weights}

    def test_nothing_is_kept_of_batches(self, training):
        """More than the framework itself keeps: an array on a tensor for each image."""

        def kept(training):
            counts, batches = [], itertools.count(1)

            def count(_):
                if not next(batches) % 10:
                    gc.collect()
                    counts.append(
                        sum(issubclass(type(each), torch.Tensor) for each in gc.get_objects())
                    )

            self.on_batch = count
            self.train(replace(training, batch_size=1, epochs=1))
            return min(after - before for before, after in pairwise(counts))

        tlc.init("adapters")
        assert kept(training) <= kept(replace(training, collectors=None))


class _InterruptedError(KeyboardInterrupt):
    pass


def _stop_before(epoch):
    def stop(trainer):
        if trainer.epoch == epoch:
            raise _InterruptedError

    return stop


def _settings(collectors):
    def collect(preds, batch):
        output = PredictorOutput(preds)
        return {name: each for c in collectors for name, each in c(batch, output).items()}

    return Settings(
        collection_epoch_start=1,
        collection_val_only=True,
        collection_after_training=False,
        metrics_collection_function=collect,
    )
