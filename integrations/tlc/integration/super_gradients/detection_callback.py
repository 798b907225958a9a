"""`DetectionMetricsCollectionCallback`: boxes, and how well they fit."""

from __future__ import annotations

from typing import ClassVar

from tlc.integration.super_gradients.callback import MetricsCollectionCallback

__all__ = ["DetectionMetricsCollectionCallback"]


class DetectionMetricsCollectionCallback(MetricsCollectionCallback):
    """Collects predicted boxes, and how well they fit the boxes of the table.

    Arguments and columns are those of `MetricsCollectionCallback` and
    `tlc.metrics.InstanceMetricsCollector`: ``bbs_predicted``, ``true_positives`` ...
    """

    kinds: ClassVar[tuple[str, ...]] = ("detection",)
