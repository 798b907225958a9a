"""Detectors of SuperGradients on tables of boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from super_gradients.training import models
from super_gradients.training.losses import PPYoloELoss
from super_gradients.training.metrics import DetectionMetrics_050
from super_gradients.training.models.detection_models.pp_yolo_e import (
    PPYoloEPostPredictionCallback,
)
from super_gradients.training.transforms.transforms import (
    DetectionMixup,
    DetectionMosaic,
    DetectionPaddedRescale,
    DetectionStandardize,
    DetectionTargetsFormatTransform,
)
from super_gradients.training.utils.collate_fn import (
    CrowdDetectionCollateFN,
    DetectionCollateFN,
)
from tests.integrations.super_gradients_trainings import (
    CLASSES,
    SIDE,
    fit,
    images,
    table_of,
    table_of_boxes,
)
from torch.utils.data import DataLoader, Subset

import tlc
from tlc.data_types import BoundingBoxes2D
from tlc.errors import ColumnNotFoundError, OptionError, SchemaError
from tlc.integration.super_gradients import (
    DetectionDataset,
    DetectionMetricsCollectionCallback,
    PipelineParams,
    PoseEstimationMetricsCollectionCallback,
)

ROWS = 6


@pytest.fixture
def table(tmp_path):
    return table_of_boxes(tmp_path / "images", ROWS)


def transforms(*first):
    return [
        *first,
        DetectionPaddedRescale(input_dim=(SIDE, SIDE)),
        DetectionStandardize(255),
        DetectionTargetsFormatTransform(output_format="LABEL_CXCYWH"),
    ]


def loader(dataset, batch_size=4, **options):
    return DataLoader(dataset, batch_size, collate_fn=DetectionCollateFN(), **options)


def detector():
    torch.manual_seed(0)
    return models.get("yolo_nas_s", num_classes=2, pretrained_weights=None)


def train(model, train_set, valid_set, callback, **parameters):
    decode = PPYoloEPostPredictionCallback(
        score_threshold=0.01, nms_top_k=100, max_predictions=30, nms_threshold=0.7
    )
    metric = DetectionMetrics_050(
        num_cls=2, post_prediction_callback=decode, normalize_targets=True
    )
    return fit(
        model,
        loader(train_set, shuffle=True),
        loader(valid_set),
        loss=PPYoloELoss(use_static_assigner=False, num_classes=2),
        train_metrics_list=[],
        valid_metrics_list=[metric],
        metric_to_watch="mAP@0.50",
        initial_lr=5e-4,
        phase_callbacks=[] if callback is None else [callback],
        **parameters,
    )


def test_samples_are_those_of_a_dataset_of_super_gradients(table):
    dataset = DetectionDataset(table, input_dim=(96, 128))
    assert len(dataset) == ROWS
    assert dataset.classes == ["square", "disc"]
    image, targets = dataset[2]
    assert image.shape == (96, 128, 3)
    assert image[0, 0].tolist() == [0, 0, 2]  # blue, green, red
    assert targets.tolist() == [[8, 8, 48, 48, 1], [40, 24, 120, 88, 0]]
    assert dataset[0][1].shape == (0, 5)
    sample = dataset.get_sample(2)
    assert sample["initial_img_shape"] == (48, 64)
    assert sample["resized_img_shape"] == (96, 128)
    assert dataset.get_sample_classes_information(1).tolist() == [0, 1]


def test_images_keep_their_size_without_input_dim(table):
    assert DetectionDataset(table)[1][0].shape == (48, 64, 3)


def test_mixing_transforms_take_other_rows_but_a_sample_stays_its_row(table):
    size = SIDE, SIDE
    mixing = DetectionMosaic(size, prob=1.0), DetectionMixup(size, (1.0, 1.0), prob=1.0)
    dataset = DetectionDataset(table, (SIDE, SIDE), transforms(*mixing))
    drawn = [each[1] for each in dataset]
    assert len(drawn) == ROWS
    assert max(map(len, drawn)) > 2
    batch, targets = next(iter(loader(dataset, num_workers=2)))
    assert batch.shape == (4, 3, SIDE, SIDE)
    assert targets.shape[1] == 6


def test_crowds_are_no_targets_or_a_part_of_their_own(tmp_path):
    boxes = [[0, 0, 10, 10], [5, 5, 40, 40]]
    cell = BoundingBoxes2D(
        boxes, [3, 7], image_width=SIDE, image_height=48, per_instance_extras={"iscrowd": [0, 1]}
    )
    schema = BoundingBoxes2D.schema(
        classes=CLASSES, per_instance_schemas={"iscrowd": tlc.schemas.Int32Schema()}
    )
    table = table_of({"image": images(tmp_path, 1), "bbs": [cell]}, {"bbs": schema})
    assert DetectionDataset(table)[0][1].tolist() == [[0, 0, 10, 10, 0]]
    dataset = DetectionDataset(table, with_crowd=True)
    _, targets, more = CrowdDetectionCollateFN()([dataset[0]])
    assert targets.tolist() == [[0, 0, 0, 10, 10, 0]]
    assert more["crowd_targets"].tolist() == [[0, 5, 5, 40, 40, 1]]


def test_columns_can_have_any_name(tmp_path):
    cells = [BoundingBoxes2D([[0, 0, 9, 9]], [0], image_width=SIDE, image_height=48)] * 2
    other = BoundingBoxes2D.schema(classes=["other"])
    boxes = BoundingBoxes2D.schema(classes=["box"])
    columns = {"picture": images(tmp_path, 2), "first": cells, "second": cells}
    schema = {"picture": tlc.schemas.ImageSchema(), "first": other, "second": boxes}
    table = tlc.Table.from_dict(columns, schema, project_name="super")
    names = {"image_column_name": "picture", "label_column_name": "second"}
    assert DetectionDataset(table, image_column_name="picture").classes == ["other"]
    assert DetectionDataset(table, **names).classes == ["box"]
    path = "second.instances_additional_data.label"
    names["label_column_name"] = path
    assert DetectionDataset(table, **names).classes == ["box"]
    with pytest.raises(ColumnNotFoundError, match="image_column_name"):
        DetectionDataset(table)
    with pytest.raises(ColumnNotFoundError):
        DetectionDataset(table, image_column_name="picture", label_column_name="third")


def test_what_is_no_table_of_boxes_is_told(table, tmp_path):
    without = tlc.Table.from_dict({"image": [1]}, project_name="super")
    with pytest.raises(ColumnNotFoundError, match="bounding_boxes_2d"):
        DetectionDataset(without)
    with pytest.raises(OptionError, match="TableView"):
        DetectionDataset(table.with_transform(dict))
    cell = BoundingBoxes2D([[0, 0, 9, 9]], [5], image_width=SIDE, image_height=48)
    schema = {"bbs": BoundingBoxes2D.schema(classes=CLASSES)}
    wrong = table_of({"image": images(tmp_path, 1), "bbs": [cell]}, schema)
    with pytest.raises(SchemaError, match="label 5"):
        DetectionDataset(wrong)[0]
    cell = BoundingBoxes2D([[0, 0, 9, 9]], [5], image_width=SIDE, image_height=48)
    nameless = table_of(
        {"image": images(tmp_path, 1), "bbs": [cell]}, {"bbs": BoundingBoxes2D.schema()}
    )
    with pytest.raises(SchemaError, match="class names"):
        DetectionDataset(nameless)


def test_a_detector_is_trained_and_its_boxes_are_collected(table):
    run = tlc.init("super")
    params = PipelineParams(conf=0.001, iou=0.5, max_predictions=5, class_agnostic_nms=True)
    callback = DetectionMetricsCollectionCallback(pipeline_params=params, batch_size=4)
    model = detector()
    mixing = DetectionMosaic((SIDE, SIDE), prob=1.0)
    train_set = DetectionDataset(table, (SIDE, SIDE), transforms(mixing))
    train(model, train_set, DetectionDataset(table, (SIDE, SIDE), transforms()), callback)
    assert [each.metrics_info.split for each in run.metrics_tables] == ["train", "val"]
    _, metrics = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
    paths = [row["image"] for row in table.table_rows]
    for row, path in zip(metrics, paths, strict=True):
        wanted = model.predict(path, fuse_model=False, fp16=False, **params.given()).prediction
        found = row["bbs_predicted"]
        assert 0 < found.num_instances <= 5
        np.testing.assert_allclose(found.bounding_boxes, wanted.bboxes_xyxy, atol=1e-3)
        assert found.labels.tolist() == [[3, 7][label] for label in wanted.labels]
        np.testing.assert_allclose(found.confidences, wanted.confidence, atol=1e-6)
        assert row["false_positives"] + row["true_positives"] == found.num_instances
        assert row["true_positives"] + row["false_negatives"] == row["example_id"] % 3
    classes = metrics.get_value_map("bbs_predicted.instances_additional_data.label")
    assert {key: each.internal_name for key, each in classes.items()} == CLASSES


def test_collecting_while_a_detector_is_trained_changes_nothing(table):
    dataset = DetectionDataset(table, (SIDE, SIDE), transforms())
    states = []
    for epochs in ([0, 1], None):
        callback = None
        if epochs:
            callback = DetectionMetricsCollectionCallback(
                metrics_collection_epochs=epochs, pipeline_params={"conf": 0.001}
            )
        model = detector()
        train(model, dataset, dataset, callback, max_epochs=2, ema=True)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_subset_is_collected_by_the_rows_of_its_table(table):
    run = tlc.init("super")
    dataset = DetectionDataset(table, (SIDE, SIDE), transforms())
    callback = DetectionMetricsCollectionCallback(
        collect_val_only=True, pipeline_params={"conf": 0.001}, collect_predictions=False
    )
    model = detector()
    model.set_dataset_processing_params(**dataset.get_dataset_preprocessing_params())
    train(model, dataset, Subset(dataset, [5, 1, 3]), callback)
    (metrics,) = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == [5, 1, 3]
    assert "bbs_predicted" not in metrics.columns
    missed = metrics.get_column("is_false_negative").to_pylist()
    assert [len(each) for each in missed] == [2, 1, 0]


def unlabelled(sample):
    pixels = np.moveaxis(np.asarray(sample["image"], np.float32) / 255, 2, 0)
    return np.pad(pixels, ((0, 0), (0, SIDE - 48), (0, 0))), np.zeros((0, 5), np.float32)


def test_a_table_without_boxes_gets_predictions_only(table, tmp_path):
    run = tlc.init("super")
    paths = images(tmp_path / "more", 3)
    schema = {"image": tlc.schemas.ImageSchema()}
    other = tlc.Table.from_dict({"image": paths}, schema, project_name="super", table_name="more")
    dataset = DetectionDataset(table, (SIDE, SIDE), transforms())
    callback = DetectionMetricsCollectionCallback(
        collect_val_only=True,
        pipeline_params={"conf": 0.001},
        collect_embeddings=True,
        embeddings_method=None,
    )
    model = detector()
    model.set_dataset_processing_params(**dataset.get_dataset_preprocessing_params())
    train(model, dataset, other.with_transform(unlabelled), callback)
    (metrics,) = run.metrics_tables
    assert metrics.columns[:3] == ["example_id", "bbs_predicted", "embeddings"]
    assert {len(each) for each in metrics.get_column("embeddings").to_pylist()} == {768}
    classes = metrics.get_value_map("bbs_predicted.instances_additional_data.label")
    assert set(classes) == set(CLASSES)


def test_samples_can_be_transformed_again(table):
    view = DetectionDataset(table).with_transform(lambda sample: len(sample[1]))
    assert view.__getitems__([2, 0]) == [2, 0]
    assert "DetectionDataset" in repr(view)


def test_boxes_of_older_programs_will_do(tmp_path):
    cell = {
        "image_width": SIDE,
        "image_height": 48,
        "bb_list": [{"x0": 4.0, "y0": 4.0, "x1": 24.0, "y1": 24.0, "label": 1}],
    }
    box = {name: tlc.schemas.Float32Schema() for name in ("x0", "y0", "x1", "y1")}
    box["label"] = tlc.schemas.CategoricalLabelSchema(["a", "b"])
    size = {name: tlc.schemas.Int32Schema() for name in ("image_width", "image_height")}
    boxes = tlc.schemas.Schema(values=box)
    boxes.shape = (-1,)
    schema = {"bbs": tlc.schemas.Schema(values={**size, "bb_list": boxes})}
    table = table_of({"image": images(tmp_path, 1), "bbs": [cell]}, schema)
    assert DetectionDataset(table)[0][1].tolist() == [[4, 4, 24, 24, 1]]


def test_a_callback_for_other_models_is_told_before_the_training(table):
    run = tlc.init("super")
    dataset = DetectionDataset(table, (SIDE, SIDE), transforms())
    with pytest.raises(OptionError, match="detection"):
        train(detector(), dataset, dataset, PoseEstimationMetricsCollectionCallback())
    assert run.status_name == "failed"
    assert not [each for each in run.constants.get("outputs", []) if "train_loss" in each]
