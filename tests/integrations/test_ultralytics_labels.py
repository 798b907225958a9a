"""Labels for Ultralytics from annotations that its own files do not have."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.data_types import BoundingBoxes2D, Keypoints2D, SegmentationMasks
from tlc.errors import CellError, ColumnError, TlcWarning
from tlc.integration.ultralytics import Settings
from tlc.integration.ultralytics.split import Split

CLASSES = ["a", "b"]
WIDTH, HEIGHT = 40, 20


@pytest.fixture
def split(tmp_path):
    """Makes a split of a table with one column of annotations."""

    def make(cells, schema, task):
        path = tmp_path / "image.png"
        Image.new("RGB", (WIDTH, HEIGHT)).save(path)
        schemas = {"image": tlc.schemas.ImageSchema(), "cells": schema}
        columns = {"image": [str(path)] * len(cells), "cells": cells}
        return Split("train", tlc.Table.from_dict(columns, schemas), task, Settings())

    return make


def masks(*boxes):
    """Return masks that are rectangles, x_min, y_min, x_max, y_max."""
    found = np.zeros((len(boxes), HEIGHT, WIDTH), np.uint8)
    for mask, (left, top, right, bottom) in zip(found, boxes, strict=True):
        mask[top:bottom, left:right] = 1
    labels = list(range(len(boxes)))
    return SegmentationMasks(
        masks=found, labels=labels, mask_format="nhw", image_width=WIDTH, image_height=HEIGHT
    )


@pytest.mark.parametrize("task", ["segment", "detect"])
def test_masks_are_trained_on_by_their_outlines_and_boxes(split, task):
    cells = [masks((4, 5, 12, 15), (0, 0, 40, 10)), masks()]
    first, second = split(cells, SegmentationMasks.schema(classes=CLASSES), task).labels
    assert first["cls"].ravel().tolist() == [0, 1]
    expected = [[0.2, 0.5, 0.2, 0.5], [0.5, 0.25, 1, 0.5]]
    np.testing.assert_allclose(first["bboxes"], expected, atol=1e-6)
    assert len(first["segments"]) == 2
    np.testing.assert_allclose(first["segments"][0].min(0), [0.1, 0.25])
    assert second["bboxes"].shape == (0, 4)
    assert second["cls"].shape == (0, 1)
    assert first["shape"] == (HEIGHT, WIDTH)


def test_masks_without_pixels_are_left_out_with_a_warning(split):
    cells = [masks((4, 5, 12, 15), (3, 3, 3, 3))]
    found = split(cells, SegmentationMasks.schema(classes=CLASSES), "segment")
    with pytest.warns(TlcWarning, match="1 instances of"):
        (label,) = found.labels
    assert label["cls"].ravel().tolist() == [0]
    assert len(label["segments"]) == len(label["bboxes"]) == 1


def test_poses_without_boxes_get_those_around_their_points(split):
    points = [[[4, 5], [12, 15], [39, 19]]]
    seen = [[2, 1, 0]]
    cells = [Keypoints2D(points, [1], keypoint_visibilities=seen)]
    schema = Keypoints2D.schema(classes=CLASSES, num_keypoints=3, include_per_point_visibility=True)
    found = split(cells, schema, "pose")
    (label,) = found.labels
    np.testing.assert_allclose(label["bboxes"], [[0.2, 0.5, 0.2, 0.5]], atol=1e-6)
    assert label["keypoints"][0, :, 2].tolist() == seen[0]
    assert found.skeleton["kpt_shape"] == [3, 3]
    assert label["shape"] == (HEIGHT, WIDTH)  # read from the image, as the cell does not say


def test_boxes_end_at_the_border_of_the_image(split):
    cells = [BoundingBoxes2D([[-4, -5, 20, 30]], [0], image_width=WIDTH, image_height=HEIGHT)]
    (label,) = split(cells, BoundingBoxes2D.schema(classes=CLASSES), "detect").labels
    np.testing.assert_allclose(label["bboxes"], [[0.25, 0.5, 0.5, 1]])


def test_instances_without_a_class_are_told(split):
    cells = [BoundingBoxes2D([[0, 0, 9, 9]], image_width=WIDTH, image_height=HEIGHT)]
    found = split(cells, BoundingBoxes2D.schema(classes=CLASSES), "detect")
    with pytest.raises(CellError, match="row 0: the class None"):
        found.labels  # noqa: B018 - read when they are asked for


def test_rows_without_an_image_are_told(split):
    cells = [BoundingBoxes2D([[0, 0, 9, 9]], [0], image_width=WIDTH, image_height=HEIGHT)]
    found = split(cells, BoundingBoxes2D.schema(classes=CLASSES), "detect")
    empty = Split("train", found.table.set_values("image", [0], [""]), "detect", Settings())
    with pytest.raises(ColumnError, match="row 0 holds no url"):
        empty.images  # noqa: B018


def test_classes_without_names_are_called_by_their_number(split):
    cells = [
        BoundingBoxes2D([[0, 0, 9, 9]], [label], image_width=WIDTH, image_height=HEIGHT)
        for label in (9, 4)
    ]
    found = split(cells, BoundingBoxes2D.schema(), "detect")
    assert found.classes == {4: "4", 9: "9"}
    assert [each["cls"].item() for each in found.labels] == [1, 0]
