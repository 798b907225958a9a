"""Trains on two processes, started as Ultralytics starts them for several GPUs, but on the CPU.

Ultralytics itself trains on the CPU in one process only: what it does for GPUs is done for the CPU
here.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.distributed as dist
import ultralytics.engine.validator
from tests.integrations.ultralytics_data import QUICK, noted_grey, tiny
from ultralytics.nn.autobackend import AutoBackend
from ultralytics.utils import LOCAL_RANK, RANK

import tlc
from tlc.integration.ultralytics import YOLO, Settings, trainers


class TrainerOnCpu(trainers.DetectionTrainer):
    """Trains on two processes without a GPU, and notes which images it trains on."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.world_size, self.ddp = 2, LOCAL_RANK == -1

    def _setup_ddp(self):
        dist.init_process_group("gloo", rank=RANK, world_size=self.world_size)

    def _setup_train(self):
        wrapper = torch.nn.parallel.DistributedDataParallel

        def without_devices(model, device_ids, **options):
            return wrapper(model, **options)

        torch.nn.parallel.DistributedDataParallel = without_devices
        super()._setup_train()
        torch.nn.parallel.DistributedDataParallel = wrapper

    def preprocess_batch(self, batch):
        folder = Path(self.args.project)
        with (folder / f"seen-{RANK}.jsonl").open("a") as file:
            names = [Path(each).stem for each in batch["im_file"]]
            file.write(json.dumps([self.epoch, names]) + "\n")
        return super().preprocess_batch(batch)

    def final_eval(self):
        # Validators look for the GPU of their rank.
        validator = ultralytics.engine.validator
        validator.get_torch_device_backend = lambda _: SimpleNamespace(current_device=lambda: 0)
        validator.AutoBackend = on_cpu
        super().final_eval()


def on_cpu(device, **options):
    return AutoBackend(device=torch.device("cpu"), **options)


def main(folder, settings, url):
    """Train on a table for two epochs."""

    options = json.loads(settings)
    fails = options.pop("fails", False)

    def number(_, batch):  # other processes cannot import it
        if fails:
            raise RuntimeError("enough")
        return {"number": noted_grey(batch)}

    torch.set_num_threads(1)
    trainers.TRAINERS["detect"] = TrainerOnCpu
    table = tlc.Table.from_url(url)
    YOLO(tiny(Path(folder))).train(
        tables={"train": table, "val": table},
        settings=Settings(
            project_name="ranks",
            run_name="ranks",
            metrics_collection_function=number,
            **options,
        ),
        **{**QUICK, "epochs": 2, "batch": 8},
        mosaic=0.0,
        project=folder,
        name="training",
    )
