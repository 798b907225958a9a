"""Matching predictions with ground truth, against `pycocotools` and torchmetrics.

The floor of 5,000 images is the IoU of all pairs alone, image by image; matching has to do less of
it where classes differ, and more besides.
"""

from __future__ import annotations

import contextlib
import io
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from benchmarks.harness import Case, Fact
from benchmarks.memory import added_megabytes
from tlc.data_types import BoundingBoxes2D
from tlc.metrics import Collection, InstanceMetricsCollector, PredictorOutput
from tlc.metrics.quality import COCO_THRESHOLDS, BoxIou, GroundTruth, Predictions, match
from tlc.run import Run
from tlc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES, TRUTHS, PREDICTIONS, CLASSES = 5_000, 100, 300, 80
FEW = 50  # the others take minutes for 5,000


class Scene:
    """Boxes, and predictions that are shaken copies of them."""

    def __init__(self, images: int, classes: int = CLASSES) -> None:
        rng = np.random.default_rng(0)
        self.images, self.classes = images, classes
        corners = rng.uniform(0, 600, (images, TRUTHS, 2))
        true = np.concatenate([corners, corners + rng.uniform(60, 150, corners.shape)], axis=2)
        copied = rng.integers(0, TRUTHS, (images, PREDICTIONS))
        boxes = np.take_along_axis(true, copied[:, :, None], axis=1)
        self.true, self.boxes = true, boxes + rng.normal(0, 6, boxes.shape)
        self.true_labels = rng.integers(0, classes, (images, TRUTHS))
        self.labels = np.take_along_axis(self.true_labels, copied, axis=1)
        self.scores = rng.random((images, PREDICTIONS))

    def match(self, thresholds: object = 0.5) -> None:
        self._matched(thresholds).per_image()

    def precision(self) -> float:
        return self._matched(COCO_THRESHOLDS).average_precision().mean

    def _matched(self, thresholds: object):
        places = np.arange(self.images + 1)
        return match(
            Predictions(self.scores.ravel(), self.labels.ravel(), places * PREDICTIONS),
            GroundTruth(self.true_labels.ravel(), places * TRUTHS),
            BoxIou(self.boxes.reshape(-1, 4), self.true.reshape(-1, 4)),
            thresholds,
        )

    def ious(self) -> None:
        """The IoU of every prediction and every truth of an image, and nothing else."""
        areas, true_areas = ((b[..., 2:] - b[..., :2]).prod(2) for b in (self.boxes, self.true))
        for image in range(self.images):
            ours, theirs = self.boxes[image][:, None], self.true[image][None]
            high = np.minimum(ours[..., 2:], theirs[..., 2:])
            width, height = np.moveaxis(high - np.maximum(ours[..., :2], theirs[..., :2]), 2, 0)
            common = width.clip(0) * height.clip(0)
            _ = common / (areas[image][:, None] + true_areas[image] - common)

    def torchmetrics(self) -> float:
        from torchmetrics.detection.mean_ap import MeanAveragePrecision

        metric = MeanAveragePrecision()
        metric.update(*(self._tensors(*each) for each in self._both()))
        return float(metric.compute()["map"])

    def _tensors(self, *columns: np.ndarray) -> list[dict[str, torch.Tensor]]:
        names = "boxes", "labels", "scores"
        rows = (map(torch.from_numpy, each) for each in zip(*columns, strict=True))
        return [dict(zip(names, row, strict=True)) for row in rows]

    def judge(self) -> COCOeval:
        with contextlib.redirect_stdout(io.StringIO()):
            judge = COCOeval(*reversed([self._coco(*each) for each in self._both()]), "bbox")
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        return judge

    def _both(self) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...]]:
        no_scores = np.zeros(self.true_labels.shape)
        predicted = self.boxes, self.labels, self.scores
        return predicted, (self.true, self.true_labels, no_scores)

    def _coco(self, boxes: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> COCO:
        sized = np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=2)
        columns = (each.reshape(-1, *each.shape[2:]).tolist() for each in (sized, labels, scores))
        images = np.arange(self.images).repeat(labels.shape[1]).tolist()
        records = [
            {
                "id": number,
                "image_id": image,
                "category_id": label,
                "bbox": box,
                "area": box[2] * box[3],
                "score": score,
                "iscrowd": 0,
            }
            for number, (image, box, label, score) in enumerate(
                zip(images, *columns, strict=True), 1
            )
        ]
        made = COCO()
        names, classes = ([{"id": i} for i in range(n)] for n in (self.images, self.classes))
        made.dataset = {"images": names, "categories": classes, "annotations": records}
        made.createIndex()
        return made


