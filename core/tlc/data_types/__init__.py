"""Annotations as training code sees them: boxes, masks, polygons, keypoints, geometry.

Each class has a ``schema(...)`` for its columns, a constructor that takes arrays, and
``create_empty(...)`` with ``add_instance(...)``. ``to_row()`` and ``from_row(...)`` convert to and
from what rows hold.
"""

from __future__ import annotations

from tlc.data_types.base import Annotation
from tlc.data_types.boxes import BoundingBoxes2D, BoundingBoxes3D
from tlc.data_types.geometry import Geometry2D, Geometry3D
from tlc.data_types.geometry_base import Geometry2DBase, Geometry3DBase, GeometryBase
from tlc.data_types.keypoints import Keypoints2D
from tlc.data_types.legacy import legacy_bb_row_to_bounding_boxes_2d
from tlc.data_types.obbs import OrientedBoundingBoxes2D, OrientedBoundingBoxes3D
from tlc.data_types.rle import CocoRle
from tlc.data_types.segmentation_masks import SegmentationMasks
from tlc.data_types.segmentation_polygons import SegmentationPolygons
from tlc.data_types.semantic_segmentation import SemanticSegmentation

__all__ = [
    "Annotation",
    "BoundingBoxes2D",
    "BoundingBoxes3D",
    "CocoRle",
    "Geometry2D",
    "Geometry2DBase",
    "Geometry3D",
    "Geometry3DBase",
    "GeometryBase",
    "Keypoints2D",
    "OrientedBoundingBoxes2D",
    "OrientedBoundingBoxes3D",
    "SegmentationMasks",
    "SegmentationPolygons",
    "SemanticSegmentation",
    "legacy_bb_row_to_bounding_boxes_2d",
]
