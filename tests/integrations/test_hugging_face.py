"""Hugging Face's own trainer, on tables."""

from __future__ import annotations

import os

import pytest
import torch
from transformers import TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

import tlc
from tlc.catalog import list_runs
from tlc.integration.hugging_face import Trainer
from tlc.testing import AdapterContract


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(8, 2)

    def forward(self, x, labels=None):
        logits = self.layer(x)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits}


def arguments(folder, **options):
    usual = {
        "output_dir": folder,
        "use_cpu": True,
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "learning_rate": 0.1,
        "eval_strategy": "epoch",
    }
    return TrainingArguments(**{**usual, **options})


def contract_arguments(training, folder, **options):
    """Return the arguments of a training of the contract."""
    return arguments(
        training.folder or folder,
        num_train_epochs=training.epochs,
        learning_rate=training.learning_rate,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.accumulate,
        dataloader_drop_last=training.drop_last,
        dataloader_num_workers=training.workers,
        save_strategy="epoch" if training.folder else "no",
        **options,
    )


def newest_checkpoint(folder):
    return get_last_checkpoint(folder) if folder and os.path.isdir(folder) else None


class TestHuggingFace(AdapterContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.default_folder = str(tmp_path / "trainer")

    def train(self, training):
        model = Linear()
        options = contract_arguments(training, self.default_folder)
        trainer = Trainer(
            model,
            options,
            train_dataset=training.table,
            eval_dataset=training.table,
            metrics_collectors=training.collectors,
            run=training.run,
        )
        trainer.train(resume_from_checkpoint=newest_checkpoint(training.folder))
        return {name: each.detach().numpy() for name, each in model.named_parameters()}


ROWS = 20
CLASSES = ["even", "odd"]


@pytest.fixture
def table():
    rows = torch.arange(float(ROWS))
    columns = {"x": torch.stack([rows / 64] * 8, 1), "label": [i % 2 for i in range(ROWS)]}
    schema = {"label": tlc.schemas.CategoricalLabelSchema(CLASSES)}
    made = tlc.Table.from_dict(columns, schema, project_name="transformers")
    weights = [float(i < 5) for i in range(ROWS)]
    return made.add_column("weight", weights, tlc.schemas.SampleWeightSchema())


def number(batch, _):
    return {"number": (batch["x"][:, 0] * 64).round().long()}


def loss(batch, output):
    logits = output.forward["logits"]
    each = torch.nn.functional.cross_entropy(logits, batch["labels"], reduction="none")
    return {"loss": each}


def passes(run):
    return [
        (each.metrics_info.split, each.metrics_info.constants["epoch"], len(each))
        for each in run.metrics_tables
    ]


def made(table, folder, *, model=None, **options):
    arguments_ = options.pop("arguments", {})
    return Trainer(
        model or Linear(),
        arguments(str(folder), num_train_epochs=2, **arguments_),
        train_dataset=table,
        eval_dataset=options.pop("eval_dataset", table),
        metrics_collectors=[number, loss],
        **options,
    )


@pytest.mark.parametrize("strategy", ["epoch", "no"])
def test_metrics_are_collected_at_the_epochs_asked_for(table, tmp_path, strategy):
    run = tlc.init("transformers")
    options = {"eval_strategy": strategy}
    made(table, tmp_path, metrics_collection_epochs=[0, 2], arguments=options).train()
    wanted = {(split, epoch, ROWS) for split in ("train", "eval") for epoch in (0, 2)}
    assert set(passes(run)) == wanted
    assert len(passes(run)) == len(wanted)
    found = run.metrics(table=table)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()


def test_several_data_sets_are_told_apart(table, tmp_path):
    run = tlc.init("transformers")
    data = {"small": table.keep(range(7)), "large": table}
    made(table, tmp_path, eval_dataset=data).train()
    wanted = [("eval_small", 7), ("eval_large", ROWS)] * 2
    assert [(split, count) for split, _, count in passes(run)] == wanted


def test_a_run_is_gone_on_with_by_its_name(table, tmp_path):
    active = tlc.init("transformers", "mine")
    made(table, tmp_path, run_name="mine").train()
    assert len(active.metrics_tables) == 2
    assert not active.state.status.is_final
    tlc.close()
    made(table, tmp_path, run_name="other", run_description="second").train()
    project = tlc.helpers.ProjectLayout.project_url(project_name="transformers")
    assert sorted(entry.url.name for entry in list_runs(project)) == ["mine", "other"]
    other = tlc.Run.from_url(tlc.helpers.ProjectLayout.run_url("other", "transformers"))
    assert (other.status_name, other.description) == ("completed", "second")


def test_the_loss_of_each_sample_is_that_of_the_batch_on_average(table, tmp_path):
    run = tlc.init("transformers")
    trainer = made(table, tmp_path)
    told = trainer.evaluate()["eval_loss"]
    assert sum(run.metrics()["loss"].to_pylist()) / ROWS == pytest.approx(told, rel=1e-5)


def test_logged_values_and_arguments_are_in_the_run(table, tmp_path):
    run = tlc.init("transformers")
    made(table, tmp_path, arguments={"logging_steps": 1, "weight_decay": 0.125}).train()
    assert run.parameters["weight_decay"] == 0.125
    assert any("learning_rate" in each for each in run.constants["outputs"])


@pytest.mark.parametrize("weighted", [True, False])
def test_rows_of_weight_zero_are_not_trained_on(table, tmp_path, weighted):
    seen = []

    class Seeing(Linear):
        def forward(self, x, labels=None):
            if self.training:
                seen.extend((x[:, 0] * 64).round().int().tolist())
            return super().forward(x, labels)

    tlc.init("transformers")
    made(table, tmp_path, model=Seeing(), weighted=weighted).train()
    assert set(seen) <= set(range(5))
    seen.clear()
    trainer = made(
        table, tmp_path, model=Seeing(), weighted=False, exclude_zero_weights_train=False
    )
    trainer.train()
    assert set(seen) == set(range(ROWS))


def test_rows_of_weight_zero_may_have_no_metrics_but_are_evaluated(table, tmp_path):
    run = tlc.init("transformers")
    trainer = made(
        table,
        tmp_path,
        exclude_zero_weights_metrics_collection=True,
        metrics_collection_epochs=[1],
    )
    trainer.train()
    assert set(passes(run)) == {("train", 1, 5), ("eval", 1, 5)}
    assert trainer.predict(table).predictions.shape == (ROWS, 2)


def test_data_sets_of_others_are_trained_on_as_ever(tmp_path):
    data = [{"x": torch.rand(8), "label": i % 2} for i in range(8)]
    run = tlc.init("transformers")
    made(data, tmp_path).train()
    assert not run.metrics_tables
