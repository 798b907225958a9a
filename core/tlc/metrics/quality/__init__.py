"""How well predicted instances fit the true ones: matches, counts per image, average precision.

Predictions are matched with ground truth as COCO does it, for very many images at once. What is
compared is up to a similarity: of boxes, oriented boxes, masks or keypoints.

    predictions = Predictions(scores, predicted_labels, predicted_offsets)
    ground_truth = GroundTruth(labels, offsets, is_crowd=is_crowd)
    similarity = BoxIou(predicted_boxes, boxes, is_crowd)
    matches = match(predictions, ground_truth, similarity, thresholds=0.5)
    matches.per_image().f1[0]  # one number for each image, at the first threshold
    matches.average_precision().mean

Instances of all images lie one after the other, with offsets as Arrow has them: image ``i`` has
those from ``offsets[i]`` to ``offsets[i + 1]``.

`tlc.metrics.InstanceMetricsCollector` does all this for cells of annotations, `match_stored` for
those that a metrics table holds.

As columns of a metrics table, what `Matches.per_image` returns is one number for each row. What
`Matches` holds for each prediction, at one threshold, is a list for each row, cut at the offsets of
the predictions; it can be stored as an extra of each predicted instance too. What it holds for each
ground truth is a list cut at the offsets of the ground truth. `average_precision` needs no more
than such columns.
"""

from __future__ import annotations

from tlc.metrics.quality.boxes import BoxIou
from tlc.metrics.quality.cells import match_cells
from tlc.metrics.quality.columns import match_stored
from tlc.metrics.quality.instances import GroundTruth, Predictions
from tlc.metrics.quality.keypoints import KeypointSimilarity
from tlc.metrics.quality.masks import MaskIou
from tlc.metrics.quality.matches import ImageQuality, Matches
from tlc.metrics.quality.matching import COCO_THRESHOLDS, match
from tlc.metrics.quality.oriented import OrientedBoxIou
from tlc.metrics.quality.precision import AveragePrecision, average_precision

__all__ = [
    "COCO_THRESHOLDS",
    "AveragePrecision",
    "BoxIou",
    "GroundTruth",
    "ImageQuality",
    "KeypointSimilarity",
    "MaskIou",
    "Matches",
    "OrientedBoxIou",
    "Predictions",
    "average_precision",
    "match",
    "match_cells",
    "match_stored",
]
