"""A table as a split of a training: its images, classes, labels and weights."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import ColumnError, ColumnNotFoundError, OptionError
from tlc.helpers import AnnotationHelper, AnnotationType, KeypointHelper
from tlc.integration.ultralytics.labels import image_classes, instance_labels
from tlc.samplers.weights import read_weights
from tlc.url import Url

if TYPE_CHECKING:
    from tlc.helpers import AnnotationColumn
    from tlc.integration.ultralytics.settings import Settings
    from tlc.table import Table

TASKS = ("detect", "segment", "classify", "pose", "obb")
_BOXES = (AnnotationType.BOUNDING_BOXES, AnnotationType.LEGACY_BOUNDING_BOXES)
KINDS: dict[str, tuple[AnnotationType, ...]] = {
    "detect": (*_BOXES, AnnotationType.SEGMENTATION),
    "segment": (AnnotationType.SEGMENTATION,),
    "pose": (AnnotationType.KEYPOINTS,),
    "obb": (AnnotationType.ORIENTED_BOUNDING_BOXES,),
}
"""What a column of annotations has to hold for a task, the best first."""


class Split:
    """A table as a split.

    Args:
        name: Name of the split, such as ``"train"``.
        table: The table.
        task: The task of the model.
        settings: They name columns, and say which rows take part.

    Raises:
        OptionError: The table has no rows, or the task is none that there is.
        ColumnNotFoundError: It has no column of images, or none of labels for the task.
    """

    def __init__(self, name: str, table: Table, task: str, settings: Settings) -> None:
        if task not in TASKS:
            raise OptionError(f"Tables cannot be used for the task {task!r}.", hint=_known())
        if not len(table):
            raise OptionError(f"The split {name!r} is empty: {table.url} has no rows.")
        self.name = name
        self.table = table
        self.task = task
        self.image_column = _image_column(table, settings.image_column_name)
        self._settings = settings
        wanted = (settings.label_column_name or "").partition(".")[0] or None
        self._annotations = None if task == "classify" else _annotations(table, task, wanted)
        if self._annotations is None:
            self.label_column = wanted or _class_column(table)
            self._label_path: str | None = self.label_column
            table.rows_schema.values[self.label_column]
        else:
            self.label_column = self._annotations.name
            self._label_path = self._annotations.label_path

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.table)

    @cached_property
    def classes(self) -> dict[int, str]:
        """Id to name of each class, in the order of the indices that the model has for them."""
        known = self._label_path and self.table.get_simple_value_map(self._label_path)
        if known:
            return {int(number): str(name) for number, name in sorted(known.items())}
        if self._annotations is None:
            found = set(self.table.get_column_as_pyarrow_array(self.label_column).to_pylist())
        else:
            cells = self.table.get_batch(range(len(self)), [self.label_column])[self.label_column]
            found = {int(each) for cell in cells for each in _labels(cell)}
        return {number: str(number) for number in sorted(found)}

    @property
    def ids(self) -> np.ndarray[Any, Any]:
        """Id of the class of each index of the model, int32 of shape (classes,)."""
        return np.array(list(self.classes), np.int32)

    @cached_property
    def labels(self) -> list[Any]:
        """What `ultralytics` calls labels, for each row: see `instance_labels`."""
        indices = {number: index for index, number in enumerate(self.classes)}
        if self._annotations is None:
            return image_classes(self.table, self.label_column, indices)
        return instance_labels(self, self._annotations, indices)

    @cached_property
    def images(self) -> list[str]:
        """Url of the image of each row; a path if it is a file of this machine."""
        cells = self.table.get_column_as_pyarrow_array(self.image_column).to_pylist()
        for row, cell in enumerate(cells):
            if not isinstance(cell, str) or not cell:
                raise ColumnError(
                    f"{self.table.url}, column {self.image_column!r}: row {row} holds no url of an"
                    f" image, but {cell!r:.80}."
                )
        return [Url(cell).to_absolute(self.table.url).to_str() for cell in cells]

    @cached_property
    def weights(self) -> np.ndarray[Any, Any]:
        """Weight of each row.

        Raises:
            WeightError: The table has none, or they cannot be used.
        """
        return np.asarray(read_weights(self.table))

    def rows(self, *, training: bool) -> np.ndarray[Any, Any]:
        """Return the rows that take part, in ascending order.

        Args:
            training: In training, or else in collection.
        """
        setting = f"exclude_zero_weight_{'training' if training else 'collection'}"
        if not getattr(self._settings, setting) or self.table.weights_column_name is None:
            return np.arange(len(self))
        return np.flatnonzero(self.weights)

    @property
    def skeleton(self) -> dict[str, Any]:
        """What a data set says of its poses; nothing for another task."""
        if self.task != "pose":
            return {}
        at = self.table, self.label_column
        found = {
            "kpt_shape": KeypointHelper.get_keypoint_shape_from_table(*at),
            "flip_idx": KeypointHelper.get_flip_indices_from_table(*at),
            "kpt_oks_sigmas": KeypointHelper.get_oks_sigmas_from_table(*at),
        }
        return {name: value for name, value in found.items() if value}


def _image_column(table: Table, wanted: str | None) -> str:
    schemas = table.rows_schema.values
    if wanted is not None:
        if wanted not in schemas:
            raise _missing(table, f"no column {wanted!r} of images", "image_column_name")
        return wanted
    if "image" in schemas:
        return "image"
    for name, schema in schemas.items():
        if str(schema.sample_type).startswith("pil"):
            return name
    raise _missing(table, "no column of images", "image_column_name")


def _class_column(table: Table) -> str:
    schemas = table.rows_schema.values
    if "label" in schemas:
        return "label"
    for name, schema in schemas.items():
        if not schema.is_composite and table.get_simple_value_map(name):
            return name
    raise _missing(table, "no column of classes", "label_column_name")


def _annotations(table: Table, task: str, wanted: str | None) -> AnnotationColumn:
    kinds = KINDS[task]
    if wanted is not None:
        found = AnnotationHelper.get(table, wanted)
        if found.type not in kinds:
            names = " or ".join(kind.value for kind in kinds)
            raise OptionError(
                f"The column {wanted!r} of {table.url} holds {found.type.value}; the task {task!r} "
                f"needs {names}."
            )
        return found
    for kind in kinds:
        if columns := AnnotationHelper.find(table, kind):
            return columns[0]
    raise _missing(table, f"no column of annotations for the task {task!r}", "label_column_name")


def _missing(table: Table, what: str, setting: str) -> ColumnNotFoundError:
    names = ", ".join(map(repr, table.columns))
    return ColumnNotFoundError(f"{table.url} has {what}.", hint=f"{setting}= names one of {names}.")


def _labels(cell: Any) -> Any:
    found = None if cell is None else cell.labels
    return () if found is None else found


def _known() -> str:
    return f"there are {', '.join(map(repr, TASKS))}."
