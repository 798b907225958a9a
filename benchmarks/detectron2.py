"""Predicted boxes collected in Detectron2's evaluation, against the same evaluation without."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import torch
from detectron2 import model_zoo
from detectron2.data import build_detection_test_loader
from detectron2.evaluation import inference_on_dataset
from detectron2.modeling import build_model

from benchmarks.harness import Case
from benchmarks.pictures import CLASSES, HEIGHT, ROWS, WIDTH, pictures
from tlc.data_types import BoundingBoxes2D
from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    MetricsCollectionEvaluator,
    register_table,
)
from tlc.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Or each image gets its pages anew from the system, by which a pass takes 10 % more or less.
ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    # These are read when the framework is imported.
    "OMP_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}

NAME, INPUT, DETECTIONS = "pictures", 320, 20


def configuration() -> Any:
    """Return the config of a small Faster R-CNN that finds the same number of things anywhere."""
    cfg = model_zoo.get_config("COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml")
    cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = "cpu", ""
    cfg.MODEL.RESNETS.DEPTH, cfg.MODEL.RESNETS.RES2_OUT_CHANNELS = 18, 64
    cfg.MODEL.FPN.OUT_CHANNELS, cfg.MODEL.ROI_BOX_HEAD.FC_DIM = 64, 256
    cfg.MODEL.RPN.POST_NMS_TOPK_TEST, cfg.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 100, 0.0
    cfg.TEST.DETECTIONS_PER_IMAGE = DETECTIONS
    cfg.INPUT.MIN_SIZE_TEST, cfg.INPUT.MAX_SIZE_TEST = INPUT, 2 * INPUT
    cfg.DATALOADER.NUM_WORKERS = 0
    return cfg


def evaluated(cfg: Any, model: Any, evaluator: Any) -> Callable[[], object]:
    """Return an evaluation as trainers make it."""
    loader = build_detection_test_loader(cfg, NAME)
    return lambda: inference_on_dataset(model, loader, evaluator)


def cases() -> Iterator[Case]:
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    register_table(NAME, pictures(BoundingBoxes2D))
    cfg = configuration()
    model = build_model(cfg)
    classes = [f"class {i}" for i in range(CLASSES)]
    collector = BoundingBoxMetricsCollector(classes, {i: i for i in range(CLASSES)})
    evaluator = MetricsCollectionEvaluator(NAME, collector, run=Run.create("bench"))
    yield Case(
        f"Detectron2's evaluation of {ROWS} images {WIDTH} x {HEIGHT}, Faster R-CNN of ResNet-18, "
        f"input of {INPUT}, {DETECTIONS} predictions each",
        {
            "evaluation without evaluators": evaluated(cfg, model, None),
            "tlc": evaluated(cfg, model, evaluator),
        },
        unit=ROWS,
        rounds=9,
        goal=1.05,
    )
