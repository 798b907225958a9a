"""Generated annotations, and the images that they are about."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from PIL import Image

import tlc
from tlc import schemas
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)

CLASSES = ["cat", "dog, large", "hühn"]
POINTS = 3
_numbers = itertools.count()


def within(low, high):
    """Return a strategy of numbers of 32 bits, many of them with few decimals."""
    low, high = float(np.float32(low)), float(np.float32(high))
    exact = st.floats(low, high, width=32)
    short = st.integers(round(low * 100), round(high * 100)).map(
        lambda n: float(np.clip(np.float32(n / 100), np.float32(low), np.float32(high)))
    )
    return short | exact


@st.composite
def sides(draw, length):
    """Return two different places on a side of an image."""
    low = draw(within(0, length - 1))
    return low, draw(within(min(low + 0.5, length), length))


@st.composite
def boxes(draw, size):
    (left, right), (top, bottom) = draw(sides(size[0])), draw(sides(size[1]))
    return [left, top, right, bottom]


@st.composite
def detections(draw, size):
    found = draw(st.lists(boxes(size), max_size=4))
    return BoundingBoxes2D(
        np.array(found, np.float32).reshape(-1, 4),
        draw(labels(len(found))),
        image_width=size[0],
        image_height=size[1],
    )


def labels(count):
    return st.lists(st.integers(0, len(CLASSES) - 1), min_size=count, max_size=count)


@st.composite
def polygons(draw, size, most_parts=2):
    point = st.tuples(within(0, size[0]), within(0, size[1]))
    part = st.lists(point, min_size=3, max_size=5).map(lambda p: [n for xy in p for n in xy])
    found = draw(st.lists(st.lists(part, min_size=1, max_size=most_parts), max_size=3))
    return SegmentationPolygons(
        image_width=size[0],
        image_height=size[1],
        polygons=found,
        labels=draw(labels(len(found))),
    )


@st.composite
def masks(draw, size):
    count = draw(st.integers(0, 3))
    seed = draw(st.integers(0, 1000))
    found = np.random.default_rng(seed).random((size[1], size[0], count)) < 0.4
    return SegmentationMasks(
        image_width=size[0], image_height=size[1], masks=found, labels=draw(labels(count))
    )


@st.composite
def skeletons(draw, size):
    around = draw(st.lists(boxes(size), max_size=3))
    if not around:
        return Keypoints2D.create_empty(image_width=size[0], image_height=size[1])
    point = st.tuples(within(0, size[0]), within(0, size[1]))
    points = [draw(st.lists(point, min_size=POINTS, max_size=POINTS)) for _ in around]
    states = [draw(st.lists(st.integers(0, 2), min_size=POINTS, max_size=POINTS)) for _ in around]
    return Keypoints2D(
        np.array(points, np.float32).reshape(-1, POINTS, 2),
        draw(labels(len(around))),
        bounding_boxes=np.array(around, np.float32).reshape(-1, 4),
        keypoint_visibilities=np.array(states).reshape(-1, POINTS),
        image_width=size[0],
        image_height=size[1],
    )


@st.composite
def turned_boxes(draw, size):
    box = st.tuples(
        within(0, size[0]),
        within(0, size[1]),
        within(0.5, min(size) / 2),
        within(0.5, min(size) / 2),
        st.floats(-4, 4, width=32),
    )
    found = draw(st.lists(box, max_size=3))
    return OrientedBoundingBoxes2D(
        np.array(found, np.float32).reshape(-1, 5),
        draw(labels(len(found))),
        image_width=size[0],
        image_height=size[1],
    )


KINDS = {
    "bbs": (detections, BoundingBoxes2D.schema(classes=CLASSES)),
    "segmentations": (polygons, SegmentationPolygons.schema(classes=CLASSES)),
    "keypoints_2d": (
        skeletons,
        Keypoints2D.schema(
            num_keypoints=POINTS,
            classes=CLASSES,
            flip_indices=[0, 2, 1],
            include_per_point_visibility=True,
        ),
    ),
    "obbs": (turned_boxes, OrientedBoundingBoxes2D.schema(classes=CLASSES)),
}


@st.composite
def annotated(draw, kind, make=None):
    """Return the annotations of some images of different sizes."""
    make = make or KINDS[kind][0]
    size = st.tuples(st.integers(4, 80), st.integers(4, 80))
    return [draw(make(each)) for each in draw(st.lists(size, min_size=1, max_size=3))]


def labels_of(cell):
    return [] if cell.labels is None else cell.labels.tolist()


def size_of(cell):
    return int(cell.image_width), int(cell.image_height)


def table_of(kind, cells, folder, *, names=None, schema=None, **columns):
    """Return a table of annotations, whose images are made."""
    folder = folder / f"images-{next(_numbers)}"
    folder.mkdir(parents=True)
    urls = []
    for number, cell in enumerate(cells):
        path = folder / (names[number] if names else f"{number:03d}.png")
        Image.new("1", size_of(cell)).save(path)
        urls.append(str(path))
    found = {"image": schemas.ImageSchema(), kind: schema or KINDS[kind][1]}
    data = {"image": urls, kind: cells, **columns}
    return tlc.Table.from_dict(data, found, table_name="annotated", if_exists="rename")
