"""Hugging Face's own trainer, on tables."""

from __future__ import annotations

import pytest
import torch
from transformers import TrainingArguments

from tlc.integration.hugging_face import Trainer
from tlc.testing.adapter_contract import AdapterContract


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


class TestHuggingFace(AdapterContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.default_folder = str(tmp_path / "trainer")

    def train(self, training):
        model = Linear()
        options = arguments(
            training.folder or self.default_folder,
            num_train_epochs=training.epochs,
            per_device_train_batch_size=training.batch_size,
            per_device_eval_batch_size=training.batch_size,
            dataloader_num_workers=training.workers,
        )
        trainer = Trainer(
            model,
            options,
            train_dataset=training.table,
            eval_dataset=training.table,
            metrics_collectors=training.collectors,
            run=training.run,
        )
        trainer.train()
        return {name: each.detach().numpy() for name, each in model.named_parameters()}
