"""Training of two ranks of Lightning: each writes the rows that it was trained on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightning.pytorch as lightning
import torch
from torch.utils.data import DataLoader

from tlc.samplers import create_sampler
from tlc.testing.sampler_contract import TableStandIn

WEIGHTS = [float(row % 4) for row in range(45)]
KINDS = {"draw": {}, "repeat": {"repeat_by_weight": True}, "once": {"weighted": False}}


class Seeing(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen = []

    def on_train_epoch_start(self):
        self.seen.append([])

    def training_step(self, batch, _):
        self.seen[-1] += batch.tolist()
        return self.layer(batch[:, None].float()).sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.0)


def main(folder):
    found = {}
    for kind, arguments in KINDS.items():
        module = Seeing()
        trainer = lightning.Trainer(
            accelerator="cpu",
            strategy="ddp",
            devices=2,
            max_epochs=2,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        sampler = create_sampler(TableStandIn(WEIGHTS), **arguments)
        trainer.fit(module, DataLoader(TableStandIn(WEIGHTS), batch_size=4, sampler=sampler))
        assert trainer.train_dataloader.sampler is sampler
        found[kind] = module.seen
    Path(folder, f"{trainer.global_rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
