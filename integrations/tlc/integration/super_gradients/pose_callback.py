"""`PoseEstimationMetricsCollectionCallback`: poses, and how well they fit."""

from __future__ import annotations

from typing import ClassVar

from tlc.integration.super_gradients.callback import MetricsCollectionCallback

__all__ = ["PoseEstimationMetricsCollectionCallback"]


class PoseEstimationMetricsCollectionCallback(MetricsCollectionCallback):
    """Collects predicted poses, and how well they fit the poses of the table.

    Arguments and columns are those of `MetricsCollectionCallback` and
    `tlc.metrics.InstanceMetricsCollector`: ``keypoints_predicted``, ``true_positives`` ...
    """

    kinds: ClassVar[tuple[str, ...]] = ("pose",)
