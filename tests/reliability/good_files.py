"""A good file of each format, to be damaged."""

from __future__ import annotations

import io
import json
import tarfile
from functools import partial

from tests.core.importers.coco_cases import GOOD as COCO

from tlc.schemas import (
    CategoricalLabelSchema,
    Float32Schema,
    ImageSchema,
    Int64Schema,
    StringSchema,
)

CLASSES = {0: "a", 1: "b"}
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
YOLO_RECORDS = [
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
]
RECORDS = [
    {"name": "a", "n": 1, "x": 0.5, "image": "images/0.png", "box": [1, 2, 3.5, 4], "ok": True},
    {"name": 'é "b"', "n": 7, "x": None, "image": None, "box": [], "ok": False},
    {"name": "", "n": -3, "x": 1e9, "image": "https://x/y.png", "deep": {"a": {"b": [{"c": 1}]}}},
    {"name": "2026-11-22T10:00:00Z", "n": 12345678901234567, "x": 3, "box": None, "ok": None},
]
CSV = b"""name,n,x,image,label,box\r
a,1,0.5,images/0.png,0,"[1, 2, 3.5]"\r
"b, ""c""\r
d",007,,https://x/y.png,1,[]\r
\xc3\xa9,-3,1e9,,0,\r
2026-11-22T10:00:00Z,12345678901234567,NaN,x.png,1,"[1]"\r
"""
COLUMNS = {
    "name": StringSchema,
    "n": Int64Schema,
    "x": Float32Schema,
    "image": ImageSchema,
    "label": partial(CategoricalLabelSchema, CLASSES),
    "box": partial(Float32Schema, shape=(-1,)),
}
TEXTS = [*LINES.values(), YAML, XML, CSV, json.dumps(RECORDS).encode(), json.dumps(COCO).encode()]


def lines_of(records):
    return b"\n".join(json.dumps(record).encode() for record in records)


def tar_of(members, compression):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:
        for name, content in sorted(members.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
