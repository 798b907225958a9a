"""Small worlds of instances, and what `pycocotools` says of them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tlc.metrics.quality import GroundTruth, Predictions

IMAGES, CLASSES = 3, 3


@dataclass
class World:
    """Instances in the order of their images; a shape is what COCO has under `key`."""

    predicted: list[dict]
    true: list[dict]
    images: int = IMAGES
    classes: int = CLASSES

    @property
    def predictions(self):
        own = self.predicted
        areas = [each["area"] for each in own]
        return Predictions([each["score"] for each in own], *self._places(own), areas)

    @property
    def ground_truth(self):
        own = self.true
        areas = [each["area"] for each in own]
        ignored = [each.get("num_keypoints") == 0 for each in own]
        crowd = self.is_crowd
        return GroundTruth(*self._places(own), is_crowd=crowd, is_ignored=ignored, areas=areas)

    @property
    def is_crowd(self):
        return [each["iscrowd"] for each in self.true]

    def _places(self, own):
        images = np.array([each["image_id"] for each in own], int)
        labels = np.array([each["category_id"] for each in own], int)
        return labels, np.searchsorted(images, np.arange(self.images + 1))

    def boxes(self):
        return [np.array([corners(e) for e in own]) for own in (self.predicted, self.true)]

    def judged(self, kind, **params):
        """Return COCOeval after it has evaluated and accumulated."""
        with contextlib.redirect_stdout(io.StringIO()):
            judge = COCOeval(self._coco(self.true), self._coco(self.predicted), kind)
            for name, value in params.items():
                setattr(judge.params, name, value)
            judge.evaluate()
            judge.accumulate()
        return judge

    def _coco(self, own):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i, "height": 20, "width": 20} for i in range(self.images)],
            "categories": [{"id": i} for i in range(self.classes)],
            "annotations": [{**each, "id": i + 1} for i, each in enumerate(own)],
        }
        coco.createIndex()
        return coco


def corners(instance):
    x, y, width, height = instance["bbox"]
    return x, y, x + width, y + height


def boxes_of(image, label, x, y, width, height, **more):
    box = [x, y, width, height]
    area = more.pop("area", None) or width * height
    return {"image_id": image, "category_id": label, "bbox": box, "area": area, **more}


def small_boxes(**more):
    """Boxes on a grid, so that many overlap equally."""
    place, size = st.integers(0, 3), st.integers(1, 4)
    where = st.integers(0, IMAGES - 1), st.integers(0, CLASSES - 1)
    return st.builds(boxes_of, *where, place, place, size, size, **more)


def crowded_boxes(**more):
    """Boxes of one image and class, so that many want the same."""
    place, size = st.integers(0, 2), st.integers(2, 4)
    return st.builds(boxes_of, st.just(0), st.just(0), place, place, size, size, **more)


def worlds(make=small_boxes, most=14):
    """Worlds with equal scores, crowds, empty images, and classes without ground truth."""
    scores = st.sampled_from([0.25, 0.5, 0.75, 0.9])
    crowds = st.sampled_from([0, 0, 0, 1])
    return st.builds(
        lambda predicted, true: World(by_image(predicted), by_image(true)),
        st.lists(make(score=scores), max_size=most),
        st.lists(make(iscrowd=crowds), max_size=most),
    )


def by_image(own):
    return sorted(own, key=lambda each: each["image_id"])


def large_world(seed, images=60, classes=4, shift=6.0):
    """A world whose predictions are shaken copies of the truths, and some noise."""
    rng = np.random.default_rng(seed)
    true, predicted = [], []
    for image in range(images):
        for _ in range(rng.integers(0, 25) if image % 7 else 0):
            box = [*rng.uniform(0, 300, 2), *rng.uniform(5, 120, 2)]
            label = int(rng.integers(0, classes - 1))
            crowd = int(rng.random() < 0.1)
            true.append(boxes_of(image, label, *box, iscrowd=crowd))
            for _ in range(rng.integers(0, 4)):
                moved = np.maximum(box + rng.normal(0, shift, 4), 1)
                found = label if rng.random() < 0.8 else int(rng.integers(0, classes))
                score = round(float(rng.random()), 2)
                predicted.append(boxes_of(image, found, *moved, score=score))
    return World(predicted, by_image(true), images, classes)


def check_matches(world, matches, judge):
    """Hold what each instance matches, and what is ignored, against COCOeval."""
    starts = world.ground_truth.offsets, world.predictions.offsets
    for found in filter(None, judge.evalImgs):
        image = found["image_id"]
        predicted, true = np.array(found["dtIds"], int) - 1, np.array(found["gtIds"], int) - 1
        to_true, to_predicted = (each[image] + 1 for each in starts)
        ours = matches.truth_of_prediction[:, predicted]
        np.testing.assert_array_equal(np.where(ours < 0, 0, ours + to_true), found["dtMatches"])
        ours = matches.prediction_of_truth[:, true]
        np.testing.assert_array_equal(
            np.where(ours < 0, 0, ours + to_predicted), found["gtMatches"]
        )
        np.testing.assert_array_equal(matches.is_ignored[:, predicted], found["dtIgnore"])
        np.testing.assert_array_equal(matches.is_truth_ignored[true], found["gtIgnore"])


def check_precision(found, judge, classes=CLASSES):
    """Hold AP and recall of each class, and their means, against COCOeval (last maxDets)."""
    precision, recall = judge.eval["precision"][:, :, :, 0, -1], judge.eval["recall"][:, :, 0, -1]
    expected = np.where(precision[:, 0] < 0, np.nan, precision.mean(axis=1))
    place = {label: i for i, label in enumerate(found.classes.tolist())}
    for label in range(classes):
        if label in place:
            ours = found.per_class[:, place[label]], found.recall[:, place[label]]
            known = np.where(recall[:, label] < 0, np.nan, recall[:, label])
            np.testing.assert_allclose(ours, (expected[:, label], known), atol=1e-6)
        else:
            assert np.isnan(expected[:, label]).all()
    known = precision[precision > -1]
    mean = known.mean() if known.size else np.nan
    np.testing.assert_allclose(found.mean, mean, atol=1e-6)
