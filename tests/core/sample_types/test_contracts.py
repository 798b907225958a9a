"""Every sample type of tlc passes the contract that those of others must pass."""

import numpy as np
import pytest
import torch
from PIL import Image

from tlc.schemas import (
    ExternalNumpyArraySchema,
    ExternalTorchTensorSchema,
    Float32Schema,
    ImageSchema,
    Int32Schema,
    Int64Schema,
    Schema,
    StringSchema,
    UrlSchema,
)
from tlc.schemas.values import DictValue
from tlc.testing.sample_type_contract import SampleTypeContract


class TestIdentity(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Int32Schema(shape=(-1, 2))

    @pytest.fixture
    def samples(self):
        return [[], [[1, 2]], [[1, 2], [-3, None]]]

    @pytest.fixture
    def bad_samples(self):
        return [["text"], [[2**31, 0]]]


class TestHidden(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Float32Schema(sample_type="hidden")

    @pytest.fixture
    def samples(self):
        return [0.0, -1.5, float("nan"), float("inf")]


class TestUrl(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return UrlSchema()

    @pytest.fixture
    def samples(self):
        return ["/data/a.png", "s3://bucket/ä b.png", "<UNKNOWN_ALIAS>/a.png", ""]

    @pytest.fixture
    def bad_samples(self):
        return [3]


class TestListOfUrls(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return UrlSchema(shape=(-1,))

    @pytest.fixture
    def samples(self):
        return [[], ["/a", "s3://b/c"]]


class TestDict(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Schema(value=DictValue())

    @pytest.fixture
    def samples(self):
        return [{}, {"a": {"b": [1, 2.5, None, "ä"]}}, {"nan": float("nan")}, [1]]

    @pytest.fixture
    def bad_samples(self):
        return [{"a": object()}, {(1, 2): 3}]


def picture(mode, size=(7, 5)):
    """Return an image of noise."""
    rng = np.random.default_rng(0)
    channels = len(Image.new(mode, (1, 1)).getbands())
    return Image.frombytes(mode, size, rng.bytes(size[0] * size[1] * channels))


class TestPng(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ImageSchema()

    @pytest.fixture
    def samples(self):
        return [picture(mode) for mode in ("RGB", "L", "RGBA", "LA")] + [picture("L", (1, 1))]

    @pytest.fixture
    def bad_samples(self):
        return [picture("CMYK"), 3, object()]


class TestWebp(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ImageSchema("pil_webp")

    @pytest.fixture
    def samples(self):
        return [picture("RGB"), picture("RGBA")]

    @pytest.fixture
    def bad_samples(self):
        return [Image.new("L", (1, 16384))]


class TestJpeg(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ImageSchema("pil_jpeg")

    @pytest.fixture
    def samples(self):
        return [Image.new("RGB", (16, 16), (10, 200, 90)), Image.linear_gradient("L")]

    @pytest.fixture
    def bad_samples(self):
        return [picture("RGBA")]

    def same(self, sample, other):
        near = np.abs(np.asarray(sample, np.int16) - np.asarray(other, np.int16)).max() <= 3
        return (sample.mode, sample.size) == (other.mode, other.size) and bool(near)


class TestImagesInOneCell(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ImageSchema(shape=(-1,))

    @pytest.fixture
    def samples(self):
        return [[], [picture("RGB"), picture("L")]]


class TestNumpyArray(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Float32Schema(shape=(-1, 3), sample_type="numpy_array")

    @pytest.fixture
    def samples(self):
        full = np.array([[1, np.nan, np.inf], [-0.0, 1e-45, 3e38]], np.float32)
        return [full, np.zeros((0, 3), np.float32)]

    @pytest.fixture
    def bad_samples(self):
        return [np.zeros(3, np.float32), np.zeros((2, 2), np.float32), np.array([["a", "b", "c"]])]


class TestTorchTensor(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Int64Schema(shape=(2, -1), sample_type="torch_tensor")

    @pytest.fixture
    def samples(self):
        return [torch.tensor([[1], [-(2**62)]]), torch.zeros((2, 0), dtype=torch.int64)]

    @pytest.fixture
    def bad_samples(self):
        return [torch.zeros(3, 1), torch.full((2, 1), 0.5)]


class TestTorchScalar(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Int64Schema(sample_type="torch_tensor")

    @pytest.fixture
    def samples(self):
        return [torch.tensor(3)]


class TestExternalNumpyArray(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ExternalNumpyArraySchema()

    @pytest.fixture
    def samples(self):
        text = np.array(["ä", "bc"])
        return [np.arange(24.0).reshape(2, 3, 4), np.zeros((0, 3), bool), np.array(2 + 3j), text]

    @pytest.fixture
    def bad_samples(self):
        return [np.array([object()]), [1, 2]]


class TestExternalTorchTensor(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return ExternalTorchTensorSchema()

    @pytest.fixture
    def samples(self):
        return [torch.rand(2, 3, requires_grad=False), torch.tensor(True), torch.zeros(0, 4)]


class TestComposite(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        values = {
            "image": ImageSchema(),
            "box": Float32Schema(shape=4, sample_type="numpy_array"),
            "note": StringSchema(),
            "weight": Float32Schema(sample_type="hidden"),
        }
        return Schema(values=values)

    @pytest.fixture
    def samples(self):
        box = np.arange(4, dtype=np.float32)
        return [
            {"image": picture("L"), "box": box, "note": "ä", "weight": 1.0},
            {"image": None, "box": None, "note": None, "weight": None},
        ]


class TestListOfComposites(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        schema = Schema(values={"mask": ImageSchema(), "id": Int32Schema()})
        schema.shape = (-1,)
        return schema

    @pytest.fixture
    def samples(self):
        return [[], [{"mask": picture("L"), "id": 1}, {"mask": picture("RGB"), "id": 2}]]
