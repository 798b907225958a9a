"""Trainings of two processes: ``python -m tests.integrations.ddp KIND TABLE FOLDER``."""

from __future__ import annotations

import sys

import torch
from torch.utils.data import DataLoader

import tlc


def number(batch, _):
    x = batch["x"] if isinstance(batch, dict) else batch[0]
    return {"number": (x[:, 0] * 64).round().long()}


def lightning(table, folder):
    from tests.integrations.test_lightning import Linear, as_pair, trainer

    from tlc.integration.lightning import MetricsCollectionCallback, RunLogger

    view = table.with_transform(as_pair)
    options = {"strategy": "ddp", "devices": 2, "max_epochs": 2, "logger": RunLogger()}
    callback = MetricsCollectionCallback(number)
    made = trainer(folder, callbacks=callback, **options)
    # Two rows of each rank do not fill a batch.
    made.fit(Linear(), DataLoader(view, 4, shuffle=True), DataLoader(view, 5, drop_last=True))


def lightning_in_a_run(table, folder):
    # Lightning starts the second process from here, and that one comes by here, too.
    tlc.init("default-project")
    lightning(table, folder)


def hugging_face(table, folder):
    from tests.integrations.test_hugging_face import Linear, arguments

    from tlc.integration.hugging_face import Trainer

    options = arguments(folder, num_train_epochs=2, per_device_eval_batch_size=4)
    Trainer(
        Linear(),
        options,
        train_dataset=table,
        eval_dataset=table,
        metrics_collectors=number,
        metrics_collection_epochs=[0, 2],
    ).train()


def main():
    torch.set_num_threads(1)
    kind, table, folder = sys.argv[1:]
    globals()[kind](tlc.Table.from_url(table), folder)


if __name__ == "__main__":
    main()
