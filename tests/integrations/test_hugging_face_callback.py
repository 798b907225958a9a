"""The callback for trainers of `transformers` that cannot be another class."""

from __future__ import annotations

import pytest
import torch
import transformers
from tests.integrations.test_hugging_face import (
    ROWS,
    Linear,
    arguments,
    contract_arguments,
    loss,
    newest_checkpoint,
    number,
    passes,
)
from tests.integrations.test_hugging_face import table as table

import tlc
from tlc.integration.hugging_face import MetricsCollectionCallback
from tlc.testing import AdapterContract


class TestCallback(AdapterContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.default_folder = str(tmp_path / "trainer")

    def train(self, training):
        model = Linear()
        options = contract_arguments(training, self.default_folder, eval_strategy="no")
        callbacks = []
        if training.collectors is not None:
            tables = {"val": training.table}
            made = MetricsCollectionCallback(training.collectors, tables, run=training.run)
            callbacks.append(made)
        trainer = transformers.Trainer(
            model, options, train_dataset=training.table, callbacks=callbacks
        )
        trainer.train(resume_from_checkpoint=newest_checkpoint(training.folder))
        return {name: each.detach().numpy() for name, each in model.named_parameters()}


def trained(table, folder, callback, *, model=None, **options):
    made = arguments(str(folder), **{"num_train_epochs": 2, "eval_strategy": "no", **options})
    trainer = transformers.Trainer(
        model or Linear(), made, train_dataset=table, callbacks=[callback]
    )
    trainer.train()
    return trainer


def test_tables_are_collected_at_the_epochs_asked_for(table, tmp_path):
    run = tlc.init("transformers")
    tables = {"train": table, "val": table.with_transform(lambda sample: sample)}
    trained(table, tmp_path, MetricsCollectionCallback([number, loss], tables, [0, 2]))
    assert passes(run) == [("train", 0, 20), ("val", 0, 20), ("train", 2, 20), ("val", 2, 20)]
    found = run.metrics(table=table)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()
    assert set(found["step"].to_pylist()) == {0, 6}


def test_an_epoch_that_is_cut_short_counts(table, tmp_path):
    run = tlc.init("transformers")
    callback = MetricsCollectionCallback(number, {"val": table})
    trained(table, tmp_path, callback, max_steps=4)
    assert passes(run) == [("val", 1, ROWS), ("val", 2, ROWS)]


def test_batches_are_made_as_the_trainer_makes_them(table, tmp_path):
    """What the model knows nothing of is left out, and labels are renamed."""
    seen = []
    tlc.init("transformers")
    view = table.with_transform(lambda sample: {**sample, "text": "none", "size": 3})
    callback = MetricsCollectionCallback(lambda batch, _: seen.append(set(batch)) or {}, {"": view})
    trained(view, tmp_path, callback, per_device_eval_batch_size=7)
    assert seen == [{"x", "labels"}] * 6


def test_own_ways_of_batching_and_predicting_are_used(table, tmp_path):
    run = tlc.init("transformers")
    callback = MetricsCollectionCallback(
        lambda batch, output: {"double": output.forward},
        {"val": table},
        data_collator=lambda samples: {
            "x": torch.stack([torch.as_tensor(s["x"]) for s in samples])
        },
        predict_fn=lambda model, batch: batch["x"][:, 0] * 2,
        dataloader_args={"batch_size": 3},
    )
    trained(table, tmp_path, callback, num_train_epochs=1)
    doubles = run.metrics(table=table)["double"].to_pylist()
    assert doubles == [row / 32 for row in range(ROWS)]


def test_it_tracks_the_training_and_closes_a_run_of_its_own(table, tmp_path):
    callback = MetricsCollectionCallback(number, {"val": table})
    trained(table, tmp_path, callback, logging_steps=1, weight_decay=0.125)
    run = tlc.Run.from_url(callback.training.url)
    assert run.status_name == "completed"
    assert run.parameters["weight_decay"] == 0.125
    assert any("learning_rate" in each for each in run.constants["outputs"])
    assert len(run.metrics_tables) == 2


def test_a_training_goes_on_with_its_run(table, tmp_path):
    def part(error=None):
        model = Linear()
        callback = MetricsCollectionCallback(number, {"val": table}, [0, 1, 2, 3])
        options = arguments(
            str(tmp_path), num_train_epochs=3, save_strategy="epoch", eval_strategy="no"
        )
        stop = [] if error is None else [Stop()]
        trainer = transformers.Trainer(
            model, options, train_dataset=table, callbacks=[callback, *stop]
        )
        trainer.train(resume_from_checkpoint=error is None)
        return callback.training.url

    first = part("stop")
    assert part() == first
    run = tlc.Run.from_url(first)
    assert passes(run) == [("val", epoch, ROWS) for epoch in range(4)]


class Stop(transformers.TrainerCallback):
    """Ends a training after its first epoch, once it is saved."""

    def on_save(self, args, state, control, **_):
        control.should_training_stop = True
