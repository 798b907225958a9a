"""SuperGradients' own trainer, on tables."""

from __future__ import annotations

from pathlib import Path

import torch
from tests.integrations.super_gradients_trainings import fit
from torch.utils.data import DataLoader

from tlc.integration.super_gradients import MetricsCollectionCallback
from tlc.testing import AdapterContract


def as_pair(sample):
    return torch.as_tensor(sample["x"]), sample["label"]


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(8, 2)
        self.dropout = torch.nn.Dropout(0.1)  # so that mode and random state make a difference

    def forward(self, x):
        return self.layer(self.dropout(x))


class TestSuperGradients(AdapterContract):
    def train(self, training):
        view = training.table.with_transform(as_pair)
        options = {
            "batch_size": training.batch_size,
            "num_workers": training.workers,
            "drop_last": training.drop_last,
        }
        callbacks = []
        if training.collectors:
            callbacks.append(
                MetricsCollectionCallback(metrics_collectors=training.collectors, run=training.run)
            )
        model = Linear()
        fit(
            model,
            DataLoader(view, shuffle=True, **options),
            DataLoader(view, **options),
            folder=training.folder or None,
            resume=bool(training.folder) and Path(training.folder).exists(),
            max_epochs=training.epochs,
            batch_accumulate=training.accumulate,
            initial_lr=training.learning_rate,
            phase_callbacks=callbacks,
        )
        return {name: each.detach().numpy() for name, each in model.named_parameters()}
