"""Lightning in the other of its two packages, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import tlc
from tlc.catalog import list_runs
from tlc.helpers import ProjectLayout

SCRIPT = """
import sys

import {package} as lightning
import torch
from torch.utils.data import DataLoader

import tlc
from tlc.integration.lightning import MetricsCollectionCallback, RunLogger


class Linear(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.save_hyperparameters({{"lr": 0.5}})
        self.layer = torch.nn.Linear(1, 2)

    def forward(self, x):
        return self.layer(x.float()[:, None])

    def training_step(self, batch, _):
        loss = torch.nn.functional.cross_entropy(self(batch["x"]), batch["label"])
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, _):
        self(batch["x"])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


table = tlc.Table.from_url(sys.argv[1])
tlc.init(table.project_name, "run")
trainer = lightning.Trainer(
    max_epochs=5,
    accelerator="cpu",
    callbacks=[
        MetricsCollectionCallback(tlc.metrics.ClassificationMetricsCollector()),
        lightning.callbacks.EarlyStopping("train_loss", patience=1, min_delta=9.0),  # stops soon
    ],
    logger=RunLogger(),
    log_every_n_steps=1,
    precision=sys.argv[2],
    default_root_dir=sys.argv[3],
    enable_progress_bar=False,
)
trainer.fit(Linear(), DataLoader(table, 4, shuffle=True), DataLoader(table, 4))
"""


@pytest.mark.parametrize(
    ("package", "precision"), [("pytorch_lightning", "32"), ("lightning.pytorch", "bf16-mixed")]
)
def test_a_script_as_users_write_it(package, precision, tmp_path):
    table = tlc.Table.from_dict(
        {"x": [i / 10 for i in range(10)], "label": [i % 2 for i in range(10)]},
        {"x": tlc.schemas.Float32Schema(), "label": tlc.schemas.CategoricalLabelSchema(["a", "b"])},
        project_name="scripts",
    )
    code = SCRIPT.format(package=package)
    command = [sys.executable, "-c", code, str(table.url), precision, str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    (entry,) = list_runs(ProjectLayout.project_url(project_name="scripts"))
    run = tlc.Run.from_url(entry.url)
    assert run.status_name == "completed"
    assert run.parameters["lr"] == 0.5
    found = run.metrics(table=table)
    assert found["example_id"].to_pylist() == list(range(10)) * 2
    assert all(0 < each < 10 for each in found["loss"].to_pylist())
    assert [each for each in run.constants["outputs"] if "train_loss" in each]
