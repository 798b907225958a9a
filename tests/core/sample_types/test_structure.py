import pickle

import numpy as np
import pytest

from tlc.errors import UnknownSampleTypeError
from tlc.sample_types import (
    CompositeSampleType,
    Hidden,
    Identity,
    UrlSampleType,
    resolve_sample_type,
)
from tlc.schemas import (
    Float32Schema,
    Int32Schema,
    SampleWeightSchema,
    Schema,
    SemanticSegmentationRleSchema,
    StringSchema,
    UrlSchema,
)
from tlc.schemas.values import DictValue


def test_a_schema_without_sample_type_is_left_alone():
    assert isinstance(Int32Schema(shape=3).resolved_sample_type, Identity)
    composite = Schema(values={"a": Int32Schema(), "b": Schema(values={"c": StringSchema()})})
    assert composite.resolved_sample_type.is_identity


def test_hidden_columns_are_not_in_samples():
    sample_type = SampleWeightSchema().resolved_sample_type
    assert isinstance(sample_type, Hidden)
    assert sample_type.is_identity
    assert not sample_type.is_included_in_sample
    assert UrlSchema().resolved_sample_type.is_included_in_sample


def test_a_row_of_a_table_becomes_a_sample_with_nothing_lost():
    values = {"vector": Float32Schema(shape=2, sample_type="numpy_array")}
    schema = Schema(values={**values, "weight": SampleWeightSchema(), "id": Int32Schema()})
    row = {"vector": [1.0, 2.0], "weight": 0.5, "id": 3, "unknown": "kept"}
    sample = schema.from_row(row)
    assert list(sample) == list(row)
    assert (sample["weight"], sample["id"], sample["unknown"]) == (0.5, 3, "kept")
    assert sample["vector"].dtype == np.float32
    assert schema.to_row(sample, None) == row
    assert schema.to_row(row, None) == row
    assert row["vector"] == [1.0, 2.0]


def test_parts_may_be_missing():
    schema = Schema(values={"url": UrlSchema(), "vector": Float32Schema(sample_type="numpy_array")})
    sample_type = schema.resolved_sample_type
    assert sample_type.from_row({"url": "/a"}) == {"url": "/a"}
    assert sample_type.as_row({"vector": np.float32(1)}, None) == {"vector": 1.0}
    assert not sample_type.accepts({"other": 1})


def test_an_unknown_sample_type_is_an_error_or_left_out():
    leaf, tree = StringSchema(sample_type="nobody_knows"), SemanticSegmentationRleSchema()
    tree.sample_type = "nobody_knows"
    for schema in (leaf, Schema(values={"a": leaf}), tree):
        with pytest.raises(UnknownSampleTypeError, match=r"pil_png.*Hint.*register_sample_type"):
            resolve_sample_type(schema, strict=True)
        assert resolve_sample_type(schema, strict=False).is_identity


def test_what_is_known_works_beside_what_is_not():
    schema = Schema(values={"a": StringSchema(sample_type="nobody_knows"), "b": UrlSchema()})
    sample_type = resolve_sample_type(schema, strict=False)
    assert isinstance(sample_type, CompositeSampleType)
    assert list(sample_type.parts) == ["b"]


def test_dictionaries_hold_what_becomes_json():
    sample_type = Schema(value=DictValue()).resolved_sample_type
    row = sample_type.as_row({"a": np.arange(2), 3: np.float32(0.5)}, None)
    assert row == '{"a": [0, 1], "3": 0.5}'
    assert sample_type.as_row(row, None) == row


def test_lists_of_lists():
    sample_type = UrlSchema(shape=(-1, 2)).resolved_sample_type
    from_row = pickle.loads(pickle.dumps(sample_type)).from_row
    assert from_row([["/a", None], None]) == [["/a", None], None]
    assert not sample_type.accepts("/a")
    assert isinstance(sample_type.item.item, UrlSampleType)
