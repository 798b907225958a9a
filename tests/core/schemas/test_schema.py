import copy
import pickle

import pytest

import tlc.schemas
from tlc.errors import ColumnNotFoundError, SchemaError
from tlc.schemas import (
    CategoricalLabelSchema,
    Float32Schema,
    ImageSchema,
    Int32Schema,
    Schema,
    StringSchema,
    find,
)
from tlc.schemas.values import DimensionNumericValue, Float32Value, Int32Value


def tree():
    return Schema(
        values={
            "image": ImageSchema(),
            "boxes": Schema(
                values={"label": CategoricalLabelSchema(["a"]), "dotted.name": Schema()}
            ),
        }
    )


def test_arguments_may_be_positional():
    schema = Schema("Loss", "The loss", False, False, 3004, Float32Value(), size0=None)
    assert (schema.display_name, schema.description) == ("Loss", "The loss")
    assert (schema.writable, schema.computable, schema.display_importance) == (False, False, 3004)
    assert not schema.is_composite
    assert schema.shape == ()


def test_attributes_can_be_assigned():
    schema = Schema.from_sample(1.0)
    schema.sample_type, schema.writable, schema.display_name = "hidden", False, "One"
    schema.size0 = DimensionNumericValue(0, 1000)
    assert schema.shape == (-1,)
    schema.size0 = None
    assert schema.shape == ()
    schema.default_value = 2.0
    assert schema.value.default_value == 2.0
    assert Schema.from_dict(schema.to_dict()) == schema


def test_size0_is_the_innermost():
    size = DimensionNumericValue.fixed_size(2)
    schema = Schema(value=Float32Value(), size0=size, size1=DimensionNumericValue())
    assert schema.shape == (-1, 2)
    schema.shape = (4, 3)
    assert (schema.size0.size, schema.size1.size, schema.size2) == (3, 4, None)
    schema.shape = None
    assert schema.shape == ()
    assert Float32Schema(shape=10) == Float32Schema(shape=(10,))


@pytest.mark.parametrize("shape", [(-2,), (1.5,), "ab", (1,) * 7, 2.0])
def test_shapes_that_are_none(shape):
    with pytest.raises(SchemaError):
        Float32Schema(shape=shape)


def test_a_gap_between_sizes_is_an_error():
    schema = Schema(value=Int32Value(), size1=DimensionNumericValue())
    with pytest.raises(SchemaError, match=r"only size1.*innermost"):
        _ = schema.shape


def test_parts():
    schema = tree()
    assert "image" in schema
    assert "label" not in schema
    assert list(schema) == list(schema.keys()) == list(schema.values) == ["image", "boxes"]
    assert schema["image"] is schema.values["image"] is dict(schema.items())["image"]
    assert bool(Int32Schema())
    schema["boxes"].add_sub_schema("score", Float32Schema())
    assert schema["boxes.score"].value == Float32Value()


def test_parts_are_found_by_dotted_path():
    schema = tree()
    assert find(schema, "boxes.label") is schema["boxes"]["label"]
    assert find(schema, "boxes.dotted.name") is schema["boxes"].values["dotted.name"]
    assert find(schema, "") is schema
    for path in ("label", "boxes.x", "image.x", "boxes."):
        with pytest.raises(ColumnNotFoundError, match="Hint"):
            find(schema, path)


def test_a_schema_is_of_one_kind():
    with pytest.raises(SchemaError, match="not both"):
        Schema(value=Int32Value(), values={})
    with pytest.raises(SchemaError, match="no parts"):
        Int32Schema().add_sub_schema("a", Schema())
    with pytest.raises(SchemaError, match=r"tlc\.schemas\.values"):
        Schema(value="int32")
    with pytest.raises(SchemaError, match="parts are schemas"):
        Schema(values={"a": Int32Schema})
    with pytest.raises(SchemaError, match="default value"):
        Schema(default_value=3)
    with pytest.raises(TypeError, match="size7"):
        Schema(size7=None)


def test_copies_are_independent():
    schema = tree()
    deep = copy.deepcopy(schema)
    assert deep == schema
    deep["boxes.label"].display_name = "Label"
    assert deep != schema
    shallow = copy.copy(schema)
    shallow.add_sub_schema("new", Schema())
    assert "new" not in schema
    assert type(copy.deepcopy(ImageSchema())) is ImageSchema
    assert pickle.loads(pickle.dumps(schema)) == schema


def test_equality_is_by_content():
    assert ImageSchema() == Schema.from_dict(ImageSchema().to_dict())
    assert ImageSchema() != ImageSchema("url")
    assert Schema(metadata={"a": (1, 2)}) == Schema(metadata={"a": [1, 2]})
    assert Schema() != 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(Schema())


def test_a_schema_shows_what_it_is():
    assert repr(Float32Schema(shape=(-1, 3), sample_type="numpy_array")) == (
        "Float32Schema(float32, shape=(-1, 3), sample_type='numpy_array')"
    )
    assert repr(tree()) == "Schema(values=['image', 'boxes'])"


def test_default_values_belong_to_the_value():
    assert StringSchema(default_value="x").value.default_value == "x"
    assert Schema(value=Int32Value(default_value=3)).default_value == 3
    assert Schema().default_value is None


def test_every_name_is_there():
    for name in tlc.schemas.__all__:
        assert getattr(tlc.schemas, name).__doc__
