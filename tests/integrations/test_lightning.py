"""Lightning's own trainer, on tables."""

from __future__ import annotations

from pathlib import Path

import lightning.pytorch as lightning
import pytest
import torch
from torch.utils.data import DataLoader

import tlc
from tlc.catalog import list_runs
from tlc.errors import MetricsError, OptionError
from tlc.helpers import ProjectLayout
from tlc.integration.lightning import MetricsCollectionCallback, RunLogger
from tlc.samplers import create_random_sampler, create_sampler
from tlc.testing import AdapterContract


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


class Linear(lightning.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(8, 2)
        self.dropout = torch.nn.Dropout(0.1)  # so that mode and random state make a difference

    def forward(self, x):
        return self.layer(self.dropout(x))

    def training_step(self, batch, _):
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def validation_step(self, batch, _):
        self.log("val_loss", torch.nn.functional.cross_entropy(self(batch[0]), batch[1]))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), self.hparams.lr)


def trainer(folder, **options):
    usual = {
        "accelerator": "cpu",
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "default_root_dir": folder,
    }
    return lightning.Trainer(**{**usual, **options})


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
class TestLightning(AdapterContract):
    def train(self, training):
        lightning.seed_everything(0, verbose=False)
        view = training.table.with_transform(as_pair)
        options = {
            "batch_size": training.batch_size,
            "num_workers": training.workers,
            "drop_last": training.drop_last,
        }
        callbacks, newest = [], None
        if training.collectors:
            callbacks.append(MetricsCollectionCallback(training.collectors, run=training.run))
        if training.folder:
            callbacks.append(lightning.callbacks.ModelCheckpoint(training.folder, save_last=True))
            newest = next(Path(training.folder).glob("last.ckpt"), None)
        model = Linear(lr=training.learning_rate)
        made = trainer(
            None,
            max_epochs=training.epochs,
            callbacks=callbacks,
            enable_checkpointing=bool(training.folder),
            accumulate_grad_batches=training.accumulate,
        )
        loader = DataLoader(view, shuffle=True, **options)
        made.fit(model, loader, DataLoader(view, **options), ckpt_path=newest)
        return {name: each.detach().numpy() for name, each in model.named_parameters()}


CLASSES = ["even", "odd"]


@pytest.fixture
def table():
    rows = torch.arange(20.0)
    columns = {"x": torch.stack([rows / 64] * 8, 1), "label": [i % 2 for i in range(20)]}
    schema = {"label": tlc.schemas.CategoricalLabelSchema(CLASSES)}
    return tlc.Table.from_dict(columns, schema, project_name="lightning")


@pytest.fixture
def view(table):
    return table.with_transform(as_pair)


def number(batch, _):
    return {"number": (batch[0][:, 0] * 64).round().long()}


def score(_, output):
    return {"score": output.forward[:, 1]}


def splits(run):
    return [(each.metrics_info.split, len(each)) for each in run.metrics_tables]


@pytest.mark.parametrize("stage", ["validate", "test", "predict"])
def test_each_stage_of_a_trainer_is_collected(view, tmp_path, stage):
    class Module(Linear):
        def test_step(self, batch, index):
            return {"logits": self(batch[0])}

        def predict_step(self, batch, index):
            return self(batch[0])

    run = tlc.init("lightning")
    callback = MetricsCollectionCallback([number, score])
    made = trainer(tmp_path, callbacks=callback)
    if stage == "test":
        callback.metrics_collectors = number
    getattr(made, stage)(Module(), DataLoader(view, 8))
    assert splits(run) == [({"validate": "val"}.get(stage, stage), 20)]
    found = run.metrics(table=view.source)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()


def test_each_of_several_loaders_has_a_split_of_its_own(view, tmp_path):
    class Module(Linear):
        def validation_step(self, batch, _, dataloader_idx=0):
            self(batch[0])

    run = tlc.init("lightning")
    halves = torch.utils.data.Subset(view, range(10, 20)), torch.utils.data.Subset(view, [3, 1])
    loaders = [DataLoader(half, 4) for half in halves]
    trainer(tmp_path, callbacks=MetricsCollectionCallback(number)).validate(Module(), loaders)
    assert splits(run) == [("val_0", 10), ("val_1", 2)]
    found = run.metrics(table=view.source)
    assert found["number"].to_pylist() == found["example_id"].to_pylist()


def test_a_pass_of_its_own_collects_tables_at_chosen_epochs(view, tmp_path):
    run = tlc.init("lightning")
    callback = MetricsCollectionCallback(
        [number, score],
        {"train": view, "val": view},
        "own_pass",
        epochs=[1],
        predict_fn=lambda module, batch: module(batch[0]),
        dataloader_args={"batch_size": 7},
    )
    loader = DataLoader(view, 8)
    trainer(tmp_path, max_epochs=3, callbacks=callback).fit(Linear(), loader, loader)
    assert splits(run) == [("train", 20), ("val", 20)]
    assert set(run.metrics()["epoch"].to_pylist()) == {1}


class Moving(Linear):
    """Moves its batches in a way of its own."""

    def transfer_batch_to_device(self, batch, device, dataloader_idx):
        moved = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return *moved, torch.ones(len(moved[0]))


