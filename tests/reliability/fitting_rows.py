"""What must be so of rows that were read from damaged label files."""

from __future__ import annotations

import math

from tests.core.importers.labelled import HEIGHT, WIDTH
from tests.reliability.good_files import CLASSES


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
            left, top = max(left, 0), max(top, 0)
            right, bottom = min(right, width), min(bottom, height)
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def check_labels(row, task="detect", *, may_reach_out=False, any_class=False):
    """Check that labels of an image fit it."""
    (cell,) = [part for name, part in row.items() if name != "image"]
    assert all(map(math.isfinite, numbers(cell)))
    properties = cell.get("instances_additional_data") or cell.get("instance_properties")
    assert any_class or set(properties["label"]) <= set(CLASSES)
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
