"""A process that evaluates and collects: ``python hugging_face_memory.py FOLDER ROWS ROWS``.

It prints for each number of rows how many bytes the process has held at most since it began, and
how many rows were collected. The first is to be warm: what is loaded once is no growth.
"""

from __future__ import annotations

import json
import resource
import sys

import numpy as np
import torch
from transformers import TrainingArguments

import tlc
from tlc.integration.hugging_face import Trainer

WIDTH = 256
"""Logits of a row: if they were kept, they would take a kibibyte."""


class Wide(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, WIDTH)

    def forward(self, x, labels=None):
        logits = self.layer(x[:, None])
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def batched(samples):
    rows = np.array([(sample["x"], sample["label"]) for sample in samples], np.float32)
    x, labels = torch.from_numpy(rows).unbind(1)
    return {"x": x, "labels": labels.long()}


def collect(folder, rows):
    """Evaluate, then make a pass of our own."""
    columns = {"x": np.linspace(0, 1, rows, dtype=np.float32), "label": np.arange(rows) % WIDTH}
    table = tlc.Table.from_dict(columns, project_name="memory", table_name=f"rows {rows}")
    options = {"use_cpu": True, "report_to": [], "disable_tqdm": True}
    sizes = {"per_device_eval_batch_size": 1024, "remove_unused_columns": False}
    trainer = Trainer(
        Wide(),
        TrainingArguments(folder, prediction_loss_only=True, **options, **sizes),
        train_dataset=table,
        data_collator=batched,
        metrics_collectors=lambda batch, output: {"first": output.forward["logits"][:, 0]},
    )
    trainer.evaluate(table)
    trainer.collect_metrics(0)


def main():
    torch.set_num_threads(1)
    folder, *counts = sys.argv[1:]
    run = tlc.init("memory")
    found = []
    for count in map(int, counts):
        collect(folder, count)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        found.append([most, sum(len(each) for each in run.metrics_tables)])
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
