"""A training of two processes: ``torchrun --nproc_per_node=2 super_gradients_ranks.py TABLE``.

SuperGradients itself distributes a training over GPUs only. Here each process trains the same model
on all rows, and collects its share of them: of the trainer's validation, and in passes of its own.
"""

from __future__ import annotations

import sys
import warnings

import torch
from tests.integrations.super_gradients_trainings import Tiny, fit
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.transforms import ToTensor

import tlc
from tlc.integration.super_gradients import ClassificationDataset, MetricsCollectionCallback


def number(batch, _):
    return {"number": (batch[0][:, 0, 0, 0] * 255).round().int()}


def main():
    warnings.simplefilter("ignore")
    torch.distributed.init_process_group("gloo")
    dataset = ClassificationDataset(tlc.Table.from_url(sys.argv[1]), [ToTensor()])
    sampler = DistributedSampler(dataset, shuffle=False)
    callbacks = [
        MetricsCollectionCallback(metrics_collectors=number),
        MetricsCollectionCallback(metrics_collection_epochs=[0]),
    ]
    fit(
        Tiny(),
        DataLoader(dataset, 3),
        DataLoader(dataset, 2, sampler=sampler),
        max_epochs=2,
        phase_callbacks=callbacks,
    )
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
