"""What is collected of each kind of predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tlc.constants import (
    PREDICTED,
    PREDICTED_BOUNDING_BOXES,
    PREDICTED_KEYPOINTS,
    PREDICTED_MASK,
)
from tlc.data_types import BoundingBoxes2D, Keypoints2D
from tlc.errors import ColumnNotFoundError
from tlc.helpers import AnnotationHelper, AnnotationType
from tlc.integration.super_gradients.classes import ClassIds
from tlc.integration.super_gradients.classification_dataset import label_column
from tlc.integration.super_gradients.segmentation_dataset import (
    as_label_map,
    label_map_classes,
    label_map_column,
)
from tlc.metrics import (
    ClassificationMetricsCollector,
    InstanceMetricsCollector,
    MetricsCollector,
    PredictorOutput,
    SegmentationMetricsCollector,
)
from tlc.schemas import CategoricalLabelSchema

if TYPE_CHECKING:
    from tlc.integration.super_gradients.pipeline import PipelineOutput
    from tlc.schemas import Schema
    from tlc.table import Table

__all__ = [
    "ClassificationTask",
    "DetectionTask",
    "PoseTask",
    "SegmentationTask",
    "Task",
    "task_of",
]


class Task(ABC):
    """Makes columns of predictions of one kind, about one table.

    Args:
        table: The table.
        column: Its column of labels; None for the first that fits.
        known: Classes of the model where the table has none.

    Attributes:
        predictions: Name of the column that holds the predictions themselves.
        collector: Makes the columns.
    """

    predictions: ClassVar[str]
    collector: MetricsCollector

    def __init__(self, table: Table, column: str | None, known: ClassIds | None) -> None:
        self.table = table
        self.column = None if column is None else column.partition(".")[0]
        self.known = known

    @abstractmethod
    def adapted(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> tuple[Any, Any]:
        """Return batch and predictions as the collector takes them.

        Args:
            images: RGB images of the rows.
            predictions: SuperGradients' predictions of them.
            output: Tells the rows, and what the model itself returned.
        """

    def columns(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> dict[str, Any]:
        """Return the columns of a batch; see `adapted`."""
        batch, forward = self.adapted(images, predictions, output)
        return self.collector(batch, PredictorOutput(forward, example_ids=output.example_ids))

    @property
    def schemas(self) -> dict[str, Schema]:
        """Schemas of the columns, known after the first batch."""
        return self.collector.column_schemas

    def _classes(self, path: str | None) -> ClassIds:
        """Return the classes at a path of the table, else those of the model."""
        has_own = path is not None and self.table.get_value_map(path)
        return ClassIds.of(self.table, path) if has_own or self.known is None else self.known


class DetectionTask(Task):
    """Boxes, and how well they fit those of the table."""

    predictions = PREDICTED_BOUNDING_BOXES

    def __init__(self, table: Table, column: str | None, known: ClassIds | None) -> None:
        super().__init__(table, column, known)
        kinds = AnnotationType.BOUNDING_BOXES, AnnotationType.LEGACY_BOUNDING_BOXES
        found = _annotation(table, self.column, *kinds)
        self._ids = self._classes(None if found is None else found.label_path)
        self.collector = InstanceMetricsCollector(
            table, None if found is None else found.name, classes=dict(self._ids.elements)
        )

    def adapted(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> tuple[Any, Any]:
        """Return boxes in pixels of the images, with the ids of the table."""
        return images, [self._boxes(*each) for each in zip(images, predictions, strict=True)]

    def _boxes(self, image: Any, predicted: Any) -> BoundingBoxes2D:
        found = predicted.prediction
        height, width = image.shape[:2]
        return BoundingBoxes2D(
            np.reshape(found.bboxes_xyxy, (-1, 4)),
            self._ids.to_table(found.labels),
            found.confidence,
            image_width=width,
            image_height=height,
        )


class PoseTask(Task):
    """Poses, and how well they fit those of the table."""

    predictions = PREDICTED_KEYPOINTS

    def __init__(self, table: Table, column: str | None, known: ClassIds | None) -> None:
        super().__init__(table, column, known)
        found = _annotation(table, self.column, AnnotationType.KEYPOINTS)
        path = None if found is None else found.label_path
        classes = None if path is None else table.get_value_map(path)
        # SuperGradients' pose models know one class only.
        self._label = min(classes) if classes else None
        self.collector = InstanceMetricsCollector(table, None if found is None else found.name)

    def adapted(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> tuple[Any, Any]:
        """Return poses in pixels of the images."""
        return images, [self._poses(*each) for each in zip(images, predictions, strict=True)]

    def _poses(self, image: Any, predicted: Any) -> Keypoints2D:
        found = predicted.prediction
        height, width = image.shape[:2]
        count = len(found.scores)
        boxes = found.bboxes_xyxy
        return Keypoints2D(
            found.poses[..., :2],
            None if self._label is None else np.full(count, self._label),
            np.clip(found.scores, 0, 1),
            bounding_boxes=None if boxes is None or not count else np.reshape(boxes, (-1, 4)),
            keypoint_confidences=np.clip(found.poses[..., 2], 0, 1),
            image_width=width,
            image_height=height,
        )


class ClassificationTask(Task):
    """The predicted class, and how sure it is."""

    predictions = PREDICTED

    def __init__(self, table: Table, column: str | None, known: ClassIds | None) -> None:
        super().__init__(table, column, known)
        self.column = self.column or label_column(table)
        self._ids = self._classes(self.column)
        self.collector = ClassificationMetricsCollector()

    def adapted(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> tuple[Any, Any]:
        """Return labels of the table and the logits."""
        assert self.column is not None
        rows = [] if output.example_ids is None else output.example_ids.tolist()
        labels = self.table.get_batch(rows, [self.column])[self.column]
        return (images, self._ids.to_model(labels, f"A row of {self.table.url}")), output.raw

    def columns(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> dict[str, Any]:
        """Return the columns of a batch; `predicted` is an id of the table."""
        found = super().columns(images, predictions, output)
        return {**found, PREDICTED: self._ids.to_table(found[PREDICTED]).astype(np.int32)}

    @property
    def schemas(self) -> dict[str, Schema]:
        """Schemas of the columns."""
        predicted = CategoricalLabelSchema(classes=dict(self._ids.elements), writable=False)
        return {**super().schemas, PREDICTED: predicted}


class SegmentationTask(Task):
    """The predicted label map, and how well it fits that of the table."""

    predictions = PREDICTED_MASK

    def __init__(self, table: Table, column: str | None, known: ClassIds | None) -> None:
        super().__init__(table, column, known)
        self.column = label_map_column(table, column)
        self._ids = label_map_classes(table, self.column)
        self.collector = SegmentationMetricsCollector(label_map=dict(self._ids.elements))

    def adapted(
        self, images: list[Any], predictions: list[Any], output: PipelineOutput
    ) -> tuple[Any, Any]:
        """Return label maps of the table, and those that are predicted, with its ids."""
        assert self.column is not None
        rows = [] if output.example_ids is None else output.example_ids.tolist()
        true = self.table.get_batch(rows, [self.column])[self.column]
        maps = [self._ids.to_table(each.prediction.segmentation_map) for each in predictions]
        return (images, [as_label_map(each) for each in true]), maps


_TASKS: dict[str, type[Task]] = {
    "detection": DetectionTask,
    "pose": PoseTask,
    "classification": ClassificationTask,
    "segmentation": SegmentationTask,
}


def task_of(kind: str, table: Table, column: str | None, known: ClassIds | None) -> Task:
    """Return what is collected of predictions of a kind; see `Task`."""
    return _TASKS[kind](table, column, known)


def _annotation(table: Table, name: str | None, *kinds: AnnotationType) -> Any:
    """Return the column of annotations that is named, or the first of these kinds, if any."""
    if name is not None:
        if name not in table.columns:
            raise ColumnNotFoundError(
                f"{table.url} has no column {name!r}.", hint="give another label_column_name."
            )
        return AnnotationHelper.get(table, name)
    found = (each for kind in kinds for each in AnnotationHelper.find(table, kind))
    return next(found, None)
