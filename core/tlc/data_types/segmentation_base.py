"""What `SegmentationMasks` and `SegmentationPolygons` have in common."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, Unpack

import numpy as np
import numpy.typing as npt

from tlc import constants
from tlc.data_types import rle
from tlc.data_types.arrays import (
    Extras,
    Floats,
    Ints,
    as_extra,
    as_extras,
    as_list,
    as_optional,
    check_lengths,
)
from tlc.data_types.base import Annotation
from tlc.data_types.columns import segmentation_schema, split_inferred
from tlc.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.schemas import Schema
    from tlc.schemas.arguments import ColumnArguments
    from tlc.schemas.value_maps import Classes

Masks = npt.NDArray[np.uint8]


class Segmentation(Annotation):
    """Instances of an image, with a mask each. Coordinates are absolute pixels.

    Rows hold a compressed COCO run-length encoding of each mask and, where an instance was given by
    polygons, these too, so that they are read as they were written.

    Attributes:
        image_height: Height of the image in pixels.
        image_width: Width of the image in pixels.
        per_instance_extras: Name to an array or list with one item per instance; among them
            ``"label"`` and ``"confidence"``.
    """

    __slots__ = ("_polygons", "_rles", "image_height", "image_width", "per_instance_extras")

    image_height: int
    image_width: int
    per_instance_extras: Extras
    _rles: list[bytes]
    _polygons: list[list[Any]]

    own_parts: ClassVar[tuple[str, ...]] = (
        *("image_height", "image_width", "per_instance_extras", "_rles", "_polygons"),
    )

    @property
    def labels(self) -> Ints | None:
        """Class of each instance, int32; None if none has a class."""
        return self.per_instance_extras.get(constants.LABEL)

    @labels.setter
    def labels(self, labels: Any) -> None:
        self._set_extra(constants.LABEL, as_optional(labels, np.int32, "labels"))

    @property
    def confidences(self) -> Floats | None:
        """Confidence of each instance, float32; None if none has one."""
        return self.per_instance_extras.get(constants.CONFIDENCE)

    @confidences.setter
    def confidences(self, confidences: Any) -> None:
        self._set_extra(constants.CONFIDENCE, as_optional(confidences, np.float32, "confidences"))

    @property
    def rles(self) -> list[rle.CocoRle]:
        """The masks as `pycocotools` has them."""
        size = [self.image_height, self.image_width]
        return [{"counts": counts, "size": list(size)} for counts in self._encoded()[0]]

    def to_row(self) -> dict[str, Any]:
        """Return the row form: size of the image, `rles`, `polygons` and `instance_properties`.

        Raises:
            SchemaError: An attribute was changed to what does not fit the others.
        """
        rles, polygons = self._encoded()
        check_lengths(len(rles), self.per_instance_extras)
        more = {name: as_list(items) for name, items in self.per_instance_extras.items()}
        return {
            constants.IMAGE_HEIGHT: self.image_height,
            constants.IMAGE_WIDTH: self.image_width,
            constants.RLES: rles,
            constants.POLYGONS: [[as_list(part) for part in parts] for parts in polygons],
            constants.INSTANCE_PROPERTIES: {constants.LABEL: None, **more},
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the instances of a row form, as ``table.table_rows[i]`` has it.

        Counts can be text, and `rles` can be dictionaries as `pycocotools` has them.

        Raises:
            SchemaError: It is not complete, or its counts are not those of such masks.
        """
        try:
            made = cls._filled({**row, constants.RLES: list(map(_counts, row[constants.RLES]))})
        except (KeyError, TypeError, AttributeError) as error:
            raise SchemaError(
                f"A row of {cls.__name__} is a dictionary with 'image_height', 'image_width', "
                f"'rles' and 'instance_properties', not {row!r}: {error}."
            ) from error
        check_lengths(len(made._rles), {**made.per_instance_extras, "polygons": made._polygons})
        rle.check_sizes(*rle.counts_of(made._rles), made.image_height * made.image_width)
        return made

    @classmethod
    def schema(
        cls,
        *,
        classes: Classes | None = None,
        per_instance_schemas: Mapping[str, Schema] | None = None,
        include_per_instance_confidence: bool = False,
        **arguments: Unpack[ColumnArguments],
    ) -> Schema:
        """Return the schema of a column of these.

        Args:
            classes: Names of the classes, as of `CategoricalLabelSchema`.
            per_instance_schemas: Name to the schema of the item that each instance has.
            include_per_instance_confidence: Whether instances have confidences.
            **arguments: Those of `Schema`, such as `display_name`.

        Raises:
            SchemaError: A class has no usable number or name, or a name is taken.
        """
        return segmentation_schema(
            cls.sample_type,
            classes,
            per_instance_schemas,
            confidence=include_per_instance_confidence,
            arguments=arguments,
        )

    @classmethod
    def inferred_schema(cls, parts: Mapping[str, Schema]) -> Schema:
        """Return the schema of a column that has none. See `Annotation`."""
        confidence, extras = split_inferred(parts)
        return cls.schema(per_instance_schemas=extras, include_per_instance_confidence=confidence)

    def inferred_parts(self) -> Mapping[str, Any]:
        """Return what a schema depends on. See `Annotation`."""
        return self.per_instance_extras

    def __repr__(self) -> str:
        amount = len(self._encoded()[0])
        size = f"image_width={self.image_width}, image_height={self.image_height}"
        return f"{type(self).__name__}({amount} instance{'s' * (amount != 1)}, {size})"

    @abstractmethod
    def _encoded(self) -> tuple[list[bytes], list[list[Any]]]:
        """Return the counts and the polygons of all instances as they now are."""

    def _set_size(self, width: Any, height: Any) -> None:
        for name, value in (("image_width", width), ("image_height", height)):
            if isinstance(value, bool) or value is None or value != int(value) or value < 0:
                raise SchemaError(f"{name} is {value!r}, which is no number of pixels.")
            setattr(self, name, int(value))

    def _set_extras(self, labels: Any, confidences: Any, extras: Mapping[str, Any] | None) -> None:
        self.per_instance_extras = as_extras(extras)
        for given in (constants.LABEL, constants.CONFIDENCE):
            if given in self.per_instance_extras:
                name = "labels" if given == constants.LABEL else "confidences"
                setattr(self, name, self.per_instance_extras[given])
        if labels is not None:
            self.labels = labels
        if confidences is not None:
            self.confidences = confidences

    def _set_extra(self, name: str, values: Any) -> None:
        self.per_instance_extras.pop(name, None)
        if values is not None:
            self.per_instance_extras[name] = values

    def _fill(self, row: Mapping[str, Any]) -> None:
        self.image_height = int(row[constants.IMAGE_HEIGHT])
        self.image_width = int(row[constants.IMAGE_WIDTH])
        self._rles = list(row[constants.RLES] or ())
        given = row.get(constants.POLYGONS)
        self._polygons = [list(parts or ()) for parts in given] if given else [[]] * len(self._rles)
        more = dict(row.get(constants.INSTANCE_PROPERTIES) or {})
        label = as_optional(more.pop(constants.LABEL, None), np.int32, "labels")
        extras = {name: as_extra(items) for name, items in more.items() if items is not None}
        self.per_instance_extras = extras if label is None else {constants.LABEL: label, **extras}


def _counts(given: Any) -> bytes:
    """Return counts given as bytes, as text, or as a dictionary of `pycocotools`."""
    if not isinstance(given, bytes | str | bytearray):
        given = given["counts"]
    return given.encode("ascii") if isinstance(given, str) else bytes(given)
