"""Collecting per-sample metrics, against the bare loop over the same view."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn
from torch.utils.data import DataLoader

from benchmarks.harness import Case, Fact, unsynced
from benchmarks.memory import added_megabytes
from tlc.metrics import (
    ClassificationMetricsCollector,
    EmbeddingsMetricsCollector,
    Predictor,
    collect_metrics,
)
from tlc.run import Run
from tlc.table import Table, TableView
from tlc.writers import MetricsTableWriter

if TYPE_CHECKING:
    from collections.abc import Iterator

# Or each batch of images gets its pages anew from the system, which costs more than a small model.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_MMAP_THRESHOLD_": "33554432"}

ROWS, BATCH, CLASSES, FEATURES = 50_000, 256, 10, 128
IMAGES = torch.rand(1000, 3, 32, 32)
FOLDER = Path(mkdtemp())


class NullNet(nn.Module):
    """Costs nothing, so that what is left is the loop and the collection."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :CLASSES]


class ConvNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, FEATURES, 3, stride=4, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images))


def sample(row: dict[str, Any]) -> tuple[torch.Tensor, int]:
    return IMAGES[row["id"] % len(IMAGES)], row["label"]


class Work:
    """A view and a model, and the ways to pass over them."""

    def __init__(self, model: nn.Module, rows: int = ROWS) -> None:
        torch.set_num_threads(1)
        labels = np.random.default_rng(0).integers(0, CLASSES, rows, dtype=np.int32)
        self.table = Table.from_dict(
            {"id": np.arange(rows), "label": labels},
            table_name=f"{rows} images",
            if_exists="overwrite",
        )
        self.view: TableView = self.table.with_transform(sample)
        self.model = model.eval()
        self.run = Run.create("bench", if_exists="overwrite")

    def bare(self) -> None:
        with torch.inference_mode():
            for images, _ in DataLoader(self.view, batch_size=BATCH):
                self.model(images)

    def by_hand(self) -> None:
        columns: dict[str, list[np.ndarray]] = {"loss": [], "predicted": [], "confidence": []}
        with torch.inference_mode():
            for images, labels in DataLoader(self.view, batch_size=BATCH):
                for name, values in _metrics(self.model(images), labels).items():
                    columns[name].append(values.numpy())
        joined = {name: np.concatenate(values) for name, values in columns.items()}
        pq.write_table(pa.table(joined), FOLDER / "floor.parquet", compression="zstd")

    def by_hand_with_features(self) -> None:
        columns: dict[str, list[np.ndarray]] = {"loss": [], "predicted": [], "confidence": []}
        features = []
        with torch.inference_mode():
            for images, labels in DataLoader(self.view, batch_size=BATCH):
                hidden = self.model.features(images)
                features.append(hidden.numpy())
                for name, values in _metrics(self.model.head(hidden), labels).items():
                    columns[name].append(values.numpy())
        joined = {name: pa.array(np.concatenate(values)) for name, values in columns.items()}
        flat = pa.array(np.concatenate(features).reshape(-1))
        joined["features"] = pa.FixedSizeListArray.from_arrays(flat, FEATURES)
        pq.write_table(pa.table(joined), FOLDER / "floor.parquet", compression="zstd")

    def collect(self) -> None:
        self._collect(ClassificationMetricsCollector(), self.model)

    def collect_three(self) -> None:
        """Collect what the floor does, and no more."""
        self._collect(lambda batch, output: _metrics(output.forward, batch[1]), self.model)

    def collect_with_features(self) -> None:
        layer = [name for name, _ in self.model.named_modules()].index("features")
        collectors = [ClassificationMetricsCollector(), EmbeddingsMetricsCollector([layer])]
        self._collect(collectors, Predictor(self.model, layers=[layer]))

    def _collect(self, collectors: Any, predictor: Any) -> None:
        collect_metrics(
            self.view,
            collectors,
            predictor,
            run_url=self.run.url,
            dataloader_args={"batch_size": BATCH},
        )

    def own_loop(self) -> None:
        start = 0
        with torch.inference_mode(), MetricsTableWriter(self.run, self.table) as writer:
            for images, labels in DataLoader(self.view, batch_size=BATCH):
                ids = np.arange(start, start + len(labels))
                start += len(labels)
                writer.add_batch({"example_id": ids, **_metrics(self.model(images), labels)})


def _metrics(logits: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    confidence, predicted = logits.softmax(1).max(1)
    loss = nn.functional.cross_entropy(logits, labels.long(), reduction="none")
    return {"loss": loss, "predicted": predicted, "confidence": confidence}


def cases() -> Iterator[Case | Fact]:
    small = Work(NullNet())
    name = f"metrics of {ROWS:,} images 3 x 32 x 32, batches of {BATCH}"
    yield Case(
        f"{name}, a model that costs nothing",
        {
            "bare loop": small.bare,
            "loss, label, confidence by hand to Parquet": small.by_hand,
            "tlc": unsynced(small.collect),
            "tlc, synced": small.collect,
            "tlc, the floor's 3 columns instead of 9": unsynced(small.collect_three),
        },
        unit=ROWS,
        rounds=5,
        goal=2,
        less="bare loop",
    )
    yield Case(
        f"{name}, MetricsTableWriter in one's own loop",
        {
            "bare loop": small.bare,
            "loss, label, confidence by hand to Parquet": small.by_hand,
            "tlc": unsynced(small.own_loop),
            "tlc, synced": small.own_loop,
        },
        unit=ROWS,
        rounds=5,
        goal=1.5,
        less="bare loop",
    )
    yield from _convolutions(name)
    yield from _memory()


def _convolutions(name: str) -> Iterator[Case]:
    conv = Work(ConvNet())
    yield Case(
        f"{name}, a small convolutional net",
        {
            "bare pass": conv.bare,
            "tlc": unsynced(conv.collect),
            "tlc, synced": conv.collect,
            "loss, label, confidence by hand to Parquet": conv.by_hand,
        },
        unit=ROWS,
        rounds=5,
        goal=1.05,
    )
    yield Case(
        f"{name}, and its {FEATURES} features",
        {
            "by hand to Parquet": conv.by_hand_with_features,
            "tlc": unsynced(conv.collect_with_features),
        },
        unit=ROWS,
        rounds=5,
        goal=1.15,
    )


def _memory() -> Iterator[Fact]:
    for rows in (ROWS, 4 * ROWS):
        name = f"metrics of {rows:,} images, memory over the loop"
        yield Fact(name, lambda rows=rows: _memory_over_loop(rows), 20, "MB")


def _memory_over_loop(rows: int) -> float:
    """Return megabytes; medians, since processes that do the same differ by as much as that."""
    setup = (
        f"from benchmarks import collecting\nwork = collecting.Work(collecting.NullNet(), {rows})"
    )
    warm = f"{setup}; work.bare(); collecting.Work(work.model, 512).collect()"
    bare, collected = (
        median(
            added_megabytes(f"work.{work}()", setup=warm, environment=ENVIRONMENT) for _ in range(7)
        )
        for work in ("bare", "collect")
    )
    return collected - bare
