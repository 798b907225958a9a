"""Sample types of annotations. The registry of sample types loads them when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tlc import constants
from tlc.data_types.boxes import BoundingBoxes2D, BoundingBoxes3D
from tlc.data_types.bulk import ChunkWriter, read_part
from tlc.data_types.geometry import Geometry2D, Geometry3D
from tlc.data_types.geometry_schema import FLAT, bulk_types
from tlc.data_types.keypoints import Keypoints2D
from tlc.data_types.obbs import OrientedBoundingBoxes2D, OrientedBoundingBoxes3D
from tlc.data_types.sample_form import from_sample_form, is_sample_form
from tlc.data_types.segmentation_base import Segmentation
from tlc.data_types.segmentation_masks import SegmentationMasks
from tlc.data_types.segmentation_polygons import SegmentationPolygons
from tlc.data_types.semantic_segmentation import SemanticSegmentation
from tlc.data_types.shapes import as_plain
from tlc.errors import SchemaError
from tlc.sample_types.base import ExternalizationContext, LateSampleType
from tlc.sample_types.recognize import is_array, is_tensor
from tlc.sample_types.registry import register_sample_type

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tlc.data_types.base import Annotation
    from tlc.data_types.shapes import ShapesBase
    from tlc.schemas import Schema

    PartReader = Callable[[Sequence[str]], Callable[[int], Any] | None]

__all__ = [
    "AnnotationSampleType",
    "BoundingBoxes2DSampleType",
    "BoundingBoxes3DSampleType",
    "Geometry2DSampleType",
    "Geometry3DSampleType",
    "Keypoints2DSampleType",
    "OrientedBoundingBoxes2DSampleType",
    "OrientedBoundingBoxes3DSampleType",
    "SegmentationMasksSampleType",
    "SegmentationPolygonsSampleType",
    "SemanticSegmentationSampleType",
]


class AnnotationSampleType(LateSampleType):
    """Annotations of one kind, stored as dictionaries of lists.

    An object goes in, or a dictionary in row form, which is checked; an object comes out.
    """

    elementwise = True

    annotation: ClassVar[type[Annotation]]
    """Class of the samples."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is an object of the class."""
        return isinstance(value, self.annotation)

    def to_row(self, sample: Any, context: ExternalizationContext) -> dict[str, Any]:
        """Return the row form of annotations.

        Raises:
            SchemaError: They were changed to what does not fit together.
        """
        row: dict[str, Any] = sample.to_row()
        return row

    def from_row(self, row: Any) -> Any:
        """Return the annotations of a row form; None for None."""
        return None if row is None else self.annotation.from_row(row)

    def as_row(self, value: Any, context: ExternalizationContext) -> Any:
        """Return the row form of annotations, or of a row form that is to be checked.

        Raises:
            SchemaError: They do not fit together, or the value is something else.
        """
        if value is None:
            return None
        if self.accepts(value):
            return super().as_row(value, context)
        if not isinstance(value, Mapping):
            raise SchemaError(f"it is no {self.annotation.__name__}, and no dictionary")
        self.from_row(value)
        return value

    def late(self, read: Callable[[int], Any], part: PartReader) -> Callable[[int], Any]:
        """Return what makes the annotations of a row, to be decoded when they are looked at."""
        make = self.annotation.read_late
        paths = self.annotation.paths.items()
        parts = {name: found for name, path in paths if (found := part(path)) is not None}
        source = (read, parts)
        return lambda row: make(source, row)


def _registered(annotation: type[Annotation]) -> Callable[[type[Any]], type[Any]]:
    def register(cls: type[Any]) -> type[Any]:
        cls.annotation = annotation
        cls.takes = f"a tlc.data_types.{annotation.__name__} or its to_row()"
        return register_sample_type(annotation.sample_type)(cls)

    return register


@_registered(BoundingBoxes2D)
class BoundingBoxes2DSampleType(AnnotationSampleType):
    """`tlc.data_types.BoundingBoxes2D`."""


@_registered(BoundingBoxes3D)
class BoundingBoxes3DSampleType(AnnotationSampleType):
    """`tlc.data_types.BoundingBoxes3D`."""


@_registered(OrientedBoundingBoxes2D)
class OrientedBoundingBoxes2DSampleType(AnnotationSampleType):
    """`tlc.data_types.OrientedBoundingBoxes2D`."""


@_registered(OrientedBoundingBoxes3D)
class OrientedBoundingBoxes3DSampleType(AnnotationSampleType):
    """`tlc.data_types.OrientedBoundingBoxes3D`."""


@_registered(Keypoints2D)
class Keypoints2DSampleType(AnnotationSampleType):
    """`tlc.data_types.Keypoints2D`."""


