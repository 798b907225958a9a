"""Collectors: what turns batches and predictions into columns of metrics."""

from __future__ import annotations

from tlc.metrics.collectors.classification_metrics_collector import ClassificationMetricsCollector
from tlc.metrics.collectors.embeddings_metrics_collector import EmbeddingsMetricsCollector
from tlc.metrics.collectors.functional_metrics_collector import FunctionalMetricsCollector
from tlc.metrics.collectors.instance_metrics_collector import InstanceMetricsCollector
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector
from tlc.metrics.collectors.segmentation_metrics_collector import SegmentationMetricsCollector

__all__ = [
    "ClassificationMetricsCollector",
    "EmbeddingsMetricsCollector",
    "FunctionalMetricsCollector",
    "InstanceMetricsCollector",
    "MetricsCollector",
    "SegmentationMetricsCollector",
]
