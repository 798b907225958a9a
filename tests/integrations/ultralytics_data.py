"""Small data sets and models for tests with Ultralytics."""

from __future__ import annotations

import numpy as np
from PIL import Image

import tlc

BODY = """
nc: 2
kpt_shape: [2, 3]
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, SPPF, [8, 5]]
head:
"""
HEADS = {
    "detect": "  - [[3], 1, Detect, [nc]]",
    "segment": "  - [[3], 1, Segment, [nc, 8, 8]]",
    "pose": "  - [[3], 1, Pose, [nc, kpt_shape]]",
    "obb": "  - [[3], 1, OBB, [nc, 1]]",
    "classify": "  - [-1, 1, Classify, [nc]]",
}
IDS = (3, 7)
"""Ids of the classes of `task_table`."""

SIZES = [(70, 50), (48, 64), (33, 60), (64, 64), (90, 45)]
"""Widths and heights of its images."""

LABELS = {
    "detect": "0.5 0.5 0.4 0.3",
    "segment": "0.3 0.3 0.7 0.35 0.6 0.8",
    "pose": "0.5 0.5 0.4 0.3 0.4 0.4 2 0.6 0.55 1",
    "obb": "0.25 0.25 0.75 0.25 0.75 0.5 0.25 0.5",
    "classify": "",
}
QUICK = {
    "epochs": 1,
    "batch": 4,
    "imgsz": 64,
    "plots": False,
    "verbose": False,
    "device": "cpu",
    "exist_ok": True,
}
"""Arguments of a short training."""


def tiny(folder, task="detect"):
    """Write the description of a small model, and return its path."""
    path = folder / f"tiny-{task}.yaml"
    path.write_text(BODY + HEADS[task])
    return str(path)


def grey_images(folder, rows, **options):
    """Write images whose grey is the number of the row, with a box each, and return their table."""
    root = folder / "data"
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for row in range(rows):
        Image.new("RGB", (64, 64), (row, row, row)).save(root / f"images/{row:02}.png")
        (root / f"labels/{row:02}.txt").write_text(f"{row % 2} 0.5 0.5 0.25 0.5")
    (root / "data.yaml").write_text("train: images\nval: images\nnames: [even, odd]")
    return tlc.Table.from_yolo(root / "data.yaml", "train", **options)


def noted_grey(batch):
    """Return the row numbers that images of `grey_images` tell in a batch of a validator."""
    height, width = batch["img"].shape[2:]
    return (batch["img"][:, 0, height // 2, width // 2] * 255).round().long()


def task_table(folder, task, **options):
    """Write images of several sizes with an instance each, and return their table."""
    random = np.random.default_rng(0)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for row, (width, height) in enumerate(SIZES):
        pixels = random.integers(0, 255, (height, width, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"images/{row}.png")
        (folder / f"labels/{row}.txt").write_text(f"{IDS[row % 2]} {LABELS[task]}")
    if task == "classify":
        images = [str(folder / f"images/{row}.png") for row in range(len(SIZES))]
        schema = {
            "image": tlc.schemas.ImageSchema(sample_type="pil_png"),
            "label": tlc.schemas.CategoricalLabelSchema(dict(zip(IDS, "ab", strict=True))),
        }
        labels = [IDS[row % 2] for row in range(len(SIZES))]
        return tlc.Table.from_dict({"image": images, "label": labels}, schema, **options)
    return tlc.Table.from_yolo_url(
        folder / "images", dict(zip(IDS, "ab", strict=True)), task=task, **options
    )