def test_a_pass_of_its_own_evaluates_batches_that_the_module_moved(view, tmp_path):
    calls = []

    def predict(module, batch):
        calls.append((module.training, len(batch)))
        return module(batch[0])

    callback = MetricsCollectionCallback([number], {"train": view}, "own_pass", predict_fn=predict)
    trainer(tmp_path, max_epochs=1, callbacks=callback).fit(
        Moving(), DataLoader(view, 8), DataLoader(view, 8)
    )
    assert calls == [(False, 3)]


def test_data_modules_work_and_the_sanity_check_leaves_nothing(view, tmp_path):
    class Data(lightning.LightningDataModule):
        def train_dataloader(self):
            return DataLoader(view, 8, shuffle=True)

        def val_dataloader(self):
            return DataLoader(view, 8)

    run = tlc.init("lightning")
    made = trainer(tmp_path, max_epochs=1, callbacks=MetricsCollectionCallback(number))
    made.fit(Linear(), datamodule=Data())
    assert splits(run) == [("val", 20)]


@pytest.fixture
def checkpointed(view, tmp_path):
    """Trains, and keeps a checkpoint of each epoch in a folder."""

    def train(stop, folder, checkpoint=None, collectors=number):
        lightning.seed_everything(0, verbose=False)
        saver = lightning.callbacks.ModelCheckpoint(tmp_path / folder, "{epoch}", save_top_k=-1)
        collecting = [] if collectors is None else [MetricsCollectionCallback(collectors)]
        options = {"callbacks": [saver, *collecting], "enable_checkpointing": True}
        model = Linear()
        model.dropout.p = 0.0  # checkpoints of Lightning hold no random state
        sampler = create_random_sampler(view.source, exclude_zero_weights=False)
        loaders = DataLoader(view, 8, sampler=sampler), DataLoader(view, 8)
        made = trainer(tmp_path, max_epochs=stop, **options)
        made.fit(model, *loaders, ckpt_path=checkpoint)
        return model.layer.weight.detach()

    return train


@pytest.mark.filterwarnings("ignore:Checkpoint directory")
def test_who_goes_on_from_a_checkpoint_goes_on_with_its_run(checkpointed, view, tmp_path):
    whole = checkpointed(3, "whole", collectors=None)
    checkpointed(2, "first")
    again = checkpointed(3, "first", str(tmp_path / "first" / "epoch=0.ckpt"))
    assert torch.equal(again, whole)
    (entry,) = list_runs(ProjectLayout.project_url(project_name="lightning"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    assert [each.metrics_info.constants["epoch"] for each in run.metrics_tables] == [0, 1, 2]
    found = run.metrics(table=view.source)
    assert found.num_rows == 3 * 20
    assert set(found["step"].to_pylist()) == {3, 6, 9}


def test_a_second_training_in_one_run_replaces_nothing(checkpointed):
    run = tlc.init("lightning")
    checkpointed(1, "first")
    checkpointed(1, "second")
    assert splits(run) == [("val", 20)] * 2


def test_what_a_module_logs_and_its_hyperparameters_are_in_the_run(view, tmp_path):
    run = tlc.init("lightning")
    logger = RunLogger()
    made = trainer(tmp_path, max_epochs=2, logger=logger)
    made.fit(Linear(lr=0.25), DataLoader(view, 8), DataLoader(view, 8))
    assert logger.experiment.url == logger.run.url == run.url
    assert (logger.name, logger.version) == ("lightning", run.name)
    assert run.parameters["lr"] == 0.25
    logged = [each for each in run.constants["outputs"] if "val_loss" in each]
    assert [(each["epoch"], each["step"]) for each in logged] == [(0, 2), (1, 5)]


def test_a_step_that_gives_no_predictions_is_told(view, tmp_path):
    class Silent(Linear):
        def validation_step(self, batch, _):
            return torch.nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

    run = tlc.init("lightning")
    made = trainer(tmp_path, callbacks=MetricsCollectionCallback(score))
    with pytest.raises(MetricsError, match="predict_fn"):
        made.validate(Silent(), DataLoader(view, 8))
    assert run.status_name == "failed"


def test_samples_without_a_table_are_told(tmp_path):
    data = [(torch.rand(8), 0)] * 4
    made = trainer(tmp_path, callbacks=MetricsCollectionCallback(number))
    with pytest.raises(MetricsError, match="no url"):
        made.validate(Linear(), DataLoader(data, 2))


def test_weights_decide_what_is_trained_on(table, tmp_path):
    weighted = table.add_column(
        "weight", [float(i < 3) for i in range(20)], tlc.schemas.SampleWeightSchema()
    )
    seen = []

    class Module(Linear):
        def training_step(self, batch, index):
            seen.extend((batch[0][:, 0] * 64).round().int().tolist())
            return super().training_step(batch, index)

    sampler = create_sampler(weighted)
    loader = DataLoader(weighted.with_transform(as_pair), 1, sampler=sampler)
    trainer(tmp_path, max_epochs=8, limit_val_batches=0).fit(Module(), loader, loader)
    assert set(seen) == {0, 1, 2}


@pytest.mark.parametrize(
    "arguments",
    [{"collect_on": "often"}, {"collect_on": "own_pass"}, {"tables": {"train": 1}}],
    ids=str,
)
def test_arguments_that_do_not_go_together_are_refused(arguments):
    with pytest.raises(OptionError):
        MetricsCollectionCallback(number, **arguments)
