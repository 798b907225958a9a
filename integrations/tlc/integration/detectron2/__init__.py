"""Detectron2: tables as datasets, and hooks that collect metrics of each row."""

from __future__ import annotations

from tlc.integration.detectron2.collectors import BoundingBoxMetricsCollector
from tlc.integration.detectron2.datasets import register_coco_instances, register_table
from tlc.integration.detectron2.evaluator import MetricsCollectionEvaluator
from tlc.integration.detectron2.hooks import MetricsCollectionHook
from tlc.integration.detectron2.samplers import build_train_loader, create_training_sampler
from tlc.integration.detectron2.storage_hook import DetectronMetricsCollectionHook

__all__ = [
    "BoundingBoxMetricsCollector",
    "DetectronMetricsCollectionHook",
    "MetricsCollectionEvaluator",
    "MetricsCollectionHook",
    "build_train_loader",
    "create_training_sampler",
    "register_coco_instances",
    "register_table",
]
