"""Any COCO file that is right, against what `pycocotools` says of it."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as masks
from pycocotools.coco import COCO
from tests.core.importers.coco_cases import write

from tlc.importers import coco_tables, json_stream
from tlc.table import Table

WIDTH, HEIGHT, KEYPOINTS = 40, 30, 4
IDS = st.integers(0, 40) | st.integers(-(2**62), 2**62)
NAMES = st.text('aé "\\/{}[],:-_', min_size=1)
NUMBERS = st.floats(0, 30).map(lambda number: round(number, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("coco")
    write(folder, {}, names=[f"{number}.png" for number in range(6)])
    return folder


@st.composite
def runs(draw):
    """Draw a mask as runs: compressed or not."""
    rows = draw(st.lists(st.integers(0, HEIGHT * WIDTH), max_size=6, unique=True).map(sorted))
    counts = np.diff([0, *rows, HEIGHT * WIDTH]).tolist()
    size = [HEIGHT, WIDTH]
    if draw(st.booleans()):
        return {"size": size, "counts": counts}
    found = masks.frPyObjects({"size": size, "counts": counts}, HEIGHT, WIDTH)
    return {"size": size, "counts": found["counts"].decode()}


def polygons():
    corners = st.integers(3, 7).flatmap(
        lambda count: st.lists(NUMBERS, min_size=2 * count, max_size=2 * count)
    )
    return st.lists(corners, min_size=1, max_size=3)


@st.composite
def annotations(draw, images, categories):
    sides = st.floats(0.5, 60) | st.just(0.0)
    box = draw(st.tuples(NUMBERS, st.floats(0, 29), sides, sides))
    points = draw(
        st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 2)), min_size=KEYPOINTS, max_size=4)
    )
    return {
        "image_id": draw(st.sampled_from(images)),
        "category_id": draw(st.sampled_from(categories)),
        "bbox": [round(number, 2) for number in box[:2]] + list(box[2:]),
        "area": draw(st.floats(0, 1e6)),
        "iscrowd": draw(st.integers(0, 1)),
        "segmentation": draw(polygons() | runs()),
        "keypoints": draw(st.just([]) | st.just([n for point in points for n in point])),
        **draw(st.fixed_dictionaries({}, optional={"note": NAMES, "size": NUMBERS})),
    }


@st.composite
def files(draw):
    """Draw a COCO file that is right."""
    images = draw(st.lists(IDS, unique=True, min_size=1, max_size=6))
    categories = draw(st.lists(st.integers(-9, 2**31 - 1), unique=True, min_size=1, max_size=4))
    found = draw(st.lists(annotations(images, categories), max_size=15))
    ids = draw(st.lists(IDS, unique=True, min_size=len(found), max_size=len(found)))
    lists = {
        "images": [
            {"id": id_, "file_name": f"{number}.png", "width": WIDTH, "height": HEIGHT}
            for number, id_ in enumerate(images)
        ],
        "annotations": [{"id": id_, **each} for id_, each in zip(ids, found, strict=True)],
        "categories": [{"id": id_, "name": draw(NAMES)} for id_ in categories],
        "other": draw(st.dictionaries(NAMES, st.lists(NAMES), max_size=2)),
    }
    order = draw(st.permutations(sorted(lists)))
    return {name: lists[name] for name in order}


def read_both(folder, content, task, **arguments):
    """Return a table, and for each of its rows the annotations that `pycocotools` has."""
    indent = {"separators": (",", ":")} if len(content["other"]) else {"indent": 1}
    file, images = write(folder, json.dumps(content, **indent))
    table = Table.from_coco(file, images, task=task, if_exists="overwrite", **arguments)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(file)
    assert [row["image_id"] for row in table.table_rows] == [i["id"] for i in content["images"]]
    expected = [coco.imgToAnns.get(row["image_id"], []) for row in table.table_rows]
    for number, (row, found) in enumerate(zip(table.table_rows, expected, strict=True)):
        part = "instance_properties" if task == "segment" else "instances_additional_data"
        more = row[table.columns[-2]][part]
        assert more["label"] == [each["category_id"] for each in found]
        assert more.get("annotation_id", []) == [each["id"] for each in found]
        assert more.get("area", []) == [each["area"] for each in found]
        assert more["iscrowd"] == [bool(each["iscrowd"]) for each in found]
        for name in ("note", "size"):
            default = [None] * len(found)
            assert more.get(name, default) == [each.get(name) for each in found], number
    return table, expected, coco


SETTINGS = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@SETTINGS
@given(content=files())
def test_boxes(folder, content):
    table, expected, _ = read_both(folder, content, "detect")
    for sample, found in zip(table, expected, strict=True):
        boxes = sample["bbs"].bounding_boxes
        for box, each in zip(boxes, found, strict=True):
            x, y, width, height = each["bbox"]
            corners = np.array([x, y, x + width, y + height])
            is_far = corners[2] > WIDTH + 1 or corners[3] > HEIGHT + 1
            limits = [np.inf if is_far else limit for limit in (WIDTH, HEIGHT) * 2]
            assert np.allclose(box, np.minimum(corners, limits), rtol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@SETTINGS
@given(content=files())
def test_masks(folder, content):
    table, expected, coco = read_both(folder, content, "segment", segmentation_format="masks")
    for number, (sample, found) in enumerate(zip(table, expected, strict=True)):
        for mask, each in zip(
            np.moveaxis(sample["segmentations"].masks, -1, 0), found, strict=True
        ):
            assert np.array_equal(mask, coco.annToMask(as_stored(each)))
        stored = table.table_rows[number]["segmentations"]["polygons"]
        given = [e["segmentation"] if isinstance(e["segmentation"], list) else [] for e in found]
        assert stored == [[np.float32(part).tolist() for part in parts] for parts in given]


def as_stored(annotation):
    """Return an annotation whose vertices are as exact as those of a table."""
    if isinstance(annotation["segmentation"], dict):
        return annotation
    parts = [np.float32(part).astype(float).tolist() for part in annotation["segmentation"]]
    return {**annotation, "segmentation": parts}


@SETTINGS
@given(content=files())
def test_keypoints(folder, content):
    table, expected, _ = read_both(folder, content, "pose", point_attributes=["a", "b", "c", "d"])
    for sample, found in zip(table, expected, strict=True):
        points = sample["keypoints_2d"]
        triples = [each["keypoints"] or [0] * 3 * KEYPOINTS for each in found]
        given = np.float32(triples).reshape(-1, KEYPOINTS, 3)
        assert np.array_equal(points.keypoints, given[..., :2]) or not len(found)
        if len(found):
            assert np.array_equal(points.keypoint_visibilities, given[..., 2])


@pytest.mark.parametrize("task", ["detect", "segment"])
@SETTINGS
@given(content=files(), piece=st.integers(50, 400))
def test_pieces_of_any_length_and_parts_of_any_size(folder, content, task, piece):
    file, images = write(folder, json.dumps(content))
    whole = Table.from_coco(file, images, task=task, if_exists="overwrite", table_name="whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "PIECE", piece)
        patch.setattr(coco_tables, "_WHOLE", piece * 4)
        patch.setattr(coco_tables, "_PART", piece * 4)
        parts = Table.from_coco(file, images, task=task, if_exists="overwrite", table_name="parts")
    assert list(parts.table_rows) == list(whole.table_rows)
    assert parts.rows_schema == whole.rows_schema
