"""Collecting per-sample metrics on the way, against the same pass of a trainer without."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import lightning.pytorch as lightning
import numpy as np
import torch
import transformers
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.harness import Case
from tlc.integration.hugging_face import Trainer
from tlc.integration.lightning import MetricsCollectionCallback
from tlc.metrics import ClassificationMetricsCollector
from tlc.run import Run
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Or each batch of images gets its pages anew from the system, which costs more than a small model.
ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    # These are read when the frameworks are imported.
    "OMP_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
    "TRANSFORMERS_VERBOSITY": "error",
}

ROWS, BATCH, CLASSES = 6_400, 64, 10
IMAGES = torch.rand(1000, 3, 32, 32)
FOLDER = Path(mkdtemp())
COLLECTOR = ClassificationMetricsCollector()


class NullNet(nn.Module):
    """Costs nothing, so that what is left is the trainer and the collection."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :CLASSES]


class ConvNet(nn.Sequential):
    """Takes some 0.2 ms per image on one core."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for before, after, stride in [(3, 32, 1), (32, 32, 2), (32, 64, 1), (64, 128, 2)]:
            layers += [nn.Conv2d(before, after, 3, stride, 1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, CLASSES))


class Module(lightning.LightningModule):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.net(images)

    def validation_step(self, batch: Any, _: int) -> None:
        self.log("val_loss", nn.functional.cross_entropy(self(batch[0]), batch[1]))


class Classifier(nn.Module):
    """A net as models of `transformers` are called."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.weight = nn.Parameter(torch.zeros(1))  # their trainer wants to know a device

    def forward(self, images: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.net(images)
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def as_pair(row: dict[str, Any]) -> tuple[torch.Tensor, int]:
    return IMAGES[row["id"] % len(IMAGES)], row["label"]


def as_inputs(row: dict[str, Any]) -> dict[str, Any]:
    return {"images": IMAGES[row["id"] % len(IMAGES)], "labels": row["label"]}


def validated(net: nn.Module, view: TableView, *callbacks: Any) -> Callable[[], object]:
    """Return a pass of a Lightning trainer that is there already."""
    module, loader = Module(net), DataLoader(view, BATCH)
    trainer = lightning.Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        default_root_dir=FOLDER,
    )
    return lambda: trainer.validate(module, loader, verbose=False)


def evaluated(net: nn.Module, view: TableView, kind: Any, **options: Any) -> Callable[[], object]:
    """Return a pass of a Hugging Face trainer that is there already."""
    arguments = transformers.TrainingArguments(
        str(FOLDER),
        use_cpu=True,
        report_to=[],
        disable_tqdm=True,
        per_device_eval_batch_size=BATCH,
    )
    trainer = kind(Classifier(net), arguments, eval_dataset=view, **options)
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer.evaluate


def cases() -> Iterator[Case]:
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    labels = np.random.default_rng(0).integers(0, CLASSES, ROWS, dtype=np.int32)
    table = Table.from_dict({"id": np.arange(ROWS), "label": labels}, table_name="images")
    run = Run.create("bench")
    name = f"{ROWS:,} images 3 x 32 x 32, batches of {BATCH}"
    yield from _cases(f"{name}, a small convolutional net", ConvNet(), table, run, 1.05)
    yield from _cases(f"{name}, a model that costs nothing", NullNet(), table, run, None)


def _cases(name: str, net: nn.Module, table: Table, run: Run, goal: float | None) -> Iterator[Case]:
    pairs, inputs = table.with_transform(as_pair), table.with_transform(as_inputs)
    callback = MetricsCollectionCallback(COLLECTOR, run=run)
    yield Case(
        f"Lightning's validation of {name}",
        {"trainer alone": validated(net, pairs), "tlc": validated(net, pairs, callback)},
        unit=ROWS,
        rounds=15,
        goal=goal,
    )
    yield Case(
        f"Hugging Face's evaluation of {name}",
        {
            "trainer alone": evaluated(net, inputs, transformers.Trainer),
            "tlc": evaluated(net, inputs, Trainer, metrics_collectors=COLLECTOR, run=run),
        },
        unit=ROWS,
        rounds=15,
        goal=goal,
    )
