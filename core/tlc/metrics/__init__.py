"""Collecting metrics: one row of numbers for every sample, joined to its table by row number."""

from __future__ import annotations

from tlc.metrics import aggregators, collect, collectors, predictor, semantic_segmentation
from tlc.metrics.aggregators import MeanAggregator
from tlc.metrics.collect import collect_metrics
from tlc.metrics.collection import Collection
from tlc.metrics.collectors import (
    ClassificationMetricsCollector,
    EmbeddingsMetricsCollector,
    FunctionalMetricsCollector,
    InstanceMetricsCollector,
    MetricsCollector,
    SegmentationMetricsCollector,
)
from tlc.metrics.predictor import Predictor, PredictorOutput

__all__ = [
    "ClassificationMetricsCollector",
    "Collection",
    "EmbeddingsMetricsCollector",
    "FunctionalMetricsCollector",
    "InstanceMetricsCollector",
    "MeanAggregator",
    "MetricsCollector",
    "Predictor",
    "PredictorOutput",
    "SegmentationMetricsCollector",
    "aggregators",
    "collect",
    "collect_metrics",
    "collectors",
    "predictor",
    "semantic_segmentation",
]
