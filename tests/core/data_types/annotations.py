"""Strategies for annotations of every kind."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tlc.data_types import (
    BoundingBoxes2D,
    BoundingBoxes3D,
    Geometry3D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    OrientedBoundingBoxes3D,
    SegmentationMasks,
    SegmentationPolygons,
    SemanticSegmentation,
)

COUNTS = st.integers(0, 4)
PLACES = st.floats(-1000, 1000, width=32)
LENGTHS = st.floats(0, 500, width=32)
SIZES = st.integers(1, 12)


def floats(shape, elements=PLACES):
    return hnp.arrays(np.float32, shape, elements=elements)


@st.composite
def more(draw, count):
    """Labels of all, some or none of the instances, confidences, and extras."""
    labels = st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), min_size=count, max_size=count)
    fractions = floats(count, st.floats(0, 1, width=32))
    words = st.lists(st.text("aé\n", max_size=3), min_size=count, max_size=count)
    return {
        "labels": draw(st.none() | labels),
        "confidences": draw(fractions),
        "per_instance_extras": {"word": draw(words), "pair": draw(floats((count, 2)))},
    }


@st.composite
def boxes(draw):
    count = draw(COUNTS)
    corner, size = draw(floats((count, 2))), draw(floats((count, 2), LENGTHS))
    values = np.concatenate([corner, corner + size], axis=1)
    return BoundingBoxes2D(values, **draw(more(count)), image_width=640, image_height=480.5)


@st.composite
def boxes_3d(draw):
    count = draw(COUNTS)
    corner, size = draw(floats((count, 3))), draw(floats((count, 3), LENGTHS))
    values = np.concatenate([corner, corner + size], axis=1)
    return BoundingBoxes3D(values, **draw(more(count)), x_min=-1, z_max=2.5)


@st.composite
def obbs(draw):
    count = draw(COUNTS)
    parts = [draw(floats((count, 2))), draw(floats((count, 2), LENGTHS)), draw(floats((count, 1)))]
    return OrientedBoundingBoxes2D(np.concatenate(parts, axis=1), **draw(more(count)), x_max=9)


@st.composite
def obbs_3d(draw):
    count = draw(COUNTS)
    angles = floats((count, 3), PLACES | st.just(float("nan")))
    parts = [draw(floats((count, 3))), draw(floats((count, 3), LENGTHS)), draw(angles)]
    return OrientedBoundingBoxes3D(np.concatenate(parts, axis=1), **draw(more(count)))


@st.composite
def keypoints(draw, points=3):
    count = draw(COUNTS)
    values = draw(floats((count, points, 2)))
    states = draw(hnp.arrays(np.int32, (count, points), elements=st.integers(0, 2)))
    corner, size = draw(floats((count, 2))), draw(floats((count, 2), LENGTHS))
    around = np.concatenate([corner, corner + size], axis=1)
    around[draw(hnp.arrays(bool, count))] = np.nan
    return Keypoints2D(
        values, keypoint_visibilities=states, bounding_boxes=around, **draw(more(count))
    )


@st.composite
def masks(draw):
    height, width, count = draw(SIZES), draw(SIZES), draw(COUNTS)
    values = draw(hnp.arrays(np.uint8, (height, width, count), elements=st.integers(0, 1)))
    size = {"image_width": width, "image_height": height}
    return SegmentationMasks(masks=values, **size, **draw(more(count)))


@st.composite
def polygons(draw):
    count = draw(COUNTS)
    corners = st.lists(st.floats(-2, 14, width=32), min_size=6, max_size=12)
    part = corners.map(lambda flat: flat[: len(flat) // 2 * 2])
    instances = draw(st.lists(st.lists(part, max_size=3), min_size=count, max_size=count))
    return SegmentationPolygons(
        image_width=12, image_height=10, polygons=instances, **draw(more(count))
    )


@st.composite
def label_maps(draw):
    shape = draw(st.tuples(SIZES, SIZES))
    classes = st.integers(0, 3) | st.integers(-(2**31), 2**31 - 1)
    return SemanticSegmentation(draw(hnp.arrays(np.int32, shape, elements=classes)))


@st.composite
def meshes(draw):
    mesh = Geometry3D.create_empty(x_min=0, x_max=1)
    for _ in range(draw(st.integers(0, 2))):
        count = draw(st.integers(1, 5))
        numbers = hnp.arrays(np.int32, (draw(COUNTS), 3), elements=st.integers(0, count - 1))
        mesh.add_instance(
            vertices=draw(floats((count, 3))),
            triangles=draw(numbers),
            per_vertex_extras={"intensity": draw(floats(count))},
            label=draw(st.integers(0, 5)),
        )
    return mesh


ALL = {
    "boxes": boxes(),
    "boxes_3d": boxes_3d(),
    "obbs": obbs(),
    "obbs_3d": obbs_3d(),
    "keypoints": keypoints(),
    "masks": masks(),
    "polygons": polygons(),
    "label_maps": label_maps(),
    "meshes": meshes(),
}
