"""Lightning's own trainer, on tables."""

from __future__ import annotations

import lightning.pytorch as lightning
import pytest
import torch
from torch.utils.data import DataLoader

from tlc.integration.lightning import MetricsCollectionCallback
from tlc.testing.adapter_contract import AdapterContract

# Of Lightning about the script, and about itself.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{text}")
    for text in (
        ":lightning.pytorch.utilities.warnings.PossibleUserWarning",
        "`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning",
    )
]


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


class Linear(lightning.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(8, 2)

    def forward(self, x):
        return self.layer(x)

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


class TestLightning(AdapterContract):
    def train(self, training):
        lightning.seed_everything(0, verbose=False)
        view = training.table.with_transform(as_pair)
        options = {"batch_size": training.batch_size, "num_workers": training.workers}
        callbacks = []
        if training.collectors:
            callbacks.append(MetricsCollectionCallback(training.collectors, run=training.run))
        model = Linear()
        trainer(training.folder or None, max_epochs=training.epochs, callbacks=callbacks).fit(
            model, DataLoader(view, shuffle=True, **options), DataLoader(view, **options)
        )
        return {name: each.detach().numpy() for name, each in model.named_parameters()}
