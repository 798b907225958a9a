"""What is looked at of annotations that were read, and what is not, because it takes long."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tlc
from tlc.data_types import SegmentationMasks, SegmentationPolygons, rle
from tlc.data_types import polygons as rings

SIZE = {"image_width": 40, "image_height": 30}


def masks():
    made = np.zeros((30, 40, 2), np.uint8)
    made[5:9, 5:20, 0] = made[20:, 20:, 1] = 1
    return SegmentationMasks(masks=made, labels=[0, 1], confidences=[0.5, 0.75], **SIZE)


def outlines():
    return SegmentationPolygons.from_row(masks().to_row())


@pytest.fixture(params=[masks, outlines])
def read(request):
    """Return cells as they were given, and as a table gives them."""
    made = request.param()
    table = tlc.Table.from_dict({"cell": [made]}, project_name="looking")
    return made, table.get_batch([0], ["cell"])["cell"][0]


def test_number_codes_labels_and_copies_need_no_pixels(read, monkeypatch):
    made, cell = read
    wanted = made.rles

    def refuse(*_):
        raise AssertionError("pixels or outlines are looked at")

    monkeypatch.setattr(rle, "decode_masks", refuse)
    monkeypatch.setattr(rings, "outline", refuse)
    for each in (cell, copy.copy(cell), pickle.loads(pickle.dumps(cell))):
        assert each.num_instances == 2
        assert each.rles == wanted
        assert each.labels.tolist() == [0, 1]
        assert each.to_row()["rles"] == [code["counts"] for code in wanted]


def test_a_copy_has_what_was_changed(read):
    made, cell = read
    if isinstance(cell, SegmentationMasks):
        cell.masks[:] = 0
        cell.masks[0, 0] = 1
    else:
        cell.polygons[0] = [1.0, 1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 9.0]
    for each in (copy.copy(cell), pickle.loads(pickle.dumps(cell))):
        assert each.rles == cell.rles != made.rles
        assert each == cell
