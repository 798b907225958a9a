import json
import subprocess
import sys

import pyarrow as pa
import pytest

import tlc.schemas
from tlc import constants
from tlc.errors import SchemaError
from tlc.schemas import (
    BoolSchema,
    CategoricalLabelListSchema,
    CategoricalLabelSchema,
    ConfidenceSchema,
    DatetimeStringSchema,
    EmbeddingSchema,
    EpochSchema,
    ExampleIdSchema,
    Float32ListSchema,
    Float32Schema,
    ForeignTableIdSchema,
    ImageSchema,
    Int32Schema,
    MapElement,
    SampleWeightSchema,
    Schema,
    SemanticSegmentationRleSchema,
    SemanticSegmentationSchema,
    StringSchema,
    UnixTimestampSchema,
    VideoUrlSchema,
)
from tlc.url import Url

CLASSES = [
    cls
    for cls in map(tlc.schemas.__dict__.get, tlc.schemas.__all__)
    if isinstance(cls, type) and issubclass(cls, Schema) and cls is not Schema
]


@pytest.mark.parametrize("cls", CLASSES)
def test_all_take_the_common_arguments(cls):
    arguments = {
        "display_name": "Name",
        "description": "Text",
        "writable": False,
        "computable": False,
        "default_visible": False,
        "display_importance": 7.0,
        "metadata": {"key": [1]},
        "bulk_data_location": "/bulk",
    }
    schema = cls(**arguments)
    for name, value in arguments.items():
        if name == "metadata":
            assert schema.metadata["key"] == [1]
        else:
            assert getattr(schema, name) == value
    assert cls(sample_type="hidden").sample_type == "hidden"


@pytest.mark.parametrize("cls", CLASSES)
def test_all_survive_json_as_plain_schemas(cls):
    read = Schema.from_dict(json.loads(json.dumps(cls().to_dict(), allow_nan=False)))
    assert type(read) is Schema
    assert read == cls()
    assert read.arrow_type == cls().arrow_type


@pytest.mark.parametrize("cls", [c for c in CLASSES if c is not SemanticSegmentationRleSchema])
def test_all_can_be_arrays(cls):
    assert cls(shape=(-1, 3)).shape == (-1, 3)


def test_usual_meanings():
    assert ConfidenceSchema().value.number_role == "confidence"
    assert (ConfidenceSchema().value.value_min, ConfidenceSchema().value.value_max) == (0, 1)
    assert EmbeddingSchema(shape=5).value.number_role == "nn_embedding"
    assert EmbeddingSchema(shape=(-1, 5)).shape == (-1, 5)
    assert Float32ListSchema().shape == CategoricalLabelListSchema(["a"]).shape == (-1,)
    assert DatetimeStringSchema().value.string_role == "Datetime"
    assert VideoUrlSchema().value.string_role.startswith("URL/")
    assert UnixTimestampSchema().arrow_type == ExampleIdSchema().arrow_type == pa.int64()
    assert EpochSchema().arrow_type == pa.int32()
    assert BoolSchema(bool_role="slider").value.bool_role == "slider"


def test_what_the_caller_says_wins():
    schema = ConfidenceSchema(value_max=100.0, number_role="own", unit="percent", writable=True)
    value = schema.value
    assert (value.value_min, value.value_max, value.number_role) == (0, 100, "own")
    assert EmbeddingSchema(shape=None).shape == ()
    assert Float32Schema(number_role="nn_embedding").value.number_role == "nn_embedding"
    assert Int32Schema(enforce_min=True, value_min=0).value.enforce_min


def test_arguments_that_are_none():
    with pytest.raises(TypeError, match="colour"):
        Int32Schema(colour="blue")
    with pytest.raises(TypeError, match="number_role"):
        StringSchema(number_role="x")


def test_weights():
    schema = SampleWeightSchema()
    assert (schema.default_value, schema.sample_type) == (1.0, "hidden")
    assert schema.value.number_role == constants.NUMBER_ROLE_SAMPLE_WEIGHT
    assert schema.arrow_type == pa.float32()


def test_foreign_tables():
    for url in ("../train", Url("/tables/train")):
        schema = ForeignTableIdSchema(url, metadata={"more": 1})
        assert schema.metadata == {"foreign_table_url": str(url), "more": 1}
        assert schema.arrow_type == pa.int32()


def test_labels():
    schema = CategoricalLabelSchema(["cat", "dog"], display_name="Kind")
    assert schema.value.number_role == "label"
    assert schema == CategoricalLabelSchema(classes={0: "cat", 1: "dog"}, display_name="Kind")
    assert CategoricalLabelSchema().get_value_map() is None
    with pytest.raises(SchemaError):
        CategoricalLabelSchema([1, 2])


def test_images():
    assert ImageSchema().sample_type == "pil_png"
    assert ImageSchema(None) == ImageSchema(sample_type="url") == ImageSchema("url")
    schema = ImageSchema(metadata={"intrinsics": [1]}, number_role_u="front_u")
    assert schema.metadata == {"intrinsics": [1], "number_role_u": "front_u"}


def test_label_images():
    schema = SemanticSegmentationSchema({0: "road", 255: "void"})
    assert schema.get_simple_value_map() == {0: "road", 255: "void"}
    assert schema.resolved_sample_type.name == "pil_png"
    assert Schema.from_dict(schema.to_dict()).get_value_map() == schema.get_value_map()
    with pytest.raises(SchemaError, match="JPEG"):
        SemanticSegmentationSchema(sample_type="pil_jpeg")


def test_label_maps_as_rle():
    classes = {0: MapElement("sky", display_color="#0000ff"), 1: "road", 255: "border"}
    schema = SemanticSegmentationRleSchema(classes, background=0, void=255, metadata={"a": 1})
    label = schema.values["instance_properties"].values["label"]
    assert label.value.map == {
        1: MapElement("road"),
        255: MapElement(constants.VOID_CLASS, display_name="border"),
    }
    assert schema.metadata == {
        "a": 1,
        "background": 0,
        "background_class": {"internal_name": "sky", "display_color": "#0000ff"},
    }
    assert list(schema.values)[:3] == ["image_height", "image_width", "rles"]
    assert schema["rles"].arrow_type == pa.list_(pa.binary())
    label.display_name = "Class"
    assert schema["instance_properties.label"].display_name == "Class"
    assert schema.sample_type == "semantic_segmentation"


def test_label_maps_without_classes():
    assert SemanticSegmentationRleSchema().metadata == {}
    assert SemanticSegmentationRleSchema(background=0).metadata == {"background": 0}
    voided = SemanticSegmentationRleSchema(void=7)["instance_properties.label"]
    assert voided.value.map == {7: MapElement(constants.VOID_CLASS, display_name="void")}
    with pytest.raises(SchemaError, match="Both background and void are 0"):
        SemanticSegmentationRleSchema(["a"], background=0, void=0)


def test_importing_schemas_imports_no_library():
    code = (
        "import sys, tlc.schemas, tlc.sample_types, tlc.constants\n"
        "tlc.schemas.infer_schema([1, 'a'][:1])\n"
        "print([m for m in ('pyarrow', 'numpy', 'PIL', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
