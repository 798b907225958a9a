"""SuperGradients: datasets over tables, and metrics per sample from a callback of its trainer."""

from __future__ import annotations

from tlc.integration.super_gradients.callback import MetricsCollectionCallback
from tlc.integration.super_gradients.classification_dataset import ClassificationDataset
from tlc.integration.super_gradients.detection_callback import DetectionMetricsCollectionCallback
from tlc.integration.super_gradients.detection_dataset import DetectionDataset
from tlc.integration.super_gradients.pipeline_params import PipelineParams
from tlc.integration.super_gradients.pose_callback import PoseEstimationMetricsCollectionCallback
from tlc.integration.super_gradients.pose_dataset import PoseEstimationDataset
from tlc.integration.super_gradients.segmentation_dataset import SegmentationDataset

__all__ = [
    "ClassificationDataset",
    "DetectionDataset",
    "DetectionMetricsCollectionCallback",
    "MetricsCollectionCallback",
    "PipelineParams",
    "PoseEstimationDataset",
    "PoseEstimationMetricsCollectionCallback",
    "SegmentationDataset",
]
