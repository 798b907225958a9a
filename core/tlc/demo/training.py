"""A small network, and a training loop as anybody would write it, with three lines of tlc in it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from tlc.metrics import ClassificationMetricsCollector, collect_metrics
from tlc.run import log
from tlc.samplers import create_sampler

if TYPE_CHECKING:
    from tlc.table import Table

SEED = 1


def to_tensor(sample: dict[str, Any]) -> tuple[torch.Tensor, int]:
    """Return an image as float32 of shape (1, 8, 8) with values from 0 to 1, and its label."""
    import numpy as np

    pixels = torch.from_numpy(np.asarray(sample["image"], dtype="float32") / 255)
    return pixels[None], sample["label"]


def make_model() -> nn.Module:
    """Return two convolutions and a classifier; takes (n, 1, 8, 8), gives logits (n, 10)."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(64 * 16, 10),
    )


def fit(train: Table, val: Table, epochs: int) -> nn.Module:
    """Train a new model; the metrics of every sample and epoch go to the active run."""
    torch.manual_seed(SEED)
    random.seed(SEED)
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    train_view, val_view = train.with_transform(to_tensor), val.with_transform(to_tensor)
    loader = DataLoader(train_view, batch_size=32, sampler=create_sampler(train))
    collector = ClassificationMetricsCollector(classes=[str(digit) for digit in range(10)])
    for epoch in range(epochs):
        mean_loss = _train_epoch(model, loader, optimizer)
        log({"epoch": epoch, "train_loss": mean_loss})
        for split, view in (("train", train_view), ("val", val_view)):
            collect_metrics(
                view, collector, model, split=split, constants={"epoch": epoch},
                dataloader_args={"batch_size": 256},
            )  # fmt: skip
    return model


def _train_epoch(
    model: nn.Module, loader: DataLoader[Any], optimizer: torch.optim.Optimizer
) -> float:
    model.train()
    total = 0.0
    for images, labels in loader:
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.sampler)  # type: ignore[arg-type]
