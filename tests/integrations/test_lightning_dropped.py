"""Rows that loaders of Lightning leave out, as they do not fill a batch."""

from __future__ import annotations

import threading

import pytest
import torch
import torchmetrics
from tests.integrations.test_lightning import Linear, as_pair, trainer
from torch.utils.data import DataLoader

import tlc
from tlc.errors import TlcWarning
from tlc.integration.lightning import MetricsCollectionCallback

ROWS = 20
LEFT_OUT = [18, 19]
LOADER = {"batch_size": 6, "drop_last": True}


@pytest.fixture
def view():
    x = torch.stack([torch.arange(float(ROWS)) / 64] * 8, 1)
    columns = {"x": x, "label": [i % 2 for i in range(ROWS)]}
    return tlc.Table.from_dict(columns, project_name="lightning").with_transform(as_pair)


def number(batch, output):
    made = output.forward
    logits = made["logits"] if isinstance(made, dict) else made
    return {"number": (batch[0][:, 0] * 64).round().long(), "score": logits[:, 1].float()}


class Gathering(Linear):
    """Keeps of each step what many modules keep: a state, a metric, and what it logs."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.register_buffer("count", torch.zeros(()))
        self.mean = torchmetrics.MeanMetric()
        self.means = []

    def validation_step(self, batch, index):
        logits = self(batch[0])
        self.seen += batch[0][:, 0].tolist()
        self.count += len(batch[0])
        self.mean(logits[:, 1])
        self.log("mean", self.mean)
        self.log_dict({"index": float(index), "epochs": float(self.trainer.current_epoch)})

    def test_step(self, batch, index):
        self.validation_step(batch, index)

    def on_validation_epoch_end(self):
        self.means.append(float(self.mean.compute()))


def rows_of(metrics):
    return metrics.get_column_as_pyarrow_array("example_id").to_pylist()


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("stage", ["validate", "test"])
def test_they_are_collected_as_if_they_were_in_a_batch(view, tmp_path, stage, workers):
    run, module = tlc.init("lightning"), Gathering()
    callback = MetricsCollectionCallback(number)
    for options in ({"batch_size": 6}, LOADER):
        loader = DataLoader(view, num_workers=workers, **options)
        getattr(trainer(tmp_path, callbacks=callback), stage)(module, loader, verbose=False)
    every, dropping = run.metrics_tables
    assert rows_of(dropping) == rows_of(every) == list(range(ROWS))
    scores = [each.get_column_as_pyarrow_array("score").to_pylist() for each in (every, dropping)]
    assert scores[1] == pytest.approx(scores[0])
    assert dropping.completeness.missing == 0


def test_the_module_and_its_training_know_nothing_of_it(view, tmp_path):
    found = []
    for callbacks in ([], [MetricsCollectionCallback(number)]):
        torch.manual_seed(0)
        module, loader = Gathering(), DataLoader(view, **LOADER)
        made = trainer(tmp_path, max_epochs=2, callbacks=callbacks, num_sanity_val_steps=0)
        made.fit(module, DataLoader(view, 6, shuffle=True), loader)
        logged = {name: float(value) for name, value in made.callback_metrics.items()}
        weights = [each.tolist() for each in module.parameters()]
        state = module.seen, float(module.count), module.means
        found.append((weights, logged, state, torch.get_rng_state().tolist()))
    assert found[0] == found[1]


def test_a_function_that_predicts_is_asked_for_them(view, tmp_path):
    class Silent(Linear):
        def validation_step(self, batch):
            pass

    run = tlc.init("lightning")
    callback = MetricsCollectionCallback(number, predict_fn=lambda module, batch: module(batch[0]))
    made = trainer(tmp_path, callbacks=callback)
    made.validate(Silent(), DataLoader(view, **LOADER), verbose=False)
    assert rows_of(run.metrics_tables[0]) == list(range(ROWS))


def test_each_of_several_loaders_has_its_own(view, tmp_path):
    run, found = tlc.init("lightning"), []

    class Several(Linear):
        def validation_step(self, batch, batch_idx, dataloader_idx=0):
            self(batch[0])
            found.append((dataloader_idx, len(batch[0])))

    loaders = [DataLoader(view, **LOADER), DataLoader(view, 8, drop_last=True)]
    callback = MetricsCollectionCallback(number)
    trainer(tmp_path, callbacks=callback).validate(Several(), loaders, verbose=False)
    assert [rows_of(each) for each in run.metrics_tables] == [list(range(ROWS))] * 2
    assert found[-2:] == [(0, 2), (1, 4)]


def test_a_pass_over_fewer_batches_stays_one(view, tmp_path):
    run = tlc.init("lightning")
    made = trainer(tmp_path, callbacks=MetricsCollectionCallback(number), limit_val_batches=2)
    for workers in (0, 2):
        made.validate(Gathering(), DataLoader(view, num_workers=workers, **LOADER), verbose=False)
    assert [rows_of(each) for each in run.metrics_tables] == [list(range(12))] * 2


@pytest.mark.parametrize("why", ["step", "copy"])
def test_a_module_that_cannot_be_asked_is_told_and_loses_nothing_else(view, tmp_path, why):
    run, module = tlc.init("lightning"), Gathering()
    if why == "copy":
        module.lock = threading.Lock()  # what cannot be copied
    else:
        module.register_forward_pre_hook(lambda _, inputs: inputs[0].reshape(6, 8))
    made = trainer(tmp_path, callbacks=MetricsCollectionCallback(number))
    with pytest.warns(TlcWarning, match="Metrics of 2 rows are missing"):
        made.validate(module, DataLoader(view, **LOADER), verbose=False)
    (metrics,) = run.metrics_tables
    assert rows_of(metrics) == list(range(18))
    assert metrics.missing_example_ids().tolist() == LEFT_OUT
