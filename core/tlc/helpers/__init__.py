"""Small things that programs around tables need: where annotations are, COCO's skeleton, masks."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tlc.helpers.annotations import AnnotationColumn, AnnotationHelper, AnnotationType
    from tlc.helpers.colors import ColorHelper
    from tlc.helpers.datetimes import DateTimeHelper
    from tlc.helpers.geometry import GeometryHelper
    from tlc.helpers.images import ImageHelper
    from tlc.helpers.keypoints import KeypointHelper
    from tlc.helpers.project_layout import ProjectLayout
    from tlc.helpers.projects import ProjectHelper
    from tlc.helpers.schemas import SchemaHelper
    from tlc.helpers.segmentations import SegmentationHelper

__all__ = [
    "AnnotationColumn",
    "AnnotationHelper",
    "AnnotationType",
    "ColorHelper",
    "DateTimeHelper",
    "GeometryHelper",
    "ImageHelper",
    "KeypointHelper",
    "ProjectHelper",
    "ProjectLayout",
    "SchemaHelper",
    "SegmentationHelper",
]

_HOMES = {
    "AnnotationColumn": "annotations",
    "AnnotationHelper": "annotations",
    "AnnotationType": "annotations",
    "ColorHelper": "colors",
    "DateTimeHelper": "datetimes",
    "GeometryHelper": "geometry",
    "ImageHelper": "images",
    "KeypointHelper": "keypoints",
    "ProjectHelper": "projects",
    "ProjectLayout": "project_layout",
    "SchemaHelper": "schemas",
    "SegmentationHelper": "segmentations",
}


def __getattr__(name: str) -> Any:
    """Load a helper on its first use.

    Raises:
        AttributeError: There is no such helper.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
