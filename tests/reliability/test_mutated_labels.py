"""Damaged label files, YAML files, NDJSON files and XML files give typed errors, and nothing else.

Whatever is taken of them fits its image.
"""

from __future__ import annotations

import json
import math
import os
from contextlib import suppress
from random import Random

import pytest
from tests.core.importers.labelled import HEIGHT, WIDTH, image_bytes
from tests.reliability.mutated_text import TOKENS, mutated
from tests.reliability.scale import size

from tlc.errors import AnnotationFileError, TlcError
from tlc.importers.voc import from_voc
from tlc.importers.yolo import YoloOptions, from_yolo_url
from tlc.importers.yolo_ndjson import from_yolo_ndjson
from tlc.importers.yolo_yaml import from_yolo, read_yolo_file
from tlc.url import Url

CLASSES = {0: "a", 1: "b"}
FILES_AT_ONCE = 100
FOLDERS = size(12, 125)
XML_FOLDERS = size(25, 250)
FILES = size(2500, 25_000)
LINES = {
    "detect": b"0 0.5 0.5 0.25 0.25\n1 0.1 0.2 0.05 0.1\n",
    "segment": b"0 0.1 0.1 0.5 0.1 0.5 0.5\n1 0 0 1 0 1 1 0 1\n",
    "pose": b"0 0.5 0.5 0.5 0.5 0.1 0.1 2 0.4 0.4 1\n1 0.5 0.5 0.5 0.5 0.1 0.1 0 0.4 0.4 1\n",
    "obb": b"0 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5\n1 0.5 0 1 0.5 0.5 1 0 0.5\n",
}
YAML = b"""# a data set
path: .
train: images/train
val: [images/train, list.txt]
nc: 2
names:
  0: a
  1: 'b'
kpt_shape: [2, 3]
flip_idx: [1, 0]
"""
XML = b"""<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder>x</folder><filename>0.png</filename>
  <size><width>64</width><height>48</height><depth>3</depth></size>
  <object><name>a</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>
    <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>33.5</xmax><ymax>44</ymax></bndbox>
  </object>
  <object><name>b</name>
    <bndbox><xmin>5</xmin><ymin>6</ymin><xmax>7</xmax><ymax>4.8e1</ymax></bndbox>
  </object>
</annotation>
"""
NDJSON = b"\n".join(
    json.dumps(record).encode()
    for record in (
        {"type": "dataset", "task": "detect", "class_names": {"0": "a", "1": "b"}},
        {
            "type": "image",
            "file": "0.png",
            "width": 64,
            "height": 48,
            "split": "train",
            "annotations": {"boxes": [[0, 0.5, 0.5, 0.25, 0.25], [1, 0.1, 0.2, 0.05, 0.1]]},
        },
        {"type": "image", "file": "1.png", "split": "val", "annotations": {}},
    )
)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder with 100 images, and a link to it where YOLO wants it."""
    folder = tmp_path_factory.mktemp("data") / "images" / "train"
    folder.mkdir(parents=True)
    first = folder / "0.png"
    first.write_bytes(image_bytes())
    for number in range(1, FILES_AT_ONCE):
        os.link(first, folder / f"{number}.png")
    return folder


def taken(source):
    """Return all rows of a source."""
    return [
        dict(zip(batch, row, strict=True))
        for batch in source.batches()
        for row in zip(*(column.to_pylist() for column in batch.values()), strict=True)
    ]


def numbers(cell):
    """Return all numbers in a cell."""
    if isinstance(cell, dict):
        return [number for part in cell.values() for number in numbers(part)]
    if isinstance(cell, list):
        return [number for part in cell for number in numbers(part)]
    return [cell] if isinstance(cell, int | float) else []


def check_boxes(boxes, width, height, *, may_reach_out=False):
    for left, top, right, bottom in boxes:
        if may_reach_out:
            left, top, right, bottom = (
                max(left, 0),
                max(top, 0),
                min(right, width),
                min(bottom, height),
            )
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def check(row, task="detect", *, may_reach_out=False):
    """Check that what was taken of a file fits its image."""
    (cell,) = [part for name, part in row.items() if name != "image"]
    assert all(map(math.isfinite, numbers(cell)))
    properties = cell.get("instances_additional_data") or cell.get("instance_properties")
    assert set(properties["label"]) <= set(CLASSES)
    if task == "detect":
        size = (cell["x_max"], cell["y_max"])
        check_boxes(cell["instances"], *size, may_reach_out=may_reach_out)
    elif task == "pose":
        check_boxes(properties["bounding_box"], WIDTH, HEIGHT)
        assert {v for each in properties["keypoint_visibility"] for v in each} <= {0, 1, 2}
    elif task == "segment":
        for (polygon,) in cell["polygons"]:
            assert len(polygon) >= 6
            assert all(0 <= x <= WIDTH for x in polygon[::2])
            assert all(0 <= y <= HEIGHT for y in polygon[1::2])
    else:
        for x, y, width, height, angle in cell["instances"]:
            assert -1 <= x <= WIDTH + 1
            assert -1 <= y <= HEIGHT + 1
            assert min(width, height) > 0
            assert 0 <= angle < math.pi / 2


@pytest.mark.parametrize("task", LINES)
def test_damaged_label_files(images, task):
    random = Random(task)
    labels = images.parent.parent / "labels" / "train"
    labels.mkdir(parents=True, exist_ok=True)
    options = YoloOptions(CLASSES, task, "skip", 2, 3)
    strict = YoloOptions(CLASSES, task, "raise", 2, 3)
    skipped = 0
    for _ in range(FOLDERS):
        for number in range(FILES_AT_ONCE):
            content = mutated(random, LINES[task], list(LINES.values()))
            (labels / f"{number}.txt").write_bytes(content)
        source = from_yolo_url([Url(images)], options)
        rows = taken(source)
        assert len(rows) == FILES_AT_ONCE
        for row in rows:
            check(row, task)
        skipped += source.report().skipped
        with pytest.raises(AnnotationFileError):
            taken(from_yolo_url([Url(images)], strict))
    assert skipped > FILES_AT_ONCE


def test_damaged_yaml_files(images):
    random = Random("yaml")
    root = images.parent.parent
    file = root / "data.yaml"
    kept = 0
    for number in range(FILES):
        content = mutated(random, YAML, [YAML, XML, NDJSON])
        with suppress(TlcError):
            found = read_yolo_file(content, str(file))
            assert found.names
            assert all(isinstance(name, str) for name in found.names.values())
            kept += 1
        if number % 100 == 0:
            file.write_bytes(content)
            with suppress(TlcError):
                arguments = {"datasets_dir": None, "override_split_path": None}
                from_yolo(Url(file), "train", task="detect", on_error="skip", **arguments)
    assert kept > 100


def test_damaged_xml_files(images, tmp_path):
    random, kept = Random("xml"), 0
    values = [token for token in TOKENS if not set(token) & set(b"<>&\0\xff\xc3\xed\xef\xfe")]
    for _ in range(XML_FOLDERS):
        for number in range(FILES_AT_ONCE):
            content = XML.replace(b">0.png<", b">%d.png<" % number)
            if number % 2:  # what is in a tag; else most files are no XML any more
                old = random.choice((b"64", b"48", b"33.5", b"4.8e1", b">1<", b">2<", b">a<"))
                value = random.choice(values)
                content = content.replace(old, b">%b<" % value if old[:1] == b">" else value)
            else:
                content = mutated(random, content, [YAML, XML])
            (tmp_path / f"{number}.xml").write_bytes(content)
        arguments = {"image_set": None, "on_error": "skip"}
        source = from_voc(Url(tmp_path), Url(images), CLASSES, **arguments)
        rows = taken(source)
        kept += len(rows)
        for row in rows:
            check(row, may_reach_out=True)
        with pytest.raises(AnnotationFileError):
            taken(from_voc(Url(tmp_path), Url(images), CLASSES, image_set=None, on_error="raise"))
    assert kept > 5 * XML_FOLDERS


def test_damaged_ndjson_files(images, tmp_path):
    random = Random("ndjson")
    file = tmp_path / "data.ndjson"
    kept = 0
    for _ in range(FILES):
        file.write_bytes(mutated(random, NDJSON, [NDJSON, YAML, XML]))
        with suppress(TlcError):
            arguments = {"task": None, "on_error": "skip"}
            rows = taken(from_yolo_ndjson(Url(file), Url(images), None, **arguments))
            kept += len(rows)
            for row in rows:
                if "bbs" in row:
                    check(row)
    assert kept > 1000
