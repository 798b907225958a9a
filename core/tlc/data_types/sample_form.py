"""Segmentations as dictionaries of masks or polygons, which may be given in place of objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc import constants
from tlc.data_types.segmentation_masks import SegmentationMasks
from tlc.data_types.segmentation_polygons import SegmentationPolygons

if TYPE_CHECKING:
    from tlc.data_types.segmentation_base import Segmentation


def is_sample_form(value: Any) -> bool:
    """Return whether `value` is a dictionary of masks, of polygons, or of counts as text."""
    if not isinstance(value, Mapping):
        return False
    if constants.MASKS in value:
        return True
    rles = value.get(constants.RLES)
    if rles is None:
        return constants.POLYGONS in value
    return not all(isinstance(counts, bytes) for counts in rles)


def from_sample_form(value: Mapping[str, Any]) -> Segmentation:
    """Return the instances of a dictionary of masks, of polygons, or of counts as text.

    Raises:
        SchemaError: Something is missing, or does not fit.
    """
    height, width = value.get(constants.IMAGE_HEIGHT), value.get(constants.IMAGE_WIDTH)
    more = value.get(constants.INSTANCE_PROPERTIES)
    given: dict[str, Any] = {"image_height": height, "image_width": width}
    if constants.MASKS in value:
        masks = np.asarray(value[constants.MASKS])
        return SegmentationMasks(**given, masks=masks, per_instance_extras=more)
    if value.get(constants.RLES) is not None:
        return SegmentationMasks.from_row(value)
    polygons, relative = value[constants.POLYGONS], bool(value.get("relative"))
    return SegmentationPolygons(
        **given, polygons=polygons, per_instance_extras=more, relative=relative
    )
