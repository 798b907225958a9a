"""Predicted instances collected in Ultralytics' validation, against the same validation without."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import matplotlib

from benchmarks.harness import Case
from benchmarks.pictures import HEIGHT, ROWS, WIDTH, pictures
from tlc.data_types import BoundingBoxes2D, SegmentationPolygons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tlc.table import Table

FOLDER = Path(mkdtemp())
# These are read when the framework is imported.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
    "YOLO_OFFLINE": "true",
    "YOLO_AUTOINSTALL": "false",
    "YOLO_VERBOSE": "false",
}

INPUT, DETECTIONS = 320, 20
TASKS = {
    "detect": ("yolo11n.yaml", BoundingBoxes2D),
    "segment": ("yolo11n-seg.yaml", SegmentationPolygons),
}


def settings_folder() -> None:
    """Give the framework a folder of settings with the font that it would download."""
    for place in (FOLDER, FOLDER / "Ultralytics"):
        place.mkdir(exist_ok=True)
        shutil.copy(
            Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), place / "Arial.ttf"
        )
    os.environ["YOLO_CONFIG_DIR"] = str(FOLDER)


def validated(weights: str, table: Table, run: Any, **settings: Any) -> Callable[[], object]:
    """Return a validation of a model of random weights, which finds the same things each time."""
    import torch

    from tlc.integration.ultralytics import YOLO, Settings

    torch.manual_seed(0)
    model = YOLO(weights)
    options = {"imgsz": INPUT, "batch": 16, "workers": 0, "max_det": DETECTIONS, "conf": 1e-9}
    quiet = {"plots": False, "verbose": False, "project": str(FOLDER), "exist_ok": True}
    chosen = Settings(**settings)
    return lambda: model.val(table=table, settings=chosen, run=run, **options, **quiet)


def cases() -> Iterator[Case]:
    settings_folder()
    import torch

    from tlc.run import Run

    torch.set_num_threads(1)
    run = Run.create("bench")
    for task, (weights, kind) in TASKS.items():
        table = pictures(kind)
        yield Case(
            f"Ultralytics' validation of {ROWS} images {WIDTH} x {HEIGHT}, {task}, "
            f"input of {INPUT}, {DETECTIONS} predictions each",
            {
                "trainer alone": validated(weights, table, run, collection_disable=True),
                "tlc": validated(weights, table, run, conf_thres=0.0, max_det=DETECTIONS),
            },
            unit=ROWS,
            rounds=5,
            goal=1.05,
        )
