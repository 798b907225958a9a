"""A small detector, small images, and a trainer: for tests with Detectron2."""

from __future__ import annotations

import json
from pathlib import Path

import detectron2.data.datasets
import detectron2.engine
import detectron2.evaluation
import detectron2.model_zoo
import numpy as np
import torch
from detectron2.config import get_cfg
from detectron2.modeling import META_ARCH_REGISTRY
from detectron2.structures import Boxes, Instances
from PIL import Image

import tlc
from tlc.data_types import BoundingBoxes2D

SIZE = 32
CLASSES = ["even", "odd"]


class TinyDetector(torch.nn.Module):
    """Finds one box in each image; images are 32 pixels wide and high."""

    def __init__(self, cfg):
        super().__init__()
        self.features = torch.nn.Conv2d(3, 4, 5, 4)
        self.norm = torch.nn.BatchNorm2d(4)  # so that the mode makes a difference
        self.dropout = torch.nn.Dropout(0.1)  # so that the random state does
        self.head = torch.nn.Linear(4, 6)

    def forward(self, batched_inputs):
        images = torch.stack([each["image"].float() / 255 for each in batched_inputs])
        means = self.norm(self.features(images)).relu().mean((2, 3))
        made = self.head(self.dropout(means))
        corners, logits = made[:, :4].sigmoid() * SIZE, made[:, 4:]
        if self.training:
            found = [each["instances"] for each in batched_inputs]
            wanted = torch.stack([each.gt_boxes.tensor[0] for each in found])
            classes = torch.stack([each.gt_classes[0] for each in found])
            return {
                "loss_box": (corners - wanted).abs().mean() / SIZE,
                "loss_cls": torch.nn.functional.cross_entropy(logits, classes),
            }
        low = torch.minimum(corners[:, :2], corners[:, 2:])
        boxes = torch.cat([low, torch.maximum(corners[:, :2], corners[:, 2:])], 1)
        scores, classes = logits.softmax(1).max(1)
        return [
            {
                "instances": Instances(
                    (each["height"], each["width"]),
                    pred_boxes=Boxes(boxes[i : i + 1]),
                    scores=scores[i : i + 1],
                    pred_classes=classes[i : i + 1],
                )
            }
            for i, each in enumerate(batched_inputs)
        ]


META_ARCH_REGISTRY.register(TinyDetector)


def images(folder, count):
    """Write images whose grey value is four times their number, and return their paths."""
    paths = [Path(folder) / f"{number:02}.png" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(np.full((SIZE, SIZE, 3), 4 * number, np.uint8)).save(path)
    return [str(path) for path in paths]


def table_of_boxes(folder, count, **options):
    """Return a table of images with a box each, the class of which is even or odd."""
    boxes = [
        BoundingBoxes2D([[4, 4, 20, 28]], [number % 2], image_width=SIZE, image_height=SIZE)
        for number in range(count)
    ]
    schemas = {
        "image": tlc.schemas.ImageSchema(sample_type="url"),
        "bbs": BoundingBoxes2D.schema(classes=CLASSES),
    }
    columns = {"image": images(folder, count), "bbs": boxes}
    return tlc.Table.from_dict(columns, schemas, **{"project_name": "detectron2", **options})


def coco_file(folder, count, *, crowd=()):
    """Write a COCO file, and return it and the folder of its images.

    Each image has an instance of one of two classes with the ids 3 and 7, and the id 100 and its
    number.

    Args:
        folder: Where to.
        count: Number of images.
        crowd: Numbers of the images whose instance is a crowd.
    """
    there = Path(folder) / "images"
    there.mkdir()
    names = [Path(path).name for path in images(there, count)]
    annotations = [
        {
            "id": number + 1,
            "image_id": number + 100,
            "category_id": 3 + 4 * (number % 2),
            "bbox": [4, 4, 20, 24],
            "area": 480,
            "iscrowd": int(number in crowd),
            "segmentation": [[4, 4, 24, 4, 24, 28, 4, 28]],
            "keypoints": [8, 8, 2, 20, 8, 2, 14, 24, 1],
            "num_keypoints": 3,
        }
        for number in range(count)
    ]
    records = [
        {"id": number + 100, "file_name": name, "width": SIZE, "height": SIZE}
        for number, name in enumerate(names)
    ]
    points = {"keypoints": ["left", "right", "top"], "skeleton": [[1, 3], [2, 3]]}
    categories = [{"id": 3, "name": "cat", **points}, {"id": 7, "name": "dog", **points}]
    file = Path(folder) / "coco.json"
    content = {"images": records, "annotations": annotations, "categories": categories}
    file.write_text(json.dumps(content))
    return file, there


def config(folder, names=("rows",), **options):
    """Return the config of a short training of the small detector.

    Options are dotted names with double underscores, such as ``SOLVER__MAX_ITER=4``.
    """
    cfg = get_cfg()
    cfg.MODEL.META_ARCHITECTURE = "TinyDetector"
    cfg.MODEL.DEVICE = "cpu"
    cfg.MODEL.WEIGHTS = ""
    cfg.DATASETS.TRAIN, cfg.DATASETS.TEST = names, ()
    cfg.DATALOADER.NUM_WORKERS = 0
    cfg.INPUT.MIN_SIZE_TRAIN, cfg.INPUT.MAX_SIZE_TRAIN = (SIZE,), SIZE
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = SIZE, SIZE
    cfg.SOLVER.IMS_PER_BATCH = 4
    cfg.SOLVER.MAX_ITER = 4
    cfg.OUTPUT_DIR = str(folder)
    Path(folder).mkdir(exist_ok=True)
    for name, value in options.items():
        cfg.merge_from_list([name.replace("__", "."), value])
    return cfg


class Trainer(detectron2.engine.DefaultTrainer):
    """Writes no files besides checkpoints, and can take several batches for a step."""

    accumulate = 1

    def build_writers(self):
        return []

    def run_step(self):
        if self.accumulate == 1:
            super().run_step()
            return
        losses = self.model(next(self._trainer._data_loader_iter))
        sum(losses.values()).backward()
        if self.iter % self.accumulate == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()


def number(batch, _=None):
    """Tell the number of each image by its grey value."""
    return {"number": [int(each["image"][0, 0, 0]) // 4 for each in batch]}
