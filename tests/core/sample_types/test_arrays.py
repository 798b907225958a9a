import numpy as np
import pytest
import torch

from tlc.errors import SchemaError
from tlc.schemas import (
    BoolSchema,
    ExternalTorchTensorSchema,
    Float32Schema,
    Float64Schema,
    Int8Schema,
    StringSchema,
    Uint8Schema,
)
from tlc.testing.sample_type_contract import FolderContext


def test_arrays_have_the_type_of_the_schema():
    for schema in (BoolSchema, Uint8Schema, Float32Schema, Float64Schema):
        array = schema(shape=2, sample_type="numpy_array").from_row([0, 1])
        tensor = schema(shape=2, sample_type="torch_tensor").from_row([0, 1])
        name = schema().value.type
        assert (array.dtype.name, str(tensor.dtype)) == (name, f"torch.{name}")


def test_a_missing_number_is_nan():
    array = Float32Schema(shape=2, sample_type="numpy_array").from_row([None, 1.0])
    np.testing.assert_array_equal(array, np.array([np.nan, 1], np.float32))


@pytest.mark.parametrize(
    ("schema", "sample"),
    [
        (Int8Schema(shape=2), np.array([1.0, 0.5])),
        (Int8Schema(shape=2), np.array([1, 300])),
        (Int8Schema(shape=2), np.array([1, np.nan])),
        (BoolSchema(shape=2), np.array([0, 2])),
        (Float32Schema(shape=2), np.array(["a", "b"])),
        (StringSchema(shape=2), np.array(["a", "b"])),
    ],
)
def test_numbers_that_do_not_fit_are_refused(schema, sample):
    schema.sample_type = "numpy_array"
    with pytest.raises(SchemaError):
        schema.to_row(sample, None)


def test_numbers_that_fit_are_taken():
    schema = Int8Schema(shape=(2,), sample_type="numpy_array")
    assert schema.to_row(np.array([1.0, -2.0]), None) == [1, -2]
    schema = BoolSchema(shape=(-1,), sample_type="torch_tensor")
    assert schema.to_row(torch.tensor([0, 1]), None) == [False, True]


def test_the_wrong_shape_is_told():
    schema = Float32Schema(shape=(-1, 3), sample_type="numpy_array")
    with pytest.raises(SchemaError, match=r"\(3, 2\), where the schema has \(-1, 3\)"):
        schema.to_row(np.zeros((3, 2)), None)


def test_empty_arrays_keep_the_fixed_lengths():
    schema = Float32Schema(shape=(-1, -1, 4), sample_type="numpy_array")
    assert schema.from_row(schema.to_row(np.zeros((0, 7, 4)), None)).shape == (0, 0, 4)
    assert schema.from_row(schema.to_row(np.zeros((2, 0, 4)), None)).shape == (2, 0, 4)


def test_tensors_of_types_that_numpy_lacks(tmp_path):
    tensor = torch.tensor([1.5, -2.0], dtype=torch.bfloat16, requires_grad=True)
    schema = ExternalTorchTensorSchema()
    back = schema.from_row(schema.to_row(tensor, FolderContext(tmp_path)))
    assert torch.equal(back, tensor.float())
    schema = Float32Schema(shape=2, sample_type="torch_tensor")
    assert schema.to_row(tensor, None) == [1.5, -2.0]


def test_lists_are_rows_already():
    schema = Float32Schema(shape=2, sample_type="numpy_array")
    assert schema.to_row([1.0, 2.0], None) == [1.0, 2.0]
