"""COCO files for tests: a good one of each kind, and ways to make it wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from tests.core.importers.labelled import image_bytes

GOOD = {
    "info": {"year": 2026, "description": "three images"},
    "licenses": [{"id": 1, "name": "CC0"}],
    "images": [
        {"id": 30, "file_name": "b.png", "width": 64, "height": 48, "license": 1},
        {"id": 10, "file_name": "sub/a b.png", "width": 64, "height": 48, "license": 1},
        {"id": 20, "file_name": "c.png", "width": 64, "height": 48, "license": 1},
    ],
    "annotations": [
        {
            "id": 7,
            "image_id": 10,
            "category_id": 90,
            "bbox": [1.5, 2, 10, 20],
            "area": 150.25,
            "iscrowd": 0,
            "segmentation": [[1.5, 2, 11.5, 2, 11.5, 22, 1.5, 22]],
            "keypoints": [1.5, 2, 2, 5, 6, 1, 0, 0, 0],
            "num_keypoints": 2,
            "attributes": {"occluded": True},
        },
        {
            "id": 3,
            "image_id": 30,
            "category_id": 1,
            "bbox": [0, 0, 64, 48],
            "area": 3072,
            "iscrowd": 1,
            "segmentation": {"size": [48, 64], "counts": [0, 3072]},
            "keypoints": [0] * 9,
            "num_keypoints": 0,
            "attributes": {"occluded": False},
        },
    ],
    "categories": [
        {
            "id": 90,
            "name": "cat",
            "supercategory": "animal",
            "keypoints": ["nose", "left", "right"],
            "skeleton": [[1, 2], [2, 3]],
        },
        {"id": 1, "name": "dog", "supercategory": "animal"},
    ],
}


def good():
    """Return a copy of the good file, to be changed."""
    return copy.deepcopy(GOOD)


def write(folder, content, name="annotations.json", names=()):
    """Write a file of annotations, and images of its names or of `names`; return both places."""
    images = Path(folder) / "images"
    if isinstance(content, dict):
        names = names or [image["file_name"] for image in content.get("images", [])]
        content = json.dumps(content)
    for each in names:
        path = images / each
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image_bytes())
    file = Path(folder) / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file, images