class _GeometrySampleType(AnnotationSampleType):
    """Geometry, with large arrays in chunk files if the schema says so."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema)
        self._types = bulk_types(schema)

    def to_row(self, sample: Any, context: ExternalizationContext) -> dict[str, Any]:
        """Return the row form of geometry; chunk files are written.

        Raises:
            SchemaError: It was changed to what does not fit together, or refers to bulk data in a
                column that has none.
        """
        geometry: ShapesBase = sample
        if not self._types:
            return self._without_empty(self._checked(geometry.to_row()))
        row, chunks = geometry.to_row_of_arrays(), ChunkWriter(context)
        for instance in row[constants.INSTANCES]:
            for place, dtype in self._types.items():
                holder = instance if len(place) == 1 else instance[place[0]]
                array = holder.get(place[-1])
                if isinstance(array, str) or array is None:
                    continue
                if len(array):
                    holder[place[-1]] = np.asarray(array, dtype)
                    chunks.put(holder, place[-1])
                else:
                    holder[place[-1]] = None
        chunks.finish()
        row[constants.INSTANCES] = list(map(as_plain, row[constants.INSTANCES]))
        return self._without_empty(row)

    def from_row(self, row: Any) -> Any:
        """Return the geometry of a row form, with what it refers to; None for None."""
        return None if row is None else super().from_row(self._with_bulk(row))

    def as_row(self, value: Any, context: ExternalizationContext) -> Any:
        """Return the row form of geometry; a row form stays as it is, and no file is read."""
        if isinstance(value, Mapping):
            self.annotation.from_row(value)
            return value
        return super().as_row(value, context)

    def late(self, read: Callable[[int], Any], part: PartReader) -> Callable[[int], Any]:
        """Return what makes the geometry of a row; files are read when it is looked at."""
        return super().late(lambda row: self._with_bulk(read(row)), part)

    def _with_bulk(self, row: Any) -> Any:
        if not self._types:
            return row
        instances = [dict(instance) for instance in row[constants.INSTANCES] or ()]
        for instance in instances:
            for name in [f"{shape}_additional_data" for shape in FLAT]:
                if instance.get(name):
                    instance[name] = dict(instance[name])
            for place, dtype in self._types.items():
                holder = instance if len(place) == 1 else instance.get(place[0]) or {}
                if isinstance(reference := holder.get(place[-1]), str):
                    holder[place[-1]] = read_part(reference, dtype)
        return {**row, constants.INSTANCES: instances}

    def _checked(self, row: dict[str, Any]) -> dict[str, Any]:
        for instance in row[constants.INSTANCES]:
            for name in FLAT:
                if isinstance(instance[name], str):
                    raise SchemaError(
                        f"{name} refer to bulk data, and the column has none.",
                        hint="Give the column a schema(is_bulk_data=True).",
                    )
        return row

    @staticmethod
    def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
        """Return a row without extras of what has none: the schema need not have them."""
        return {
            **row,
            constants.INSTANCES: [
                {name: part for name, part in instance.items() if not _is_empty(part)}
                for instance in row[constants.INSTANCES]
            ],
        }


def _is_empty(part: Any) -> bool:
    return isinstance(part, dict) and not part


@_registered(Geometry2D)
class Geometry2DSampleType(_GeometrySampleType):
    """`tlc.data_types.Geometry2D`."""


@_registered(Geometry3D)
class Geometry3DSampleType(_GeometrySampleType):
    """`tlc.data_types.Geometry3D`."""


class _SegmentationSampleType(AnnotationSampleType):
    """Masks or polygons; dictionaries of either are taken, too."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is an object of either class, or a dictionary in sample form."""
        return isinstance(value, Segmentation) or is_sample_form(value)

    def to_row(self, sample: Any, context: ExternalizationContext) -> dict[str, Any]:
        """Return the row form of masks or polygons.

        Raises:
            SchemaError: They do not fit together.
        """
        if isinstance(sample, Mapping):
            sample = from_sample_form(sample)
        row: dict[str, Any] = sample.to_row()
        return row


@_registered(SegmentationMasks)
class SegmentationMasksSampleType(_SegmentationSampleType):
    """`tlc.data_types.SegmentationMasks`."""


@_registered(SegmentationPolygons)
class SegmentationPolygonsSampleType(_SegmentationSampleType):
    """`tlc.data_types.SegmentationPolygons`."""


@_registered(SemanticSegmentation)
class SemanticSegmentationSampleType(AnnotationSampleType):
    """`tlc.data_types.SemanticSegmentation`; arrays of shape (H, W) are taken, too."""

    def accepts(self, value: Any) -> bool:
        """Return whether `value` is a label map: an object, an array or a tensor."""
        return isinstance(value, SemanticSegmentation) or is_array(value) or is_tensor(value)

    def to_row(self, sample: Any, context: ExternalizationContext) -> dict[str, Any]:
        """Return the row form of a label map.

        Raises:
            SchemaError: It has not the shape (H, W), or other numbers than whole ones.
        """
        mask = sample.mask if isinstance(sample, SemanticSegmentation) else sample
        return SemanticSegmentation(mask, background=self._background).to_row()

    def from_row(self, row: Any) -> Any:
        """Return the label map of a row form; None for None."""
        if row is None:
            return None
        return SemanticSegmentation.from_row(row, background=self._background)

    def late(self, read: Callable[[int], Any], part: PartReader) -> Callable[[int], Any]:
        """Return what makes the label map of a row, to be decoded when it is looked at."""
        make, background = super().late(read, part), self._background

        def late(row: int) -> Any:
            made = make(row)
            made.background = background
            return made

        return late

    @property
    def _background(self) -> int | None:
        background = self.schema.metadata.get(constants.BACKGROUND)
        return None if background is None else int(background)
