"""Sample types of annotations pass the contract that those of others must pass."""

from __future__ import annotations

import numpy as np
import pytest

from tlc.data_types import (
    BoundingBoxes2D,
    Geometry3D,
    Keypoints2D,
    OrientedBoundingBoxes3D,
    SegmentationMasks,
    SegmentationPolygons,
    SemanticSegmentation,
)
from tlc.schemas import Float32Schema, SemanticSegmentationRleSchema
from tlc.testing import SampleTypeContract

NAN = float("nan")
SIZE = {"image_width": 20, "image_height": 10}


class TestBoxes(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return BoundingBoxes2D.schema(classes=["a", "b"], include_per_instance_confidence=True)

    @pytest.fixture
    def samples(self):
        boxes = [[0, 0, 1, 1], [-5, 2, 3e6, 4]]
        return [
            BoundingBoxes2D(boxes, [0, 1], [0.5, 1], **SIZE),
            BoundingBoxes2D(boxes, [None, 1]),
            BoundingBoxes2D.create_empty(**SIZE),
        ]

    @pytest.fixture
    def bad_samples(self):
        return [3, "text", {"instances": [[0, 0, NAN, 1]]}, np.zeros((1, 4))]


class TestTurnedBoxesInSpace(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return OrientedBoundingBoxes3D.schema()

    @pytest.fixture
    def samples(self):
        return [OrientedBoundingBoxes3D([[1, 2, 3, 4, 5, 6, 0.5, 0.25, 0.125]], [1], x_min=-1.5)]


class TestKeypoints(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Keypoints2D.schema(num_keypoints=2, include_per_point_visibility=True)

    @pytest.fixture
    def samples(self):
        around = [[0, 0, 9, 9]]
        return [Keypoints2D([[[1, 2, 2], [3, 4, 0]]], [0], bounding_boxes=around, **SIZE)]

    @pytest.fixture
    def bad_samples(self):
        return [Keypoints2D([[[1, 2], [3, 4], [5, 6]]])]


class TestMasks(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return SegmentationMasks.schema()

    @pytest.fixture
    def samples(self):
        masks = np.random.default_rng(0).integers(0, 2, (10, 20, 3))
        return [
            SegmentationMasks(masks=masks, labels=[1, 2, 3], **SIZE),
            SegmentationMasks.create_empty(**SIZE),
        ]

    @pytest.fixture
    def bad_samples(self):
        return [{"image_height": 1, "image_width": 1, "rles": [b"damaged"]}]


class TestPolygons(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return SegmentationPolygons.schema()

    @pytest.fixture
    def samples(self):
        polygons = [[1, 1, 5, 1, 5, 5], [[1, 1, 2, 1, 2, 2], [7, 7, 9, 7, 9, 9]], []]
        return [SegmentationPolygons(polygons=polygons, labels=[0, 0, 1], **SIZE)]


class TestLabelMap(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return SemanticSegmentationRleSchema(["none", "a"], background=0)

    @pytest.fixture
    def samples(self):
        mask = np.array([[0, 1], [1, 1], [0, 0]], np.int32)
        return [SemanticSegmentation(each, background=0) for each in (mask, mask * 0, mask[:0])]

    @pytest.fixture
    def bad_samples(self):
        return [np.zeros((2, 2, 2)), np.full((2, 2), 0.5)]


class TestBulkGeometry(SampleTypeContract):
    @pytest.fixture
    def schema(self):
        return Geometry3D.schema(
            per_vertex_schemas={"intensity": Float32Schema()}, is_bulk_data=True
        )

    @pytest.fixture
    def samples(self):
        mesh = Geometry3D.create_empty(x_min=0, y_min=0, z_min=0, x_max=1, y_max=1, z_max=1)
        mesh.add_instance(
            vertices=np.arange(12, dtype=np.float32),
            triangles=[0, 1, 2, 1, 2, 3],
            per_vertex_extras={"intensity": np.float32([1, 2, 3, 4])},
        )
        return [mesh, Geometry3D.create_empty()]
