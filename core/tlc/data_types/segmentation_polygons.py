"""Instances with a polygon each: `SegmentationPolygons`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tlc import constants
from tlc.data_types import polygons as rings
from tlc.data_types.arrays import as_list, check_lengths, with_item
from tlc.data_types.rasterize import rasterize
from tlc.data_types.segmentation_base import Segmentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SegmentationPolygons(Segmentation):
    """Instances with a polygon each, in absolute pixels.

    The origin is the upper left corner of the image; whole numbers are the corners of pixels.
    Polygons are read as they were written. Where an instance was written as a mask, its polygon is
    the outline of the mask along the edges of pixels, which has exactly the pixels of the mask.

    Args:
        image_width: Width of the image in pixels.
        image_height: Height of the image in pixels.
        polygons: For each instance its polygon ``[x0, y0, x1, y1, ...]``, or a list of those that
            it is made of.
        labels: Class of each instance; None if none has one.
        confidences: Confidence of each instance, from 0 to 1; None if none has one.
        per_instance_extras: Name to one item per instance.
        relative: Whether coordinates are fractions of the width and height of the image. Converted
            once, here.

    Attributes:
        polygons: For each instance one flat list ``[x0, y0, x1, y1, ...]``. That of an instance of
            several parts visits all of them, and goes from one to the next and back on the same
            line. One with less than three corners is an empty list.

    Raises:
        SchemaError: A coordinate is NaN or infinite, or something has not one item per polygon.
    """

    __slots__ = ("_given", "polygons")

    sample_type = "segmentation_polygons"
    parts = ("polygons", "_given", *Segmentation.own_parts)
    made_late = frozenset({"polygons", "_given"})
    compared = ("polygons", "image_height", "image_width", "per_instance_extras")

    polygons: list[list[float]]
    _given: list[list[float]]

    def __init__(
        self,
        *,
        image_width: int,
        image_height: int,
        polygons: Sequence[Any],
        labels: Any = None,
        confidences: Any = None,
        per_instance_extras: Mapping[str, Any] | None = None,
        relative: bool = False,
    ) -> None:
        self._set_size(image_width, image_height)
        self._set_extras(labels, confidences, per_instance_extras)
        scale = (self.image_width, self.image_height) if relative else (1, 1)
        parts = rings.as_parts(polygons, scale)
        self._rles, self._polygons = self._drawn(parts), rings.flat_parts(parts)
        self._set_rings()
        check_lengths(self.num_instances, self.per_instance_extras)

    @classmethod
    def create_empty(cls, *, image_width: int, image_height: int) -> Self:
        """Return an object without instances, to be filled by `add_instance`."""
        return cls(image_width=image_width, image_height=image_height, polygons=[])

    def add_instance(
        self,
        *,
        polygon: Any,
        label: int | None = None,
        confidence: float | None = None,
        per_instance_extras: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an instance with a polygon ``[x0, y0, x1, y1, ...]``, or a list of several.

        Raises:
            SchemaError: A coordinate is NaN or infinite.
        """
        self._rles, self._polygons = self._encoded()
        parts = rings.as_parts([polygon])
        count = len(self._rles)
        more = {constants.LABEL: label, constants.CONFIDENCE: confidence}
        self._set_extras(
            None,
            None,
            with_item(self.per_instance_extras, count, {**more, **(per_instance_extras or {})}),
        )
        self._polygons = [*self._polygons, *rings.flat_parts(parts)]
        self._rles = [*self._rles, *self._drawn(parts)]
        self._set_rings()

    @property
    def num_instances(self) -> int:
        """Number of instances."""
        return len(self.polygons if self._has("polygons") else self._rles)

    @property
    def parts_of_instances(self) -> list[list[list[float]]]:
        """For each instance a list of its parts, each a flat list of x and y in turn."""
        rles, polygons = self._encoded()
        return [[as_list(part) for part in own] for own in self._with_outlines(rles, polygons)]

    def __getattr__(self, name: str) -> Any:
        if name in ("polygons", "_given"):
            self._set_rings()
            return object.__getattribute__(self, name)
        return super().__getattr__(name)

    def _set_rings(self) -> None:
        parts = self._with_outlines(self._rles, self._polygons)
        self._given = [rings.as_ring(own) for own in parts]
        self.polygons = [list(ring) for ring in self._given]

    def _with_outlines(self, rles: list[bytes], polygons: list[list[Any]]) -> list[list[Any]]:
        height, width = self.image_height, self.image_width
        return [
            own or rings.outline(counts, height, width)
            for counts, own in zip(rles, polygons, strict=True)
        ]

    def _drawn(self, parts: list[list[Any]]) -> list[bytes]:
        return rasterize(parts, self.image_height, self.image_width)

    def _encoded(self) -> tuple[list[bytes], list[list[Any]]]:
        if not self._has("polygons"):
            return self._rles, self._polygons
        polygons = self.polygons
        if polygons == self._given:
            return self._rles, self._polygons
        before = zip(self._rles, self._polygons, strict=True)
        known = {tuple(ring): both for ring, both in zip(self._given, before, strict=True)}
        parts = rings.as_parts(polygons)
        drawn = zip(self._drawn(parts), rings.flat_parts(parts), strict=True)
        both = [known.get(tuple(r), new) for r, new in zip(polygons, drawn, strict=True)]
        return [counts for counts, _ in both], [own for _, own in both]
