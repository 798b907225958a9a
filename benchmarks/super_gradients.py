"""Metrics collected in SuperGradients' test of a classifier, against the same test without."""

from __future__ import annotations

from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from benchmarks.harness import Case
from tlc.run import Run
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# These are read when the framework is imported.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "CRASH_HANDLER": "FALSE"}

ROWS, BATCH, CLASSES = 1_280, 64, 10
IMAGES = torch.rand(ROWS, 3, 32, 32)


def sample(row: dict[str, Any]) -> tuple[torch.Tensor, int]:
    return IMAGES[row["id"]], row["label"]


def tested(view: Any, model: Any, *callbacks: Any) -> Callable[[], object]:
    """Return a test by a trainer that is there already."""
    from super_gradients.training import Trainer
    from super_gradients.training.metrics import Accuracy

    loader = DataLoader(view, BATCH)
    trainer = Trainer("bench", ckpt_root_dir=mkdtemp())
    return lambda: trainer.test(
        model,
        loader,
        test_metrics_list=[Accuracy()],
        test_phase_callbacks=list(callbacks),
        silent_mode=True,
    )


def cases() -> Iterator[Case]:
    from super_gradients.training import models

    from tlc.integration.super_gradients import MetricsCollectionCallback
    from tlc.metrics import ClassificationMetricsCollector

    torch.set_num_threads(1)
    labels = np.random.default_rng(0).integers(0, CLASSES, ROWS, dtype=np.int32)
    table = Table.from_dict({"id": np.arange(ROWS), "label": labels}, table_name="images")
    view = table.with_transform(sample)
    model = models.get("resnet18_cifar", num_classes=CLASSES)
    callback = MetricsCollectionCallback(
        metrics_collectors=ClassificationMetricsCollector(), run=Run.create("bench")
    )
    yield Case(
        f"SuperGradients' test of {ROWS:,} images 3 x 32 x 32, batches of {BATCH}, ResNet-18",
        {"trainer alone": tested(view, model), "tlc": tested(view, model, callback)},
        unit=ROWS,
        rounds=5,
        goal=1.05,
    )
