"""Epochs of a ``DataLoader`` over JPEG files.

Each round of each side has a process of its own, and the quickest counts. An epoch takes as long as
the one before in the same process, but 440, 570 or 690 us an image in the next process, for either
side, with nothing else running: it depends on the pages that the process happens to get.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

import tlc
from benchmarks.harness import Case
from benchmarks.processes import fresh
from benchmarks.reading import reopened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Or each image gets its pages anew from the system, as often as the allocator happens to decide.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "1073741824", "MALLOC_MMAP_THRESHOLD_": "33554432"}

IMAGES = 2_000


def cases() -> Iterator[Case]:
    paths = jpeg_files()
    table = reopened({"image": paths}, {"image": tlc.schemas.ImageSchema()}, "images")
    by_tlc = f"tlc.Table.from_url({str(table.url)!r}).with_transform(images.to_tensor)"
    by_hand = f"images.Files({str(Path(paths[0]).parent)!r})"
    for workers in (0, 2):
        yield Case(
            f"DataLoader, {IMAGES:,} JPEG images of 224 x 224, {workers} workers",
            {"PIL": alone(by_hand, workers), "tlc": alone(by_tlc, workers)},
            unit=IMAGES,
            goal=1.03,
            rounds=25,
            quickest=True,
        )


def jpeg_files() -> list[str]:
    """Write the images, and return where they are."""
    rng = np.random.default_rng(0)
    folder, paths = Path(mkdtemp()), []
    smooth = np.linspace(0, 255, 224).astype(np.uint8)
    for number in range(IMAGES):
        noise = rng.integers(0, 60, (224, 224, 3)).astype(np.uint8)
        paths.append(str(folder / f"{number:05d}.jpg"))
        Image.fromarray(noise + smooth[:, None, None] // 2).save(paths[-1], quality=90)
    return paths


def alone(dataset: str, workers: int) -> Callable[[], object]:
    """Return a side that runs through a dataset in a new process, once it is warm."""
    setup = (
        "import tlc, torch; from benchmarks import images, loading; torch.set_num_threads(1)\n"
        f"def side(count): loading.epoch({dataset}, range(count), {workers}, batch_size=32)()\n"
        "side(256)"
    )
    own = {"PYTHONPATH": os.pathsep.join(sys.path)}
    return lambda: fresh(f"side({IMAGES})", setup=setup, environment=own)


class Files(Dataset[Any]):
    """Images as anybody reads them."""

    def __init__(self, folder: str) -> None:
        self.paths = sorted(map(str, Path(folder).iterdir()))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        with Image.open(self.paths[index]) as image:
            return to_tensor({"image": image.convert("RGB")})


def to_tensor(sample: dict[str, Any]) -> torch.Tensor:
    """The transform of each image."""
    return torch.from_numpy(np.array(sample["image"]))
