"""Epochs of a ``DataLoader`` over JPEG files."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

import tlc
from benchmarks.harness import Case
from benchmarks.loading import epoch
from benchmarks.reading import reopened

if TYPE_CHECKING:
    from collections.abc import Iterator

# Or each image gets its pages anew from the system, as often as the allocator happens to decide.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_MMAP_THRESHOLD_": "33554432"}

IMAGES = 2_000


def cases() -> Iterator[Case]:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    folder, paths = Path(mkdtemp()), []
    smooth = np.linspace(0, 255, 224).astype(np.uint8)
    for number in range(IMAGES):
        noise = rng.integers(0, 60, (224, 224, 3)).astype(np.uint8)
        paths.append(str(folder / f"{number:05d}.jpg"))
        Image.fromarray(noise + smooth[:, None, None] // 2).save(paths[-1], quality=90)
    table = reopened({"image": paths}, {"image": tlc.schemas.ImageSchema()}, "images")
    view, rows = table.with_transform(to_tensor), list(range(IMAGES))
    for workers in (0, 2):
        yield Case(
            f"DataLoader, {IMAGES:,} JPEG images of 224 x 224, {workers} workers",
            {
                "PIL": epoch(Files(paths), rows, workers, batch_size=32),
                "tlc": epoch(view, rows, workers, batch_size=32),
            },
            unit=IMAGES,
            goal=1.03,
            rounds=9,
        )


class Files(Dataset[Any]):
    """Images as anybody reads them."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        with Image.open(self.paths[index]) as image:
            return to_tensor({"image": image.convert("RGB")})


def to_tensor(sample: dict[str, Any]) -> torch.Tensor:
    """The transform of each image."""
    return torch.from_numpy(np.array(sample["image"]))
