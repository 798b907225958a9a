"""Metrics of models that find instances: boxes, masks, poses, turned boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.data_types import Keypoints2D
from tlc.errors import CollectorError, MetricsError
from tlc.helpers import AnnotationHelper, AnnotationType, KeypointHelper
from tlc.metrics._origin import Origin
from tlc.metrics.aggregators import Aggregator, MeanAggregator
from tlc.metrics.collectors._predictions import forward_of
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector, PreprocessFn
from tlc.metrics.predictor import PredictorOutput
from tlc.metrics.quality.columns import PREDICTED, fitting_column, match_column
from tlc.schemas import BoolSchema, Float32Schema, Int32Schema, IoUSchema, Schema

if TYPE_CHECKING:
    from tlc.metrics.quality import Matches
    from tlc.metrics.quality.cells import Instances
    from tlc.schemas.value_maps import Classes

__all__ = ["InstanceMetricsCollector"]

TRUE_POSITIVES, FALSE_POSITIVES = "true_positives", "false_positives"
FALSE_NEGATIVES, MEAN_IOU = "false_negatives", "mean_iou"
COUNTS = (TRUE_POSITIVES, FALSE_POSITIVES, FALSE_NEGATIVES)
RATIOS = ("precision", "recall", "f1")
IOU, IS_TRUE_POSITIVE, IS_FALSE_POSITIVE = "iou", "is_true_positive", "is_false_positive"
IS_FALSE_NEGATIVE = "is_false_negative"


class InstanceMetricsCollector(MetricsCollector):
    """Predicted instances of each image and, where the table has true ones, how well they fit.

    ==================== ========= ==============================================================
    column               type      value
    ==================== ========= ==============================================================
    `bbs_predicted`      instances what was predicted: each with `label`, `confidence` and `iou`,
                                   that with what it matches, 0 if nothing; `is_true_positive`;
                                   `is_false_positive`. Neither: it matches a crowd or the like
    `true_positives`     int32     predictions that match
    `false_positives`    int32     predictions that match nothing
    `false_negatives`    int32     true instances that nothing matches
    `precision`          float32   TP / (TP + FP), NaN where there is none; so the other ratios
    `recall`             float32   TP / (TP + FN)
    `f1`                 float32   2 TP / (2 TP + FP + FN)
    `mean_iou`           float32   mean similarity of the pairs that match
    `is_false_negative`  bool list one for each true instance: whether nothing matches it
    ==================== ========= ==============================================================

    Masks are in `segmentations_predicted`, poses in `keypoints_predicted`, turned boxes in
    `obbs_predicted`. They are matched as COCO does it, by falling confidence within each class; see
    `tlc.metrics.quality.match`. What is called IoU is the object keypoint similarity of poses.

    *Predictions* are the model's output or what `preprocess_fn` makes of it: one annotation for
    each image, all of one kind, with labels of the value map of the table, and confidences, in
    pixels of the image of the table. *Ground truth* is read from the table.

    Aggregates are `precision`, `recall` and `f1` of all instances together, and the mean of
    `mean_iou` over images.

    Args:
        table: The table, or a view of one, that has the true instances; None for predictions only.
        column: Its column of annotations; None for the first that fits.
        classes: Names of the classes, as of `CategoricalLabelSchema`; None for those of `column`.
        threshold: The least IoU of a match.
        predicted: Name of the column of predictions, in place of the usual ones.
        per_instance_schemas: Name to the schema of what else predicted instances have, as their
            `per_instance_extras`.
        preprocess_fn: Returns the batch and the predictions; see `MetricsCollector`.
        compute_aggregates: Whether to compute aggregates.

    Raises:
        ColumnNotFoundError: The table has no such column.
        SchemaError: The column holds no annotations.
    """

    def __init__(
        self,
        table: Any = None,
        column: str | None = None,
        *,
        classes: Classes | None = None,
        threshold: float = 0.5,
        predicted: str | None = None,
        per_instance_schemas: Mapping[str, Schema] | None = None,
        preprocess_fn: PreprocessFn | None = None,
        compute_aggregates: bool = True,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self._table = Origin.of(table).table
        self._column = None if column is None else AnnotationHelper.get(self._table, column)
        self._classes = classes
        self._threshold = threshold
        self._predicted = predicted
        self._extras = dict(per_instance_schemas or {})
        self._sample: Instances | None = None

    def preprocess(self, batch: Any, predictor_output: Any) -> tuple[Any, Any]:
        """Return batch and predictions; these know which rows they are of. See the base class."""
        batch, found = super().preprocess(batch, predictor_output)
        if isinstance(predictor_output, PredictorOutput) and found is not predictor_output:
            found = PredictorOutput(found, example_ids=predictor_output.example_ids)
        return batch, found

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns: one annotation, number or list for each image.

        Raises:
            CollectorError: The predictions are no annotations, or do not fit the true ones; or it
                is not known which rows they are of.
        """
        predicted = _checked(forward_of(predictor_output, self.name), self.name)
        if self._sample is None:
            self._begin(predicted[0])
        name = self._name
        if self._column is None:
            return {name: predicted}
        rows = self._rows(predictor_output)
        try:
            matches = match_column(predicted, rows, self._table, self._column, self._threshold)
        except MetricsError as error:
            raise CollectorError(error.message, hint=error.hint) from error
        return {name: _marked(predicted, matches), **_per_image(matches)}

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of all columns; empty before the first batch, which tells what is predicted."""
        if self._sample is None:
            return {}
        if self._column is None:
            return {self._name: self._schema({})}
        extras: dict[str, Schema] = {
            IOU: IoUSchema(),
            IS_TRUE_POSITIVE: BoolSchema(),
            IS_FALSE_POSITIVE: BoolSchema(),
        }
        return {
            self._name: self._schema(extras),
            **{each: Int32Schema(writable=False) for each in COUNTS},
            **{each: Float32Schema(writable=False) for each in RATIOS},
            MEAN_IOU: IoUSchema(writable=False),
            IS_FALSE_NEGATIVE: BoolSchema(shape=(-1,), writable=False),
        }

    def new_aggregator(self) -> Aggregator:
        """Return ratios of all instances together, and the mean of `mean_iou`."""
        return _InstanceAggregator()

    @property
    def _name(self) -> str:
        return self._predicted or PREDICTED[type(self._sample)]

    def _begin(self, sample: Instances) -> None:
        self._sample = sample
        if self._column is None and self._table is not None:
            self._column = fitting_column(self._table, type(sample))

    def _rows(self, predictor_output: Any) -> Any:
        ids = getattr(predictor_output, "example_ids", None)
        if ids is None:
            raise CollectorError(
                f"{self.name} is not told which rows the predictions are of.",
                hint="call it by tlc.collect_metrics or a Collection, or set the example_ids of "
                "its PredictorOutput.",
            )
        return ids

    def _schema(self, extras: Mapping[str, Schema]) -> Schema:
        classes = self._classes
        if classes is None and self._column is not None and self._column.label_path is not None:
            classes = self._table.get_value_map(self._column.label_path)
        arguments: dict[str, Any] = {
            "classes": classes,
            "per_instance_schemas": {**self._extras, **extras},
            "include_per_instance_confidence": True,
            "writable": False,
        }
        assert self._sample is not None
        if isinstance(self._sample, Keypoints2D):
            arguments |= self._skeleton(self._sample)
        return type(self._sample).schema(**arguments)

    def _skeleton(self, sample: Keypoints2D) -> dict[str, Any]:
        """Return what a schema says of points, as the column of true poses has it."""
        found: dict[str, Any] = {
            "num_keypoints": sample.num_keypoints,
            "include_per_point_visibility": sample.keypoint_visibilities is not None,
            "include_per_point_confidence": sample.keypoint_confidences is not None,
        }
        if self._column is None or self._column.type is not AnnotationType.KEYPOINTS:
            return found
        at = self._table, self._column.name
        return found | {
            "points": KeypointHelper.get_points_from_table(*at),
            "point_attributes": KeypointHelper.get_keypoint_attributes_from_table(*at),
            "lines": KeypointHelper.get_lines_from_table(*at),
            "line_attributes": KeypointHelper.get_line_attributes_from_table(*at),
            "triangles": KeypointHelper.get_triangles_from_table(*at),
            "triangle_attributes": KeypointHelper.get_triangle_attributes_from_table(*at),
            "flip_indices": KeypointHelper.get_flip_indices_from_table(*at),
            "oks_sigmas": KeypointHelper.get_oks_sigmas_from_table(*at),
        }


class _InstanceAggregator(Aggregator):
    """Ratios of all instances, in place of means over images that differ in how many they have."""

    def __init__(self) -> None:
        self._means = MeanAggregator()
        self._totals = dict.fromkeys(COUNTS, 0)

    def aggregate_batch(
        self, computed_metrics: Mapping[str, Any], schemas: Mapping[str, Schema] | None = None
    ) -> None:
        """Add the images of one batch; see `Aggregator.aggregate_batch`."""
        if MEAN_IOU in computed_metrics:
            self._means.aggregate_batch({MEAN_IOU: computed_metrics[MEAN_IOU]}, schemas)
        for name in self._totals.keys() & computed_metrics.keys():
            self._totals[name] += int(np.sum(computed_metrics[name]))

    @property
    def aggregate_values(self) -> dict[str, float]:
        """Name to value, for all batches so far; without those that have none."""
        tp, fp, fn = (self._totals[name] for name in COUNTS)
        wholes = (tp, tp + fp), (tp, tp + fn), (2 * tp, 2 * tp + fp + fn)
        ratios = {
            name: part / whole for name, (part, whole) in zip(RATIOS, wholes, strict=True) if whole
        }
        return {**ratios, **self._means.aggregate_values}


def _checked(forward: Any, collector: str) -> list[Any]:
    found = list(forward) if isinstance(forward, Sequence) else []
    if not found or any(type(each) not in PREDICTED for each in found):
        raise CollectorError(
            f"{collector} needs one annotation for each image, as BoundingBoxes2D, and got "
            f"{type(forward).__name__!r} {_kinds(found)}.",
            hint="return (batch, annotations) from a preprocess_fn.",
        )
    return found


def _kinds(found: list[Any]) -> str:
    return "of " + ", ".join(sorted({type(each).__name__ for each in found})) if found else ""


def _marked(predicted: list[Any], matches: Matches) -> list[Any]:
    """Return copies of the predictions that say of each instance what became of it."""
    flags = {
        IOU: matches.similarity[0],
        IS_TRUE_POSITIVE: matches.is_true_positive[0],
        IS_FALSE_POSITIVE: matches.is_false_positive[0],
    }
    cut = {name: _cut(values, matches.predictions.offsets) for name, values in flags.items()}
    marked = []
    for number, cell in enumerate(predicted):
        own = copy(cell)
        extras = {name: parts[number] for name, parts in cut.items()}
        own.per_instance_extras = {**cell.per_instance_extras, **extras}
        marked.append(own)
    return marked


def _per_image(matches: Matches) -> dict[str, Any]:
    images = matches.per_image()
    missed = _cut(matches.is_false_negative[0], matches.ground_truth.offsets)
    return {
        **{name: getattr(images, name)[0].astype(np.int32) for name in COUNTS},
        **{name: getattr(images, name)[0].astype(np.float32) for name in (*RATIOS, MEAN_IOU)},
        IS_FALSE_NEGATIVE: [part.tolist() for part in missed],
    }


def _cut(values: Any, offsets: Any) -> list[Any]:
    return np.split(values, offsets[1:-1])
