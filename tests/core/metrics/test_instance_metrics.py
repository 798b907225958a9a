"""Predicted instances as columns of a metrics table, and the average precision of such columns."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.metrics.quality.test_similarity import masked, posed
from tests.core.metrics.quality.worlds import IMAGES, check_precision, large_world, worlds

import tlc
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.errors import CollectorError, MetricsError
from tlc.metrics import InstanceMetricsCollector, PredictorOutput
from tlc.metrics.quality import COCO_THRESHOLDS, average_precision, match_stored

SIZE = {"image_width": 400, "image_height": 400}
CLASSES = ["a", "b", "c", "d"]
_names = itertools.count()


def of_image(own, image):
    return [each for each in own if each["image_id"] == image]


def common(own, is_true):
    """Return what every kind of annotation has."""
    found = {"labels": [each["category_id"] for each in own]}
    if not is_true:
        return found | {"confidences": [each["score"] for each in own]}
    more = {"iscrowd": [bool(each["iscrowd"]) for each in own], "area": [e["area"] for e in own]}
    return found | {"per_instance_extras": more}


def boxes(own, is_true=False):
    given = np.reshape([each["bbox"] for each in own], (-1, 4))
    return BoundingBoxes2D(given, **common(own, is_true), bounding_box_format="xywh", **SIZE)


def masks(own, is_true=False):
    rles = [each["segmentation"] for each in own]
    properties = common(own, is_true)
    more = {"label": properties["labels"], **properties.get("per_instance_extras", {})}
    if "confidences" in properties:
        more["confidence"] = properties["confidences"]
    row = {"image_width": 4, "image_height": 6, "rles": rles, "instance_properties": more}
    return SegmentationMasks.from_row({**row, "polygons": [[] for _ in rles]})


def poses(own, is_true=False):
    points = np.reshape([each["keypoints"] for each in own], (-1, 3, 3))
    bbs = np.reshape([each["bbox"] for each in own], (-1, 4))
    return Keypoints2D(
        points[:, :, :2],
        bounding_boxes=bbs,
        bounding_box_format="xywh",
        keypoint_visibilities=points[:, :, 2].astype(int),
        **common(own, is_true),
        **SIZE,
    )


EXTRAS = {"iscrowd": tlc.schemas.BoolSchema(), "area": tlc.schemas.Float32Schema()}
POINTS = {"num_keypoints": 3, "oks_sigmas": [0.05, 0.1, 0.2], "include_per_point_visibility": True}
SCHEMAS = {
    boxes: lambda: BoundingBoxes2D.schema(classes=CLASSES, per_instance_schemas=EXTRAS),
    masks: lambda: SegmentationMasks.schema(classes=CLASSES, per_instance_schemas=EXTRAS),
    poses: lambda: Keypoints2D.schema(classes=CLASSES, per_instance_schemas=EXTRAS, **POINTS),
}


def collected(world, kind, **options):
    """Return a table of a world, and the metrics table of its predictions."""
    cells = [kind(of_image(world.true, image), is_true=True) for image in range(world.images)]
    names = {"project_name": "instances", "table_name": f"world {next(_names)}"}
    columns = {"n": list(range(world.images)), "true": cells}
    table = tlc.Table.from_dict(columns, {"true": SCHEMAS[kind]()}, **names)
    run = tlc.Run.create("instances")
    tlc.collect_metrics(
        table.with_transform(lambda sample: sample["n"]),
        InstanceMetricsCollector(table, **options),
        lambda batch: [kind(of_image(world.predicted, int(image))) for image in batch],
        run_url=run,
        dataloader_args={"batch_size": 2},
    )
    return table, run.metrics_tables[0], run


def judged(world, kind, **params):
    name = {boxes: "bbox", masks: "segm", poses: "keypoints"}[kind]
    params = {"areaRng": [[0, 1e10]], **params}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pycocotools.cocoeval.Params.setKpParams", _keypoint_params)
        return world.judged(name, **params)


def _keypoint_params(self):
    self.setDetParams()
    self.kpt_oks_sigmas = np.array(POINTS["oks_sigmas"])


@pytest.mark.parametrize(("kind", "make"), [(boxes, None), (masks, masked), (poses, posed)])
@settings(max_examples=15)
@given(data=st.data())
def test_the_precision_of_stored_columns_is_that_of_coco(kind, make, data):
    world = data.draw(worlds(*([make] if make else [])))
    table, metrics, _ = collected(world, kind)
    found = match_stored(metrics, table).average_precision()
    check_precision(found, judged(world, kind))


def test_the_precision_of_many_stored_boxes_is_that_of_coco():
    world = large_world(3)
    table, metrics, _ = collected(world, boxes)
    judge = judged(world, boxes)
    found = match_stored(metrics, table).average_precision()
    check_precision(found, judge, world.classes)
    assert 0.1 < found.mean < 0.9


def test_flags_of_the_instances_are_enough_for_the_precision_at_their_threshold():
    world = large_world(4)
    _, metrics, _ = collected(world, boxes)
    cells = [metrics[i]["bbs_predicted"] for i in range(len(metrics))]
    joined = {
        name: np.concatenate([each.per_instance_extras[name] for each in cells])
        for name in ("is_true_positive", "is_false_positive")
    }
    labels = [each["category_id"] for each in world.true if not each["iscrowd"]]
    found = average_precision(
        np.concatenate([each.confidences for each in cells]),
        np.concatenate([each.labels for each in cells]),
        np.cumsum([0, *map(len, (each.labels for each in cells))]),
        joined["is_true_positive"],
        ~joined["is_true_positive"] & ~joined["is_false_positive"],
        {label: labels.count(label) for label in set(labels)},
    )
    check_precision(found, judged(world, boxes, iouThrs=[0.5]), world.classes)


def test_numbers_of_images_and_instances():
    kind = {"iscrowd": 0, "area": 100}
    world = large_world(0, images=3)
    world.true = [
        {"image_id": 0, "category_id": 0, "bbox": [0, 0, 10, 10], **kind},
        {"image_id": 0, "category_id": 1, "bbox": [50, 50, 10, 10], **kind},
        {"image_id": 1, "category_id": 0, "bbox": [0, 0, 10, 10], **kind, "iscrowd": 1},
    ]
    world.predicted = [
        {"image_id": 0, "category_id": 0, "bbox": [0, 0, 10, 8], "score": 0.5},
        {"image_id": 0, "category_id": 0, "bbox": [0, 0, 10, 10], "score": 0.4},
        {"image_id": 1, "category_id": 0, "bbox": [0, 0, 5, 5], "score": 0.3},
    ]
    _, metrics, run = collected(world, boxes)
    column = {
        name: metrics.get_column_as_pyarrow_array(name).to_pylist() for name in metrics.columns
    }
    assert column["true_positives"] == [1, 0, 0]
    assert column["false_positives"] == [1, 0, 0]
    assert column["false_negatives"] == [1, 0, 0]
    assert column["is_false_negative"] == [[False, True], [False], []]
    assert column["precision"][0] == column["recall"][0] == column["f1"][0] == 0.5
    assert np.isnan(column["mean_iou"][1:]).all()
    extras = [metrics[i]["bbs_predicted"].per_instance_extras for i in range(3)]
    assert extras[0]["iou"] == pytest.approx([0.8, 0.0])
    assert extras[0]["is_false_positive"].tolist() == [False, True]
    assert extras[1]["iou"] == pytest.approx([1.0])  # with a crowd, so it counts as neither
    assert extras[1]["is_true_positive"].tolist() == extras[1]["is_false_positive"].tolist()
    wanted = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "mean_iou_avg": pytest.approx(0.8)}
    assert run.constants["outputs"] == [wanted]


def test_predictions_have_the_classes_and_the_skeleton_of_the_table():
    world = large_world(0, images=1)
    world.true = world.predicted = []
    _, metrics, _ = collected(world, poses)
    home = metrics.rows_schema.values["keypoints_predicted"]
    assert home.metadata["oks_sigmas"] == POINTS["oks_sigmas"]
    labels = metrics.get_value_map("keypoints_predicted.instances_additional_data.label")
    assert [each.internal_name for each in labels.values()] == CLASSES


TURNED = OrientedBoundingBoxes2D([[20, 20, 8, 4, 0.5]], [1], [0.9], **SIZE)
POLYGON = SegmentationPolygons(
    polygons=[[[2, 2, 8, 2, 8, 8, 2, 8]]], labels=[1], confidences=[0.9], **SIZE
)


@pytest.mark.parametrize(
    ("true", "predicted", "name"),
    [
        (TURNED, TURNED, "obbs_predicted"),
        (POLYGON, POLYGON, "segmentations_predicted"),
        (POLYGON, BoundingBoxes2D([[2, 2, 8, 8]], [1], [0.9], **SIZE), "bbs_predicted"),
        (TURNED, BoundingBoxes2D([[16, 15, 24, 25]], [1], [0.9], **SIZE), "bbs_predicted"),
        (
            Keypoints2D([[[2, 2], [8, 8]]], [1], **SIZE),
            BoundingBoxes2D([[2, 2, 8, 8]], [1], [0.9], **SIZE),
            "bbs_predicted",
        ),
    ],
    ids=["turned", "polygons", "boxes of polygons", "boxes of turned ones", "boxes of poses"],
)
def test_what_is_predicted_is_held_against_what_is_true(true, predicted, name):
    table = tlc.Table.from_dict({"n": [0, 1], "true": [true, None]}, project_name="instances")
    found = InstanceMetricsCollector(table)(None, output([predicted, predicted]))
    assert found["true_positives"].tolist() == [1, 0]
    assert found["false_positives"].tolist() == [0, 1]
    assert name in found
    assert found["is_false_negative"] == [[False], []]


def test_boxes_of_older_programs_are_ground_truth_as_well():
    corners = [
        {"x0": 0.25, "y0": 0.5, "x1": 0.5, "y1": 0.25, "label": 1},
        {"x0": 0.0, "y0": 0.0, "x1": 0.1, "y1": 0.1, "label": 0},
    ]
    parts = {
        f"{axis}{end}": tlc.schemas.Float32Schema(number_role=f"bb_{role}_{axis}", unit="relative")
        for axis in "xy"
        for end, role in enumerate(["min", "size"])
    }
    each = tlc.Schema(values={**parts, "label": tlc.schemas.CategoricalLabelSchema(CLASSES)})
    each.shape = (-1,)
    sizes = {"image_width": tlc.schemas.Int32Schema(), "image_height": tlc.schemas.Int32Schema()}
    column = tlc.Schema(values={**sizes, "bb_list": each})
    row = {"image_width": 400, "image_height": 400, "bb_list": corners}
    table = tlc.Table.from_dict({"bbs": [row]}, {"bbs": column}, project_name="instances")
    box = BoundingBoxes2D([[100, 200, 300, 300]], [1], [0.9], **SIZE)
    found = InstanceMetricsCollector(table)(None, output([box], [0]))
    assert found["is_false_negative"] == [[False, True]]


def output(predicted, rows=(0, 1)):
    return PredictorOutput(predicted, example_ids=None if rows is None else np.array(rows))


def test_without_true_instances_only_predictions_are_written():
    table = tlc.Table.from_dict({"n": [0, 1]}, project_name="instances")
    for collector in (
        InstanceMetricsCollector(table),
        InstanceMetricsCollector(classes=CLASSES, predicted="found"),
    ):
        found = collector(None, output([TURNED, TURNED]))
        assert list(found) == list(collector.column_schemas)
        assert next(iter(found)) in ("obbs_predicted", "found")


def test_instances_may_have_more():
    extras = {"depth": [7.0]}
    found = BoundingBoxes2D([[0, 0, 1, 1]], [0], [0.5], per_instance_extras=extras, **SIZE)
    table = tlc.Table.from_dict({"n": [0], "true": [TURNED]}, project_name="instances")
    more = {"depth": tlc.schemas.Float32Schema()}
    run = tlc.init("instances")
    tlc.collect_metrics(
        table,
        InstanceMetricsCollector(table, per_instance_schemas=more),
        lambda batch: [found] * len(batch["n"]),
        dataloader_args={"collate_fn": lambda samples: {"n": [s["n"] for s in samples]}},
    )
    (metrics,) = run.metrics_tables
    assert metrics[0]["bbs_predicted"].per_instance_extras["depth"].tolist() == [7.0]


def test_a_function_may_make_the_annotations():
    table = tlc.Table.from_dict({"n": [0], "true": [TURNED]}, project_name="instances")
    collector = InstanceMetricsCollector(
        table, preprocess_fn=lambda batch, output: (batch, [output.forward])
    )
    assert collector(None, output(TURNED, [0]))["true_positives"].tolist() == [1]


@pytest.mark.parametrize(
    ("predicted", "rows", "message"),
    [
        ([np.zeros((1, 4))] * 2, (0, 1), "one annotation for each image"),
        ([], (), "one annotation for each image"),
        ([TURNED, TURNED], None, "not told which rows"),
        ([OrientedBoundingBoxes2D([[1, 1, 1, 1, 0]], [1], **SIZE)] * 2, (0, 1), "no confidences"),
        ([TURNED], (0, 1), "of 1 images, and ground truth of 2"),
    ],
)
def test_what_does_not_fit_is_told(predicted, rows, message):
    table = tlc.Table.from_dict({"n": [0, 1], "true": [TURNED, TURNED]}, project_name="instances")
    with pytest.raises(CollectorError, match=message):
        InstanceMetricsCollector(table)(None, output(predicted, rows))


def test_kinds_that_cannot_be_compared_are_told():
    table = tlc.Table.from_dict({"n": [0], "true": [TURNED]}, project_name="instances")
    found = BoundingBoxes2D([[0, 0, 1, 1]], [0], [0.5], **SIZE)
    with pytest.raises(CollectorError, match="one kind for all images"):
        InstanceMetricsCollector(table)(None, output([found, TURNED], [0, 0]))
    other = tlc.Table.from_dict({"n": [0], "true": [POLYGON]}, project_name="instances")
    collector = InstanceMetricsCollector(other, "true")
    with pytest.raises(CollectorError, match="Turned boxes cannot be held against"):
        collector(None, output([TURNED], [0]))
    numbers = tlc.Table.from_dict({"n": [0]}, project_name="instances")
    with pytest.raises(MetricsError, match="no column of predicted instances"):
        match_stored(numbers, table)


def test_ground_truth_that_was_corrected_is_used_afterwards():
    world = large_world(1, images=IMAGES)
    table, metrics, _ = collected(world, boxes)
    before = match_stored(metrics, table, 0.5).average_precision().mean
    corrected = [
        boxes([{**e, "iscrowd": 0} for e in of_image(world.predicted, i)], is_true=True)
        for i in range(world.images)
    ]
    revision = table.set_values("true", range(world.images), corrected)
    after = match_stored(metrics, revision, COCO_THRESHOLDS).average_precision().mean
    assert before < after == pytest.approx(1.0)


def test_rows_are_found_by_their_keys_in_revisions_with_other_rows():
    world = large_world(1, images=IMAGES)
    table, metrics, _ = collected(world, boxes)
    whole = match_stored(metrics, table, 0.5).per_image().true_positives[0]
    assert len(set(whole.tolist())) > 2
    less = match_stored(metrics, table.delete_rows([0, 2]), 0.5).per_image()
    assert less.true_positives[0].tolist() == np.delete(whole, [0, 2]).tolist()
    backwards = table.keep(range(world.images)[::-1])
    again = match_stored(metrics, backwards, 0.5).per_image()
    assert again.true_positives[0].tolist() == whole.tolist()
    with pytest.raises(MetricsError, match="not about the rows"):
        match_stored(metrics, table.squash("alone", dataset_name="other").keep([]), 0.5)


def test_predictions_match_what_they_overlap_if_classes_do_not_matter():
    true = BoundingBoxes2D([[0, 0, 10, 10], [50, 50, 60, 60]], [0, 1], **SIZE)
    found = BoundingBoxes2D([[0, 0, 10, 9], [50, 50, 60, 60]], [1, 1], [0.9, 0.8], **SIZE)
    columns = {"n": [0], "true": [true]}
    table = tlc.Table.from_dict(columns, project_name="instances", table_name=f"t{next(_names)}")
    run = tlc.init("instances")
    tlc.collect_metrics(
        table.with_transform(lambda sample: {"n": sample["n"]}),
        InstanceMetricsCollector(table),
        lambda batch: [found],
    )
    (metrics,) = run.metrics_tables
    assert match_stored(metrics, table, 0.5).truth_of_prediction.tolist() == [[-1, 1]]
    blind = match_stored(metrics, table, 0.5, by_class=False)
    assert blind.truth_of_prediction.tolist() == [[0, 1]]
    assert blind.similarity[0] == pytest.approx([0.9, 1.0])