def judged(judge: COCOeval) -> float:
    """Return the AP over all classes and thresholds, as pycocotools has it."""
    with contextlib.redirect_stdout(io.StringIO()):
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][..., -1]
    return float(precision[precision > -1].mean())


class Stored:
    """Images with 8 true and 100 predicted boxes each, whose metrics are collected and written."""

    IMAGES, TRUTHS, PREDICTIONS, BATCH = 1_000, 8, 100, 16

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        schema = {"boxes": BoundingBoxes2D.schema(classes=[f"class {i}" for i in range(CLASSES)])}
        true = [self._boxes(rng, self.TRUTHS) for _ in range(self.IMAGES)]
        self.table = Table.from_dict({"boxes": true}, schema, table_name="boxes")
        self.predicted = [self._boxes(rng, self.PREDICTIONS) for _ in range(self.IMAGES)]
        self.run = Run.create("bench")

    def _boxes(self, rng: np.random.Generator, count: int) -> BoundingBoxes2D:
        corners = rng.uniform(0, 600, (count, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(10, 60, (count, 2))], axis=1)
        labels, scores = rng.integers(0, CLASSES, count), rng.random(count)
        scored = scores if count == self.PREDICTIONS else None
        return BoundingBoxes2D(boxes, labels, scored, image_width=660, image_height=660)

    def collect(self) -> None:
        with Collection(self.table, InstanceMetricsCollector(self.table), run=self.run) as made:
            for start in range(0, self.IMAGES, self.BATCH):
                part = self.predicted[start : start + self.BATCH]
                rows = np.arange(start, start + len(part))
                made.add(rows, None, PredictorOutput(part))

    def write(self) -> None:
        """Write the predictions and nothing else."""
        made = [(each.bounding_boxes, each.labels, each.confidences) for each in self.predicted]
        columns = zip(*made, strict=True)
        arrays = [pa.array([part.tolist() for part in column]) for column in columns]
        with TemporaryDirectory() as folder:
            pq.write_table(pa.table(arrays, names=["boxes", "labels", "scores"]), f"{folder}/a")


def cases() -> Iterator[Case | Fact]:
    yield from _against_others()
    stored = Stored()
    yield Case(
        f"metrics and predictions of {stored.IMAGES:,} images, {stored.PREDICTIONS} boxes each, "
        "collected and written",
        {"pyarrow, predictions only": stored.write, "tlc": stored.collect},
        unit=stored.IMAGES,
        rounds=5,
        limit=1_000,
    )
    for classes in (CLASSES, 1):
        scene = Scene(IMAGES, classes)
        yield Case(
            f"matches of {IMAGES:,} images x {TRUTHS} truths x {PREDICTIONS} predictions, "
            f"classes: {classes}",
            {
                "IoU of all pairs, no more": scene.ious,
                "tlc": scene.match,
                "10 thresholds and AP": scene.precision,
            },
            unit=IMAGES,
            rounds=3,
            limit=10_000,
        )
        yield Fact(f"memory of that, classes: {classes}", _memory(classes), 500, "MB")


def _against_others() -> Iterator[Case | Fact]:
    scene = Scene(FEW)
    judge = scene.judge()
    yield Case(
        f"AP at 10 thresholds of {FEW} images x {TRUTHS} truths x {PREDICTIONS} predictions, "
        f"classes: {CLASSES}",
        {
            "pycocotools, 1 range of areas": lambda: judged(judge),
            "tlc": scene.precision,
            "torchmetrics 0.10, 4 ranges of areas": scene.torchmetrics,
        },
        unit=FEW,
        rounds=3,
        goal=0.1,
    )
    difference = abs(scene.precision() - judged(judge))
    yield Fact("the AP beside pycocotools', millionths apart", difference * 1e6, 1, "millionths")


def _memory(classes: int) -> float:
    setup = (
        "from benchmarks import matching\n"
        "matching.Scene(10).match()\n"
        f"scene = matching.Scene(matching.IMAGES, {classes})"
    )
    return added_megabytes("scene.match()", setup=setup)
