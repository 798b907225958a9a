"""Collecting per-sample metrics, against the bare loop over the same view."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.harness import Case
from tlc.metrics import ClassificationMetricsCollector, collect_metrics
from tlc.run import Run
from tlc.table import Table, TableView

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS, BATCH = 50_000, 256
IMAGES = torch.rand(1000, 3 * 8 * 8)


def sample(row: dict[str, Any]) -> tuple[torch.Tensor, int]:
    return IMAGES[row["id"] % 1000], row["label"]


def cases() -> Iterator[Case]:
    labels = np.random.default_rng(0).integers(0, 10, ROWS, dtype=np.int32)
    table = Table.from_dict({"id": np.arange(ROWS), "label": labels}, table_name="images")
    view = table.with_transform(sample)
    model = nn.Sequential(nn.Linear(3 * 8 * 8, 10)).eval()
    run = Run.create("bench")
    yield Case(
        f"a pass over {ROWS:,} samples, batches of {BATCH}",
        {
            "bare loop": lambda: bare(view, model),
            "loss, label, confidence by hand to Parquet": lambda: by_hand(view, model),
            "tlc collect_metrics": lambda: collect_metrics(
                view,
                ClassificationMetricsCollector(),
                model,
                run_url=run.url,
                dataloader_args={"batch_size": BATCH},
            ),
        },
        unit=ROWS,
        rounds=3,
    )


def bare(view: TableView, model: nn.Module) -> None:
    with torch.inference_mode():
        for images, _ in DataLoader(view, batch_size=BATCH):
            model(images)


def by_hand(view: TableView, model: nn.Module) -> None:
    columns: dict[str, list[np.ndarray]] = {"loss": [], "predicted": [], "confidence": []}
    with torch.inference_mode():
        for images, labels in DataLoader(view, batch_size=BATCH):
            logits = model(images)
            confidence, predicted = logits.softmax(1).max(1)
            loss = nn.functional.cross_entropy(logits, labels, reduction="none")
            for name, values in zip(columns, (loss, predicted, confidence), strict=True):
                columns[name].append(values.numpy())
    path = Path(mkdtemp()) / "floor.parquet"
    pq.write_table(pa.table({k: np.concatenate(v) for k, v in columns.items()}), path)
