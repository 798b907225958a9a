"""Making a table from a folder of images; no image is opened."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.harness import Case, unsynced
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1", "HF_HUB_OFFLINE": "1"}
CLASSES, IMAGES = 100, 500


def cases() -> Iterator[Case]:
    folder = _images()
    yield Case(
        f"from_image_folder, {CLASSES * IMAGES:,} files in {CLASSES} classes",
        {
            "os.scandir + Parquet": lambda: _scan(folder),
            "tlc": unsynced(lambda: _table(folder)),
            "datasets imagefolder": lambda: _datasets(folder),
        },
        unit=CLASSES * IMAGES,
        rounds=5,
        goal=3,
    )


def _images() -> str:
    """Make the folder; the files are empty, since nobody may open them."""
    folder = Path(mkdtemp())
    for label in range(CLASSES):
        (folder / f"class {label:02}").mkdir()
        for image in range(IMAGES):
            (folder / f"class {label:02}" / f"image-{image:05}.jpg").touch()
    return str(folder)


def _scan(folder: str) -> None:
    paths, labels = [], []
    for label, name in enumerate(sorted(os.listdir(folder))):
        for entry in os.scandir(os.path.join(folder, name)):
            if entry.is_file():
                paths.append(entry.path)
                labels.append(label)
    columns = {"image": pa.array(paths), "label": pa.array(labels, pa.int32())}
    pq.write_table(pa.table(columns), os.path.join(mkdtemp(), "floor.parquet"), compression="zstd")


def _table(folder: str) -> Table:
    return Table.from_image_folder(folder, table_name="images", if_exists="overwrite")


def _datasets(folder: str) -> object:
    from datasets import load_dataset

    return load_dataset("imagefolder", data_dir=folder, cache_dir=mkdtemp())
