"""Collecting predicted instances on the way, against the same validation of a trainer without."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from PIL import Image

from benchmarks.harness import Case

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

ROWS, WIDTH, HEIGHT, INPUT = 48, 640, 480, 320
DETECTIONS = 20
MODELS = {"detect": "yolo11n.yaml", "segment": "yolo11n-seg.yaml"}


def settings_folder() -> None:
    """Give the framework a folder of settings with the font that it would download."""
    for place in (FOLDER, FOLDER / "Ultralytics"):
        place.mkdir(exist_ok=True)
        shutil.copy(
            Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), place / "Arial.ttf"
        )
    os.environ["YOLO_CONFIG_DIR"] = str(FOLDER)


def pictures(task: str) -> Table:
    """Return a table of noise, with four instances in each image."""
    from tlc.data_types import BoundingBoxes2D, SegmentationPolygons
    from tlc.table import Table

    rng = np.random.default_rng(0)
    size = {"image_width": WIDTH, "image_height": HEIGHT}
    images, cells = [], []
    for row in range(ROWS):
        images.append(str(FOLDER / f"{task}-{row}.jpg"))
        pixels = rng.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
        Image.fromarray(pixels).resize((WIDTH, HEIGHT)).save(images[-1])
        low = rng.uniform(0, 300, (4, 2))
        boxes = np.concatenate([low, low + rng.uniform(40, 170, (4, 2))], axis=1)
        labels = rng.integers(0, 80, 4)
        if task == "detect":
            cells.append(BoundingBoxes2D(boxes, labels, **size))
        else:
            outlines = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].tolist()
            cells.append(SegmentationPolygons(polygons=outlines, labels=labels, **size))
    kind = BoundingBoxes2D if task == "detect" else SegmentationPolygons
    schema = {"labels": kind.schema(classes=[f"class {i}" for i in range(80)])}
    return Table.from_dict({"image": images, "labels": cells}, schema, table_name=task)


def validated(task: str, table: Table, run: Any, **settings: Any) -> Callable[[], object]:
    """Return a validation of a model of random weights, which finds the same things each time."""
    import torch

    from tlc.integration.ultralytics import YOLO, Settings

    torch.manual_seed(0)
    model = YOLO(MODELS[task])
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
    for task in MODELS:
        table = pictures(task)
        yield Case(
            f"Ultralytics' validation of {ROWS} images {WIDTH} x {HEIGHT}, {task}, "
            f"input of {INPUT}, {DETECTIONS} predictions each",
            {
                "trainer alone": validated(task, table, run, collection_disable=True),
                "tlc": validated(task, table, run, conf_thres=0.0, max_det=DETECTIONS),
            },
            unit=ROWS,
            rounds=5,
            goal=1.05,
        )
