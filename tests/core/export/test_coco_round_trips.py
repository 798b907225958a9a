"""COCO files that are imported and exported, and tables the other way round, are the same again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from tests.core.export.instances import annotated, labels_of, masks, size_of, table_of, within

import tlc
from tlc.data_types import SegmentationMasks

again = settings(max_examples=15, suppress_health_check=list(HealthCheck))
TASKS = {"bbs": "detect", "segmentations": "segment", "keypoints_2d": "pose"}
IDS = st.integers(0, 1 << 40)
WORDS = st.text('abcü "\\,0', max_size=4)


def imported(place, task, **options):
    return tlc.Table.from_coco(
        place,
        place.parent,
        task=task,
        table_name="imported",
        if_exists="overwrite",
        add_weight_column=False,
        **options,
    )


# A table, exported and imported


@again
@given(annotated("bbs"))
def test_boxes(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("c")
    place = table_of("bbs", cells, folder).export(folder / "a.json")
    back = [row["bbs"] for row in imported(place, "detect")]
    for cell, other in zip(cells, back, strict=True):
        assert (labels_of(other), size_of(other)) == (labels_of(cell), size_of(cell))
        assert np.array_equal(other.bounding_boxes, cell.bounding_boxes)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")  # of pycocotools
@pytest.mark.parametrize("make", [None, masks])
@again
@given(data=st.data())
def test_polygons_and_masks(make, tmp_path_factory, data):
    cells = data.draw(annotated("segmentations", make))
    folder = tmp_path_factory.mktemp("c")
    table = table_of("segmentations", cells, folder)
    place = table.export(folder / "a.json")
    back = imported(place, "segment")
    for row, other in zip(table.table_rows, back.table_rows, strict=True):
        for name in ("rles", "polygons", "image_width", "image_height"):
            assert other["segmentations"][name] == row["segmentations"][name]
        properties = (each["segmentations"]["instance_properties"] for each in (row, other))
        one, two = (each["label"] or [] for each in properties)
        assert one == two
    if make is masks:  # pycocotools draws polygons with numbers of 64 bits, so a bit differently
        coco = COCO(str(place))
        found = [coco.annToMask(each) for each in coco.loadAnns(coco.getAnnIds())]
        own = [mask for row in table for mask in np.moveaxis(masks_of(row["segmentations"]), 2, 0)]
        assert len(found) == len(own)
        assert all(map(np.array_equal, found, own))


def masks_of(polygons):
    return SegmentationMasks.from_row(polygons.to_row()).masks


@again
@given(annotated("keypoints_2d"))
def test_poses(tmp_path_factory, cells):
    folder = tmp_path_factory.mktemp("c")
    place = table_of("keypoints_2d", cells, folder).export(folder / "a.json")
    back = [row["keypoints_2d"] for row in imported(place, "pose")]
    for cell, other in zip(cells, back, strict=True):
        assert labels_of(other) == labels_of(cell)
        if cell.num_instances:
            assert np.array_equal(other.keypoints, cell.keypoints)
            assert np.array_equal(other.keypoint_visibilities, cell.keypoint_visibilities)
            assert np.array_equal(other.bounding_boxes, cell.bounding_boxes)


# A file, imported and exported


@st.composite
def files(draw, task):
    """Return a COCO file, with members that not all readers know."""
    images, annotations = [], []
    numbers = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    for number in numbers:
        record = {"id": number, "file_name": f"sub/{number}.png", "width": 40, "height": 30}
        images.append(record | draw(extras("license", "date captured")))
    categories = [
        {"id": number, "name": draw(WORDS.filter(str.strip))}
        for number in draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=3, unique=True))
    ]
    categories[0]["supercategory"] = "thing"
    if task == "pose":
        for each in categories:
            each |= {"keypoints": ["a", "b"], "skeleton": [[1, 2]]}
    # Annotations of an image stand together, as exporters write them.
    amounts = [draw(st.integers(0, 3)) for _ in images]
    ids = iter(draw(st.lists(IDS, min_size=sum(amounts), max_size=sum(amounts), unique=True)))
    for image, amount in zip(images, amounts, strict=True):
        for _ in range(amount):
            record = {"id": next(ids), "image_id": image["id"]}
            record["category_id"] = draw(st.sampled_from(categories))["id"]
            record |= draw(SHAPES[task]()) | {"area": draw(st.floats(0, 1e6))}
            annotations.append(record | {"iscrowd": draw(st.integers(0, 1))} | draw(extras("note")))
    info = {"info": {"year": 2017, "by": ["a", None]}, "licenses": [{"id": 4, "url": "x"}]}
    return {**info, "images": images, "annotations": annotations, "categories": categories}


def extras(*names):
    values = dict.fromkeys(names, WORDS)
    return st.fixed_dictionaries({"attributes": ATTRIBUTES}, optional=values)


ATTRIBUTES = st.dictionaries(WORDS, st.booleans() | WORDS | st.lists(st.integers(0, 9)), max_size=2)


@st.composite
def box_members(draw):
    x, y = draw(within(0, 20)), draw(within(0, 20))
    return {"bbox": [decimal(n) for n in (x, y, draw(within(1, 20)), draw(within(1, 10)))]}


@st.composite
def mask_members(draw):
    if draw(st.booleans()):
        point = st.tuples(within(0, 40), within(0, 30))
        part = st.lists(point, min_size=3, max_size=4).map(
            lambda points: [decimal(n) for xy in points for n in xy]
        )
        return {"segmentation": draw(st.lists(part, min_size=1, max_size=2))}
    seed = draw(st.integers(0, 1000))
    mask = np.asfortranarray(np.random.default_rng(seed).random((30, 40)) < 0.5, np.uint8)
    counts = coco_masks.encode(mask)["counts"].decode()
    return {"segmentation": {"size": [30, 40], "counts": counts}}


@st.composite
def point_members(draw):
    point = st.tuples(within(0, 40).map(decimal), within(0, 30).map(decimal), st.integers(0, 2))
    points = draw(st.lists(point, min_size=2, max_size=2))
    flat = [n for each in points for n in each]
    seen = sum(v > 0 for _, _, v in points)
    return {"keypoints": flat, "num_keypoints": seen, **draw(box_members())}


SHAPES = {"detect": box_members, "segment": mask_members, "pose": point_members}


def decimal(value):
    """Return a number of 32 bits as a file of two decimals has it."""
    return round(float(value), 2)


@pytest.mark.parametrize("task", SHAPES)
@again
@given(data=st.data())
def test_a_file_is_written_as_it_was_read(task, tmp_path_factory, data):
    told = data.draw(files(task))
    folder = tmp_path_factory.mktemp("c")
    (folder / "sub").mkdir()
    for image in told["images"]:
        Image.new("1", (40, 30)).save(folder / image["file_name"])
    (folder / "a.json").write_text(json.dumps(told), encoding="utf-8")
    table = imported(folder / "a.json", task, include_iscrowd=True, keep_crowd_annotations=True)
    written = json.loads(table.export(folder / "b.json").read())
    assert written.keys() == told.keys()
    for part in ("info", "licenses", "images", "categories"):
        assert written[part] == told[part]
    for one, other in zip(written["annotations"], told["annotations"], strict=True):
        if task == "segment":
            del one["bbox"]  # it is made of the mask
        assert one == other
