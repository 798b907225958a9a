"""`BoundingBoxMetricsCollector`: what detectors find in each image, and how well it fits."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import CollectorError
from tlc.helpers import AnnotationHelper
from tlc.integration.detectron2 import predictions
from tlc.metrics import InstanceMetricsCollector, MetricsCollector, PredictorOutput
from tlc.metrics.collectors._predictions import forward_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tlc.metrics.aggregators import Aggregator
    from tlc.metrics.collectors.metrics_collector_base import PreprocessFn
    from tlc.schemas import Schema
    from tlc.table import Table

__all__ = ["BoundingBoxMetricsCollector", "comparing_with"]


class BoundingBoxMetricsCollector(MetricsCollector):
    """Predicted instances of detectors, and how well they fit those of the table.

    Boxes are in the column ``bbs_predicted``, masks in ``segmentations_predicted``, poses of models
    that predict some in ``keypoints_predicted``: with classes as the table numbers them,
    confidences, and what became of each. Beside them are the numbers of each image; see
    `tlc.metrics.InstanceMetricsCollector`. Numbers of an image are about its masks if these are
    saved, else its poses, else its boxes.

    `MetricsCollectionHook` and `MetricsCollectionEvaluator` say which table is compared with; in
    other collections, predictions are written only.

    Args:
        classes: Name of each class, as the model counts them: ``metadata.thing_classes``.
        label_mapping: Id of each class in the table to its number in `classes`:
            ``metadata.thing_dataset_id_to_contiguous_id``.
        preprocess_fn: Gets batch and `PredictorOutput`, and returns batch and predictions: for each
            image ``{"instances": Instances}``, or results as of COCO, whose ``category_id`` is the
            number of a class in `classes`.
        compute_aggregates: Whether to add precision, recall, F1 and mean IoU to the run.
        save_segmentations: Whether to write predicted masks.

    Raises:
        CollectorError: A class of the mapping is not in `classes`.
    """

    def __init__(
        self,
        classes: Sequence[str],
        label_mapping: Mapping[int, int],
        preprocess_fn: PreprocessFn | None = None,
        compute_aggregates: bool = True,
        save_segmentations: bool = False,
    ) -> None:
        super().__init__(preprocess_fn=preprocess_fn, compute_aggregates=compute_aggregates)
        self.classes = list(classes)
        self.label_mapping = dict(label_mapping)
        self.save_segmentations = save_segmentations
        self._ids = _ids(self.label_mapping, self.classes)
        self._table: Table | None = None
        self._inner: dict[str, InstanceMetricsCollector] = {}

    @contextmanager
    def comparing_with(self, table: Table | None) -> Iterator[None]:
        """Compare predictions with the instances of a table for as long as this lasts.

        Args:
            table: The table whose rows the predictions are of.
        """
        before = self._table, self._inner
        self._table, self._inner = table, {}
        try:
            yield
        finally:
            self._table, self._inner = before

    def preprocess(self, batch: Any, predictor_output: Any) -> tuple[Any, Any]:
        """Return batch and predictions; these know which rows they are of. See the base class."""
        batch, found = super().preprocess(batch, predictor_output)
        if isinstance(predictor_output, PredictorOutput) and found is not predictor_output:
            found = PredictorOutput(found, example_ids=predictor_output.example_ids)
        return batch, found

    def compute_metrics(self, batch: Any, predictor_output: Any) -> dict[str, Any]:
        """Return the columns, with one value for each image.

        Raises:
            CollectorError: The predictions are of an unknown kind, or masks are missing.
        """
        found = predictions.as_found(batch, forward_of(predictor_output, self.name))
        ids = getattr(predictor_output, "example_ids", None)
        columns: dict[str, Any] = {}
        for kind, convert in self._kinds(found).items():
            cells = [convert(each, self._ids) for each in found]
            inner = self._collector(kind)
            columns |= inner.compute_metrics(batch, PredictorOutput(cells, example_ids=ids))
        return columns

    @property
    def column_schemas(self) -> dict[str, Schema]:
        """Schemas of all columns; empty before the first batch."""
        found: dict[str, Schema] = {}
        for inner in self._inner.values():
            found |= inner.column_schemas
        return found

    def new_aggregator(self) -> Aggregator:
        """Return ratios of all instances together, and the mean of `mean_iou`."""
        return InstanceMetricsCollector().new_aggregator()

    def _kinds(self, found: list[predictions.Found]) -> dict[str, Callable[..., Any]]:
        """Return what is written; of numbers of an image, those of the last one count."""
        kinds: dict[str, Callable[..., Any]] = {"boxes": predictions.boxes}
        if all(each.points is not None for each in found):
            kinds["keypoints"] = predictions.keypoints
        if self.save_segmentations:
            kinds["masks"] = predictions.masks
        return kinds

    def _collector(self, kind: str) -> InstanceMetricsCollector:
        if kind not in self._inner:
            classes = self._table_classes() or dict(
                zip(self._ids.tolist(), self.classes, strict=True)
            )
            self._inner[kind] = InstanceMetricsCollector(self._table, classes=classes)
        return self._inner[kind]

    def _table_classes(self) -> Any:
        """Return the classes as the table has them, with their colours."""
        if self._table is None:
            return None
        paths = [each.label_path for each in AnnotationHelper.find(self._table)]
        path = next((each for each in paths if each is not None), None)
        return None if path is None else self._table.get_value_map(path)


@contextmanager
def comparing_with(collectors: Sequence[MetricsCollector], table: Table) -> Iterator[None]:
    """Have those collectors that can do it compare with the instances of a table."""
    with ExitStack() as stack:
        for each in collectors:
            if isinstance(each, BoundingBoxMetricsCollector):
                stack.enter_context(each.comparing_with(table))
        yield


def _ids(label_mapping: Mapping[int, int], classes: list[str]) -> np.ndarray[Any, Any]:
    """Return the id of each class in the table, in the order of `classes`."""
    ids = np.arange(len(classes))
    for class_id, place in label_mapping.items():
        if not 0 <= place < len(classes):
            raise CollectorError(
                f"The label_mapping names class number {place}, where there are {len(classes)}.",
                hint="give thing_classes and thing_dataset_id_to_contiguous_id of the same "
                "metadata.",
            )
        ids[place] = class_id
    return ids
