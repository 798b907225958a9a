"""Models of Detectron2's zoo, tiny and untrained: what they find is written as typed columns."""

from __future__ import annotations

import pytest
import torch
from tests.integrations.detectron2_models import Trainer, coco_file, detectron2, get_cfg

import tlc
from tlc.integration.detectron2 import (
    BoundingBoxMetricsCollector,
    MetricsCollectionHook,
    register_coco_instances,
)

# The framework and pycocotools are older than the torch and NumPy they run with.
pytestmark = [
    pytest.mark.filterwarnings(f"ignore::{kind}")
    for kind in ("UserWarning", "DeprecationWarning", "FutureWarning")
]

ROWS = 4
QUALITY = {"true_positives", "false_positives", "false_negatives", "precision", "recall", "f1"}


@pytest.fixture
def coco(tmp_path):
    return coco_file(tmp_path, ROWS)


def zoo(name, folder, **options):
    """Return the config of a model of the zoo, with few channels and proposals."""
    cfg = get_cfg()
    cfg.merge_from_file(detectron2.model_zoo.get_config_file(name))
    small = {
        "MODEL.WEIGHTS": "",
        "MODEL.DEVICE": "cpu",
        "MODEL.BACKBONE.FREEZE_AT": 0,
        "MODEL.RESNETS.DEPTH": 18,
        "MODEL.RESNETS.RES2_OUT_CHANNELS": 64,
        "MODEL.RESNETS.NORM": "BN",
        "MODEL.FPN.OUT_CHANNELS": 16,
        "MODEL.RETINANET.NUM_CLASSES": 2,
        "MODEL.RETINANET.NUM_CONVS": 1,
        "MODEL.RETINANET.SCORE_THRESH_TEST": 0.0,
        "MODEL.ROI_HEADS.NUM_CLASSES": 2,
        "MODEL.ROI_HEADS.SCORE_THRESH_TEST": 0.0,
        "MODEL.ROI_BOX_HEAD.FC_DIM": 16,
        "MODEL.ROI_MASK_HEAD.NUM_CONV": 1,
        "MODEL.ROI_MASK_HEAD.CONV_DIM": 16,
        "MODEL.ROI_KEYPOINT_HEAD.CONV_DIMS": (16,),
        "MODEL.RPN.POST_NMS_TOPK_TEST": 8,
        "DATASETS.TRAIN": ("coco_rows",),
        "DATASETS.TEST": (),
        "DATALOADER.NUM_WORKERS": 0,
        "INPUT.MIN_SIZE_TRAIN": (64,),
        "INPUT.MAX_SIZE_TRAIN": 64,
        "INPUT.MIN_SIZE_TEST": 64,
        "INPUT.MAX_SIZE_TEST": 64,
        "SOLVER.IMS_PER_BATCH": 2,
        "SOLVER.MAX_ITER": 2,
        "SOLVER.BASE_LR": 0.0001,
        "TEST.DETECTIONS_PER_IMAGE": 5,
        "OUTPUT_DIR": str(folder),
        **options,
    }
    cfg.merge_from_list([part for pair in small.items() for part in pair])
    return cfg


def train(cfg, **options):
    """Train, collect after training, and return the metrics table."""
    metadata = detectron2.data.MetadataCatalog.get("coco_rows")
    collector = BoundingBoxMetricsCollector(
        metadata.thing_classes, metadata.thing_dataset_id_to_contiguous_id, **options
    )
    torch.manual_seed(0)
    trainer = Trainer(cfg)
    embeddings = tlc.metrics.EmbeddingsMetricsCollector(layers=[2])
    hook = MetricsCollectionHook(
        "coco_rows",
        [collector, embeddings],
        tlc.metrics.Predictor(trainer.model, layers=[2]),
        collect_metrics_after_train=True,
        metric_collection_batch_size=3,
    )
    trainer.register_hooks([hook])
    run = tlc.init("zoo")
    trainer.train()
    (metrics,) = run.metrics_tables
    assert [each["example_id"] for each in metrics] == list(range(ROWS))
    assert {"embeddings_2", *QUALITY} <= set(metrics.columns)
    return metrics


def check(instances, kinds):
    """Check what predicted instances say of themselves."""
    assert isinstance(instances, kinds)
    assert instances.num_instances
    assert set(instances.labels.tolist()) <= {3, 7}
    assert (instances.confidences > 0).all()
    assert len(instances.per_instance_extras["iou"]) == instances.num_instances


def test_boxes_of_retinanet_are_collected_in_pixels_of_the_image(coco, tmp_path):
    register_coco_instances("coco_rows", {}, *coco)
    cfg = zoo("COCO-Detection/retinanet_R_50_FPN_1x.yaml", tmp_path)
    found = train(cfg)[0]["bbs_predicted"]
    check(found, tlc.data_types.BoundingBoxes2D)
    assert (found.image_width, found.image_height) == (32, 32)
    assert 0 <= found.bounding_boxes.min() < found.bounding_boxes.max() <= 32


@pytest.mark.parametrize("mask_format", ["polygon", "bitmask"])
def test_masks_of_mask_rcnn_are_collected(coco, tmp_path, mask_format):
    register_coco_instances("coco_rows", {}, *coco, task="segment", mask_format=mask_format)
    name = "COCO-InstanceSegmentation/mask_rcnn_R_50_FPN_1x.yaml"
    cfg = zoo(name, tmp_path, **{"INPUT.MASK_FORMAT": mask_format})
    row = train(cfg, save_segmentations=True)[0]
    check(row["bbs_predicted"], tlc.data_types.BoundingBoxes2D)
    masks = row["segmentations_predicted"]
    check(masks, tlc.data_types.SegmentationMasks)
    assert (masks.image_width, masks.image_height) == (32, 32)
    assert len(row["is_false_negative"]) == 1


def test_poses_of_keypoint_rcnn_are_collected(coco, tmp_path):
    metadata = {"keypoint_flip_map": [("left", "right")]}
    register_coco_instances("coco_rows", metadata, *coco, task="pose")
    name = "COCO-Keypoints/keypoint_rcnn_R_50_FPN_1x.yaml"
    options = {"MODEL.ROI_KEYPOINT_HEAD.NUM_KEYPOINTS": 3, "MODEL.ROI_HEADS.NUM_CLASSES": 2}
    row = train(zoo(name, tmp_path, **options))[0]
    check(row["bbs_predicted"], tlc.data_types.BoundingBoxes2D)
    poses = row["keypoints_predicted"]
    check(poses, tlc.data_types.Keypoints2D)
    assert poses.keypoints.shape == (poses.num_instances, 3, 2)
    assert poses.keypoint_confidences.shape == (poses.num_instances, 3)
