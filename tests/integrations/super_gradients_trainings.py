"""Short trainings with SuperGradients' own trainer, and small tables to train on."""

from __future__ import annotations

from tempfile import mkdtemp

import numpy as np
import torch
from PIL import Image
from super_gradients.training import Trainer
from super_gradients.training.metrics import Accuracy
from super_gradients.training.models.classification_models.base_classifer import BaseClassifier

import tlc

torch.set_num_threads(1)

SIDE = 64
# Else a thread of the framework's logs the load of the machine, and may do so once too often.
LOGGER = {
    "tb_files_user_prompt": False,
    "save_checkpoints_remote": False,
    "save_tensorboard_remote": False,
    "save_logs_remote": False,
    "project_name": "",
    "monitor_system": False,
}
CLASSES = {3: "square", 7: "disc"}  # ids are not those of a model


class Tiny(BaseClassifier):
    """A classifier whose predictions depend on its moving parts, and on its mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.norm = torch.nn.BatchNorm2d(3)
        self.dropout = torch.nn.Dropout(0.5)
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, images):
        return self.layer(self.dropout(self.norm(images).mean((2, 3))))


def fit(model, train_loader, valid_loader=None, *, folder=None, name="training", **parameters):
    """Train, and return the trainer."""
    usual = {
        "max_epochs": 1,
        "initial_lr": 0.1,
        "lr_mode": "CosineLRScheduler",
        "loss": "CrossEntropyLoss",
        "optimizer": "SGD",
        "optimizer_params": {"weight_decay": 0.0, "momentum": 0.0},
        "train_metrics_list": [Accuracy()],
        "valid_metrics_list": [Accuracy()],
        "metric_to_watch": "Accuracy",
        "greater_metric_to_watch_is_better": True,
        "silent_mode": True,
        "average_best_models": False,
        "save_model": folder is not None,
        "log_installed_packages": False,
        "sg_logger_params": LOGGER,
    }
    trainer = Trainer(name, ckpt_root_dir=str(folder or mkdtemp()))
    trainer.train(
        model,
        {**usual, **parameters},
        train_loader=train_loader,
        valid_loader=valid_loader or train_loader,
    )
    return trainer


def images(folder, count, width=SIDE, height=48):
    """Write images whose red tells their number, and return their paths."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number in range(count):
        pixels = np.zeros((height, width, 3), np.uint8)
        pixels[:, :, 0] = number
        paths.append(str(folder / f"{number}.png"))
        Image.fromarray(pixels).save(paths[-1])
    return paths


def table_of(columns, schema):
    """Make a table of images and what is said of them."""
    schema = {"image": tlc.schemas.ImageSchema(), **schema}
    return tlc.Table.from_dict(columns, schema, project_name="super", if_exists="rename")


def table_of_classes(folder, count, side=8):
    """Rows have the classes 7 and 3 by turns."""
    labels = [3 if i % 2 else 7 for i in range(count)]
    columns = {"image": images(folder, count, side, side), "class": labels}
    return table_of(columns, {"class": tlc.schemas.CategoricalLabelSchema(CLASSES)})


def table_of_boxes(folder, count=6):
    """Row i has i % 3 boxes, with the ids 3 and 7."""
    boxes, labels = [[4, 4, 24, 24], [20, 12, 60, 44]], [7, 3]
    cells = [
        tlc.data_types.BoundingBoxes2D(
            boxes[: i % 3], labels[: i % 3], image_width=SIDE, image_height=48
        )
        for i in range(count)
    ]
    schema = tlc.data_types.BoundingBoxes2D.schema(classes=CLASSES)
    return table_of({"image": images(folder, count), "bbs": cells}, {"bbs": schema})


def table_of_poses(folder, count=6, **schema):
    """Row i has i % 2 poses of four points."""
    pose = [[10, 10, 2], [30, 10, 2], [30, 40, 1], [10, 40, 0]]
    cells = []
    for i in range(count):
        cell = tlc.data_types.Keypoints2D.create_empty(image_width=SIDE, image_height=48)
        for _ in range(i % 2):
            cell.add_instance(keypoints=pose, bounding_box=[8, 8, 32, 42], label=3)
        cells.append(cell)
    schema = tlc.data_types.Keypoints2D.schema(
        num_keypoints=4, classes={3: "person"}, include_per_point_visibility=True, **schema
    )
    return table_of({"image": images(folder, count), "points": cells}, {"points": schema})
