"""What models of Detectron2 return, as typed columns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.integrations.detectron2_models import SIZE, detectron2, images

import tlc
from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks
from tlc.errors import CollectorError, TlcWarning
from tlc.integration.detectron2 import BoundingBoxMetricsCollector
from tlc.metrics import Collection, PredictorOutput

Boxes, Instances = detectron2.structures.Boxes, detectron2.structures.Instances

CLASSES, MAPPING = ["cat", "dog"], {3: 0, 7: 1}
BOXES = [[2.0, 4.0, 10.0, 20.0], [1.0, 1.0, 5.0, 5.0]]


def instances(boxes=BOXES, scores=(0.9, 0.4), classes=(1, 0), **fields):
    return {
        "instances": Instances(
            (SIZE, SIZE),
            pred_boxes=Boxes(torch.tensor(boxes).reshape(-1, 4)),
            scores=torch.tensor(scores),
            pred_classes=torch.tensor(classes, dtype=torch.int64),
            **fields,
        )
    }


def results(image_id=None):
    found = [
        {"category_id": 1, "bbox": [2, 4, 8, 16], "score": 0.9},
        {"category_id": 0, "bbox": [1, 1, 4, 4], "score": 0.4},
    ]
    return found if image_id is None else [{**each, "image_id": image_id} for each in found]


def batch(count=1):
    return [
        {"image_id": 100 + i, "example_id": i, "height": SIZE, "width": SIZE} for i in range(count)
    ]


def collected(outputs, samples=None, **options):
    collector = BoundingBoxMetricsCollector(CLASSES, MAPPING, **options)
    return collector(samples or batch(len(outputs)), PredictorOutput(outputs))


@pytest.mark.parametrize(
    "outputs",
    [[instances()], [results()], [{"annotations": results()}], results(100)],
    ids=["instances", "results", "annotations", "results of all"],
)
def test_what_models_return_becomes_boxes_with_the_classes_of_the_table(outputs):
    (boxes,) = collected(outputs, batch())["bbs_predicted"]
    assert np.array_equal(boxes.bounding_boxes, BOXES)
    assert boxes.labels.tolist() == [7, 3]
    assert boxes.confidences.tolist() == pytest.approx([0.9, 0.4])
    assert (boxes.image_width, boxes.image_height) == (SIZE, SIZE)


@pytest.mark.parametrize("outputs", [[instances([], [], [])] * 2, [[], []], []], ids=str)
def test_nothing_can_be_found(outputs):
    found = collected(outputs, batch(2))["bbs_predicted"]
    assert [each.num_instances for each in found] == [0, 0]


def test_results_of_a_batch_are_told_apart_by_their_images():
    found = collected([*results(101), *results(100)[:1]], batch(3))["bbs_predicted"]
    assert [each.num_instances for each in found] == [1, 2, 0]


def test_masks_are_written_if_asked_for():
    pixels = torch.zeros(2, SIZE, SIZE, dtype=torch.bool)
    pixels[0, 4:20, 2:10] = True
    outputs = [instances(pred_masks=pixels)]
    assert "segmentations_predicted" not in collected(outputs)
    (masks,) = collected(outputs, save_segmentations=True)["segmentations_predicted"]
    assert isinstance(masks, SegmentationMasks)
    assert np.array_equal(masks.masks.transpose(2, 0, 1), pixels.numpy())
    assert masks.labels.tolist() == [7, 3]
    of_coco = [
        {**each, "segmentation": rle} for each, rle in zip(results(), masks.rles, strict=True)
    ]
    (again,) = collected([of_coco], save_segmentations=True)["segmentations_predicted"]
    assert again == masks


def test_a_model_without_masks_is_told():
    with pytest.raises(CollectorError, match="MASK_ON"):
        collected([instances()], save_segmentations=True)


def test_poses_are_written_as_coco_counts_pixels():
    points = torch.tensor([[[2.5, 4.5, 0.7], [9.5, 8.5, 0.2]]] * 2)
    (poses,) = collected([instances(pred_keypoints=points)])["keypoints_predicted"]
    assert isinstance(poses, Keypoints2D)
    assert poses.keypoints[0].tolist() == [[2, 4], [9, 8]]
    assert poses.keypoint_confidences[0].tolist() == pytest.approx([0.7, 0.2])
    assert points[0, 0, 0] == 2.5  # what the model returned is as it was


def test_what_is_not_finite_is_left_out_with_a_warning():
    outputs = [instances([[0.0, 0.0, float("nan"), 4.0], [1.0, 1.0, 5.0, 5.0]])]
    with pytest.warns(TlcWarning, match="1 predictions"):
        (boxes,) = collected(outputs)["bbs_predicted"]
    assert boxes.labels.tolist() == [3]


@pytest.mark.parametrize(
    "outputs", [torch.zeros(3), [torch.zeros(3)], [{"sem_seg": 1}], "boxes"], ids=str
)
def test_other_outputs_are_told(outputs):
    with pytest.raises(CollectorError, match="preprocess_fn"):
        collected(outputs, batch())


def test_turned_boxes_are_told():
    turned = detectron2.structures.RotatedBoxes(torch.zeros(1, 5))
    output = Instances(
        (SIZE, SIZE), pred_boxes=turned, scores=torch.ones(1), pred_classes=torch.zeros(1)
    )
    with pytest.raises(CollectorError, match="upright"):
        collected([{"instances": output}])


def test_classes_that_do_not_fit_are_told():
    with pytest.raises(CollectorError, match="number 1"):
        BoundingBoxMetricsCollector(["cat"], MAPPING)


@pytest.fixture
def table(tmp_path):
    true = BoundingBoxes2D([BOXES[0], [20, 20, 30, 30]], [7, 3], image_width=32, image_height=32)
    columns = {"image": images(tmp_path, 2), "bbs": [true, true]}
    schemas = {"bbs": BoundingBoxes2D.schema(classes={3: "cat", 7: "dog"})}
    return tlc.Table.from_dict(columns, schemas, project_name="detectron2")


def gather(table, collector, outputs, *, true=None):
    run = tlc.init("detectron2")
    with collector.comparing_with(true), Collection(table, collector, run=run) as collection:
        collection.add([0, 1], batch(2), PredictorOutput(outputs))
    return run.metrics_tables[0]


def test_predictions_are_held_against_the_table(table):
    collector = BoundingBoxMetricsCollector(CLASSES, MAPPING)
    first, second = gather(table, collector, [instances(), instances([], [], [])], true=table)
    assert first["bbs_predicted"].per_instance_extras["is_true_positive"].tolist() == [True, False]
    assert first["is_false_negative"] == [False, True]
    assert (first["precision"], first["recall"]) == (0.5, 0.5)
    assert second["false_negatives"] == 2


def test_a_preprocess_fn_can_change_predictions(table):
    def swap(samples, output):
        return samples, output.forward[::-1]

    collector = BoundingBoxMetricsCollector(CLASSES, MAPPING, preprocess_fn=swap)
    first, second = gather(table, collector, [instances(), instances([], [], [])], true=table)
    assert (first["true_positives"], second["true_positives"]) == (0, 1)


@pytest.mark.parametrize("is_compared", [True, False])
def test_classes_are_those_of_the_table_or_else_those_that_were_given(table, is_compared):
    path = "bbs_predicted.instances_additional_data.label"
    collector = BoundingBoxMetricsCollector(["Cat", "Dog"], MAPPING)
    true = table if is_compared else None
    metrics = gather(table, collector, [instances(), instances()], true=true)
    names = ["cat", "dog"] if is_compared else ["Cat", "Dog"]
    assert metrics.get_simple_value_map(path) == dict(zip((3, 7), names, strict=True))
    assert ("precision" in metrics.columns) == is_compared
