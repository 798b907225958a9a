"""What the columns of a table mean: `Schema`, and a class for each usual kind of column.

`tlc.schemas.values` has the scalars that schemas are made of.
"""

from __future__ import annotations

from tlc.schemas import values
from tlc.schemas.arrow import arrow_type, schema_from_arrow_type
from tlc.schemas.infer import infer_schema
from tlc.schemas.labels import CategoricalLabelListSchema, CategoricalLabelSchema
from tlc.schemas.measures import (
    ConfidenceSchema,
    EmbeddingSchema,
    FractionSchema,
    IoUSchema,
    ProbabilitySchema,
    UnixTimestampSchema,
)
from tlc.schemas.media import (
    ImageSchema,
    SemanticSegmentationRleSchema,
    SemanticSegmentationSchema,
)
from tlc.schemas.numbers import (
    BoolSchema,
    Float32ListSchema,
    Float32Schema,
    Float64Schema,
    Int8Schema,
    Int16Schema,
    Int32Schema,
    Int64Schema,
    Uint8Schema,
    Uint16Schema,
    Uint32Schema,
    Uint64Schema,
)
from tlc.schemas.schema import Schema, find
from tlc.schemas.strings import (
    DatetimeStringSchema,
    ExternalNumpyArraySchema,
    ExternalTorchTensorSchema,
    StringSchema,
    UrlSchema,
    VideoUrlSchema,
)
from tlc.schemas.system import (
    EpochSchema,
    ExampleIdSchema,
    ForeignTableIdSchema,
    IterationSchema,
    SampleWeightSchema,
)
from tlc.schemas.value_maps import MapElement, make_value_map

__all__ = [
    "BoolSchema",
    "CategoricalLabelListSchema",
    "CategoricalLabelSchema",
    "ConfidenceSchema",
    "DatetimeStringSchema",
    "EmbeddingSchema",
    "EpochSchema",
    "ExampleIdSchema",
    "ExternalNumpyArraySchema",
    "ExternalTorchTensorSchema",
    "Float32ListSchema",
    "Float32Schema",
    "Float64Schema",
    "ForeignTableIdSchema",
    "FractionSchema",
    "ImageSchema",
    "Int8Schema",
    "Int16Schema",
    "Int32Schema",
    "Int64Schema",
    "IoUSchema",
    "IterationSchema",
    "MapElement",
    "ProbabilitySchema",
    "SampleWeightSchema",
    "Schema",
    "SemanticSegmentationRleSchema",
    "SemanticSegmentationSchema",
    "StringSchema",
    "Uint8Schema",
    "Uint16Schema",
    "Uint32Schema",
    "Uint64Schema",
    "UnixTimestampSchema",
    "UrlSchema",
    "VideoUrlSchema",
    "arrow_type",
    "find",
    "infer_schema",
    "make_value_map",
    "schema_from_arrow_type",
    "values",
]
