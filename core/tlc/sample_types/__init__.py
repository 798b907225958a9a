"""How the values of a column become samples: `SampleType`, its heirs and their registry.

Schemas name a sample type; most code never meets the classes. A type of one's own, for data that
none of them fits, is a subclass of `SampleType` or `ExternalSampleType` with `register_sample_type`
above it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tlc.sample_types.arrays import (
    ExternalNumpyArraySampleType,
    ExternalTorchTensorSampleType,
    NumpyArraySampleType,
    TorchTensorSampleType,
)
from tlc.sample_types.base import (
    EncodedSample,
    ExternalizationContext,
    ExternalSampleType,
    LateSampleType,
    SampleType,
    ValidationError,
)
from tlc.sample_types.images import (
    JpegImageSampleType,
    PilImageSampleType,
    PilJpegSampleType,
    PilPngSampleType,
    PilWebpSampleType,
)
from tlc.sample_types.plain import DictSampleType, Hidden, Identity, UrlSampleType
from tlc.sample_types.registry import list_sample_types, register_sample_type
from tlc.sample_types.structure import CompositeSampleType, ListSampleType, resolve_sample_type

if TYPE_CHECKING:
    from tlc.data_types.sample_types import (
        BoundingBoxes2DSampleType,
        BoundingBoxes3DSampleType,
        Geometry2DSampleType,
        Geometry3DSampleType,
        Keypoints2DSampleType,
        OrientedBoundingBoxes2DSampleType,
        OrientedBoundingBoxes3DSampleType,
        SegmentationMasksSampleType,
        SegmentationPolygonsSampleType,
        SemanticSegmentationSampleType,
    )

__all__ = [
    "BoundingBoxes2DSampleType",
    "BoundingBoxes3DSampleType",
    "CompositeSampleType",
    "DictSampleType",
    "EncodedSample",
    "ExternalNumpyArraySampleType",
    "ExternalSampleType",
    "ExternalTorchTensorSampleType",
    "ExternalizationContext",
    "Geometry2DSampleType",
    "Geometry3DSampleType",
    "Hidden",
    "Identity",
    "JpegImageSampleType",
    "Keypoints2DSampleType",
    "LateSampleType",
    "ListSampleType",
    "NumpyArraySampleType",
    "OrientedBoundingBoxes2DSampleType",
    "OrientedBoundingBoxes3DSampleType",
    "PilImageSampleType",
    "PilJpegSampleType",
    "PilPngSampleType",
    "PilWebpSampleType",
    "SampleType",
    "SegmentationMasksSampleType",
    "SegmentationPolygonsSampleType",
    "SemanticSegmentationSampleType",
    "TorchTensorSampleType",
    "UrlSampleType",
    "ValidationError",
    "list_sample_types",
    "register_sample_type",
    "resolve_sample_type",
]

_LATE = (
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
)


def __getattr__(name: str) -> Any:
    """Load a sample type of annotations on its first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("tlc.data_types.sample_types"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
