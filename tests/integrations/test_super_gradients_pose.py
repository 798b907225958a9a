"""Pose models of SuperGradients on tables of keypoints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from super_gradients.training import models
from super_gradients.training.datasets.pose_estimation_datasets.yolo_nas_pose_collate_fn import (
    YoloNASPoseCollateFN,
)
from super_gradients.training.losses import YoloNASPoseLoss
from super_gradients.training.metrics import PoseEstimationMetrics
from super_gradients.training.models.pose_estimation_models.yolo_nas_pose import (
    YoloNASPosePostPredictionCallback,
)
from super_gradients.training.transforms.keypoints import (
    KeypointsImageStandardize,
    KeypointsLongestMaxSize,
    KeypointsMosaic,
    KeypointsPadIfNeeded,
)
from tests.integrations.super_gradients_trainings import (
    SIDE,
    fit,
    images,
    table_of,
    table_of_poses,
)
from torch.utils.data import DataLoader

import tlc
from tlc.data_types import Keypoints2D
from tlc.errors import OptionError
from tlc.integration.super_gradients import (
    PoseEstimationDataset,
    PoseEstimationMetricsCollectionCallback,
)
from tlc.schemas import MapElement

ROWS = 5


def transforms(*first):
    return [
        KeypointsLongestMaxSize(max_height=SIDE, max_width=SIDE),
        KeypointsPadIfNeeded(
            SIDE, SIDE, image_pad_value=127, mask_pad_value=1, padding_mode="bottom_right"
        ),
        *first,
        KeypointsImageStandardize(max_value=255),
    ]


def train(train_set, valid_set, callback):
    sigmas = [0.05] * train_set.num_joints
    decode = YoloNASPosePostPredictionCallback(
        pose_confidence_threshold=0.01,
        nms_iou_threshold=0.7,
        pre_nms_max_predictions=100,
        post_nms_max_predictions=10,
    )
    metric = PoseEstimationMetrics(
        num_joints=train_set.num_joints, oks_sigmas=sigmas, post_prediction_callback=decode
    )
    torch.manual_seed(0)
    model = models.get("yolo_nas_pose_n", num_classes=train_set.num_joints, pretrained_weights=None)
    train_loader, valid_loader = (
        DataLoader(each, 2, collate_fn=YoloNASPoseCollateFN()) for each in (train_set, valid_set)
    )
    fit(
        model,
        train_loader,
        valid_loader,
        loss=YoloNASPoseLoss(oks_sigmas=sigmas),
        train_metrics_list=[],
        valid_metrics_list=[metric],
        metric_to_watch="AP",
        initial_lr=5e-4,
        phase_callbacks=[callback],
    )
    return model


def test_samples_are_those_of_a_dataset_of_super_gradients(tmp_path):
    lines = {"lines": [0, 1, 1, 2], "line_attributes": ["upper", MapElement("", "", "", "#102030")]}
    dataset = PoseEstimationDataset(table_of_poses(tmp_path / "images", ROWS, **lines))
    assert len(dataset) == ROWS
    assert dataset.num_joints == 4
    assert dataset.edge_links == [(0, 1), (1, 2)]
    assert dataset.edge_colors == [(255, 0, 0), (16, 32, 48)]
    assert len(set(dataset.keypoint_colors)) == 4
    sample = dataset[1]
    assert sample.image[0, 0].tolist() == [0, 0, 1]  # blue, green, red
    assert sample.joints.tolist() == [[[10, 10, 2], [30, 10, 2], [30, 40, 1], [10, 40, 0]]]
    assert sample.bboxes_xywh.tolist() == [[8, 8, 24, 34]]
    assert sample.areas.tolist() == pytest.approx([0.53 * 24 * 34])
    assert sample.is_crowd.tolist() == [False]
    assert sample.mask.min() == 1
    assert dataset[0].joints.shape == (0, 4, 3)


def test_boxes_and_visibilities_are_made_up_for_poses_without(tmp_path):
    schema = {
        "points": Keypoints2D.schema(
            num_keypoints=2, per_instance_schemas={"iscrowd": tlc.schemas.Int32Schema()}
        )
    }
    cell = Keypoints2D.create_empty(image_width=SIDE, image_height=48)
    for crowd in (0, 1):
        pose = [[10 + crowd, 10], [20, 30]]
        cell.add_instance(keypoints=pose, per_instance_extras={"iscrowd": crowd})
    table = table_of({"image": images(tmp_path, 1), "points": [cell]}, schema)
    dataset = PoseEstimationDataset(table)
    assert (dataset.edge_links, dataset.edge_colors) == ([], [])
    sample = dataset[0]
    assert sample.joints[..., 2].tolist() == [[2, 2], [2, 2]]
    assert sample.bboxes_xywh.tolist() == [[10, 10, 10, 20], [11, 10, 9, 20]]
    assert sample.is_crowd.tolist() == [False, True]
    assert sample.mask.sum() == 48 * SIDE - 9 * 20
    assert sample.mask[10:30, 11:20].max() == 0


@pytest.mark.parametrize("lines", [{"lines": [0, 1]}, {}], ids=["skeleton", "points"])
def test_a_pose_model_is_trained_and_its_poses_are_collected(tmp_path, lines):
    table = table_of_poses(tmp_path / "images", ROWS, oks_sigmas=[0.05] * 4, **lines)
    run = tlc.init("super")
    params = {"conf": 0.001, "iou": 0.5, "max_predictions": 3}
    callback = PoseEstimationMetricsCollectionCallback(pipeline_params=params)
    mixing = KeypointsMosaic(prob=1.0)
    train_set = PoseEstimationDataset(table, transforms(mixing))
    model = train(train_set, PoseEstimationDataset(table, transforms=transforms()), callback)
    assert [each.metrics_info.split for each in run.metrics_tables] == ["train", "val"]
    _, metrics = run.metrics_tables
    assert metrics.get_column("example_id").to_pylist() == list(range(ROWS))
    paths = [row["image"] for row in table.table_rows]
    for row, path in zip(metrics, paths, strict=True):
        wanted = model.predict(
            path,
            conf=0.001,
            iou=0.5,
            post_nms_max_predictions=3,
            fuse_model=False,
            fp16=False,
        ).prediction
        found = row["keypoints_predicted"]
        assert 0 < found.num_instances <= 3
        np.testing.assert_allclose(found.keypoints, wanted.poses[..., :2], atol=1e-3)
        np.testing.assert_allclose(found.keypoint_confidences, wanted.poses[..., 2], atol=1e-6)
        np.testing.assert_allclose(found.bounding_boxes, wanted.bboxes_xyxy, atol=1e-3)
        assert set(found.labels.tolist()) == {3}
        assert row["true_positives"] + row["false_negatives"] == row["example_id"] % 2


def test_a_parameter_that_the_pipeline_does_not_have_is_told(tmp_path):
    table = table_of_poses(tmp_path / "images", ROWS)
    tlc.init("super")
    dataset = PoseEstimationDataset(table, transforms())
    callback = PoseEstimationMetricsCollectionCallback(pipeline_params={"class_agnostic_nms": True})
    with pytest.raises(OptionError, match="class_agnostic_nms"):
        train(dataset, dataset, callback)
