"""How the values of a column become samples: `SampleType`, its heirs and their registry.

Schemas name a sample type; most code never meets the classes. A type of one's own, for data that
none of them fits, is a subclass of `SampleType` or `ExternalSampleType` with `register_sample_type`
above it.
"""

from __future__ import annotations

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

__all__ = [
    "CompositeSampleType",
    "DictSampleType",
    "EncodedSample",
    "ExternalNumpyArraySampleType",
    "ExternalSampleType",
    "ExternalTorchTensorSampleType",
    "ExternalizationContext",
    "Hidden",
    "Identity",
    "JpegImageSampleType",
    "ListSampleType",
    "NumpyArraySampleType",
    "PilImageSampleType",
    "PilJpegSampleType",
    "PilPngSampleType",
    "PilWebpSampleType",
    "SampleType",
    "TorchTensorSampleType",
    "UrlSampleType",
    "ValidationError",
    "list_sample_types",
    "register_sample_type",
    "resolve_sample_type",
]
