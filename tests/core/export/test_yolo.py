"""The folder of a YOLO data set: splits add up, images are placed, nothing is left half-done."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.core.export.instances import table_of

import tlc
from tlc.data_types import (
    BoundingBoxes2D,
    Keypoints2D,
    OrientedBoundingBoxes2D,
    SegmentationMasks,
    SegmentationPolygons,
)
from tlc.errors import ExportError, ExportWarning, OptionError, UrlExistsError, UrlNotFoundError

SIZE = {"image_width": 10, "image_height": 20}
CLASSES = {7: "cat", 3: "dog"}
SCHEMA = BoundingBoxes2D.schema(classes=CLASSES)


def boxes(*found, labels=None):
    return BoundingBoxes2D(np.array(found).reshape(-1, 4), labels or [7] * len(found), **SIZE)


def tree(folder):
    """Return path and content of all files."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}


@pytest.fixture
def table(tmp_path):
    cells = [boxes([1, 2, 3, 6], [0, 0, 10, 20], labels=[3, 7]), boxes()]
    return table_of("bbs", cells, tmp_path, schema=SCHEMA)


def test_splits_add_up(table, tmp_path):
    place = tmp_path / "out"
    table.export(place)
    table.export(place, split="val")
    assert yaml.safe_load((place / "dataset.yaml").read_text()) == {
        "train": "images/train",
        "val": "images/val",
        "names": {0: "cat", 1: "dog"},
    }
    files = tree(place)
    assert sorted(files) == [
        "dataset.yaml",
        *("images/train/000.png", "images/train/001.png"),
        *("images/val/000.png", "images/val/001.png"),
        *("labels/train/000.txt", "labels/val/000.txt"),
    ]
    assert files["labels/val/000.txt"] == b"1 0.2 0.2 0.2 0.2\n0 0.5 0.5 1 1\n"
    with pytest.raises(UrlExistsError, match="split 'val' already"):
        table.export(place, split="val")
    assert tree(place) == files


def test_ids_with_gaps_become_others_and_names_survive(table, tmp_path):
    """YOLO counts classes from 0."""
    table.export(tmp_path / "out")
    back = tlc.Table.from_yolo(tmp_path / "out/dataset.yaml", "train", table_name="back")
    path = "bbs.instances_additional_data.label"

    def names(of):
        classes = of.get_simple_value_map(path)
        return [[classes[n] for n in row["bbs"].labels] for row in of if row["bbs"].num_instances]

    assert names(back) == names(table) == [["dog", "cat"]]
    assert table.get_simple_value_map(path) == CLASSES
    assert back.get_simple_value_map(path) == {0: "cat", 1: "dog"}


def test_another_split_must_have_the_same_classes(table, tmp_path):
    table.export(tmp_path / "out")
    before = tree(tmp_path / "out")
    other = table_of("bbs", [boxes()], tmp_path, schema=BoundingBoxes2D.schema(classes=["cow"]))
    with pytest.raises(ExportError, match=r"has other names .*'dog'.*'cow'"):
        other.export(tmp_path / "out", split="val")
    points = Keypoints2D.schema(num_keypoints=2, classes=CLASSES)
    empty = Keypoints2D.create_empty(**SIZE)
    pose = table_of("keypoints_2d", [empty], tmp_path, schema=points)
    with pytest.raises(ExportError, match="has other kpt_shape"):
        pose.export(tmp_path / "out", split="val")
    assert tree(tmp_path / "out") == before


@pytest.mark.parametrize("images", ["copy", "symlink", "move"])
def test_images_are_copied_linked_or_moved(images, table, tmp_path):
    sources = [Path(row["image"]) for row in table.table_rows]
    contents = [path.read_bytes() for path in sources]
    table.export(tmp_path / "out", images=images)
    placed = [tmp_path / "out/images/train" / path.name for path in sources]
    assert [path.read_bytes() for path in placed] == contents
    assert [path.is_symlink() for path in placed] == [images == "symlink"] * 2
    assert [path.exists() for path in sources] == [images != "move"] * 2


def test_images_of_one_name_get_others(tmp_path):
    """Also if only their endings differ: their labels would be in one file."""
    one = table_of("bbs", [boxes([1, 2, 3, 6])] * 2, tmp_path, names=["a.png", "a.bmp"])
    folder = tmp_path / "more"
    other = table_of("bbs", [boxes([0, 0, 10, 20])], folder, names=["A.png"])
    both = type(one).join_tables([one, other], "both")
    both.set_value_map("bbs.instances_additional_data.label", CLASSES).export(tmp_path / "out")
    names = sorted(os.listdir(tmp_path / "out/images/train"))
    assert names == ["A_0002.png", "a.png", "a_0001.bmp"]
    label = (tmp_path / "out/labels/train/A_0002.txt").read_text()
    assert label == "0 0.5 0.5 1 1\n"


def test_what_has_no_area_is_left_out_and_counted(tmp_path):
    cells = [boxes(), boxes([2, 2, 2, 5], [12, 2, 14, 5], [8, 2, 12, 6])]
    table = table_of("bbs", cells, tmp_path, schema=SCHEMA)
    with pytest.warns(ExportWarning, match=r"2 instances of .* the first is in row 1 of those"):
        table.export(tmp_path / "out")
    label = (tmp_path / "out/labels/train/001.txt").read_text()
    assert label == "0 0.9 0.2 0.2 0.2\n", "cut at the border"


def test_masks_become_outlines_and_parts_one_polygon(tmp_path):
    mask = np.zeros((20, 10, 1), np.uint8)
    mask[4:10, 2:5] = 1
    masks = SegmentationMasks(masks=mask, labels=[3], **SIZE)
    parts = [[0, 0, 5, 0, 5, 5], [6, 6, 9, 6, 9, 9]]
    polygons = SegmentationPolygons(polygons=[parts], labels=[7], **SIZE)
    schema = SegmentationPolygons.schema(classes=CLASSES)
    cells = [masks.to_row(), polygons.to_row()]
    table_of("segmentations", cells_with_size(cells), tmp_path, schema=schema).export(
        tmp_path / "out"
    )
    labels = tmp_path / "out/labels/train"
    first = np.array((labels / "000.txt").read_text().split(), float)
    assert first[0] == 1
    corners = {tuple(point) for point in first[1:].reshape(-1, 2) * [10, 20]}
    assert corners == {(2, 4), (5, 4), (5, 10), (2, 10)}
    second = np.array((labels / "001.txt").read_text().split(), float)
    visited = {tuple(point) for point in np.round(second[1:].reshape(-1, 2) * [10, 20], 6)}
    assert visited == {(0, 0), (5, 0), (5, 5), (6, 6), (9, 6), (9, 9)}


class Cell(dict):
    """A row form that knows the size of its image."""

    image_width, image_height = SIZE["image_width"], SIZE["image_height"]


def cells_with_size(cells):
    return [Cell(cell) for cell in cells]


def test_poses_and_turned_boxes(tmp_path):
    pose = Keypoints2D([[[1, 2, 2], [5, 10, 0]]], [3], bounding_boxes=[[0, 0, 5, 10]], **SIZE)
    schema = Keypoints2D.schema(
        num_keypoints=2, classes=CLASSES, flip_indices=[1, 0], include_per_point_visibility=True
    )
    table_of("keypoints_2d", [pose], tmp_path, schema=schema).export(tmp_path / "pose")
    told = yaml.safe_load((tmp_path / "pose/dataset.yaml").read_text())
    assert (told["kpt_shape"], told["flip_idx"]) == ([2, 3], [1, 0])
    label = (tmp_path / "pose/labels/train/000.txt").read_text()
    assert label == "1 0.25 0.25 0.5 0.5 0.1 0.1 2 0.5 0.5 0\n"
    turned = OrientedBoundingBoxes2D([[5, 10, 4, 2, np.pi / 2]], [7], **SIZE)
    schema = OrientedBoundingBoxes2D.schema(classes=CLASSES)
    table_of("obbs", [turned], tmp_path, schema=schema).export(tmp_path / "obb")
    label = (tmp_path / "obb/labels/train/000.txt").read_text().split()
    expected = [0, 0.6, 0.4, 0.6, 0.6, 0.4, 0.6, 0.4, 0.4]
    assert np.allclose(np.array(label, float), expected, atol=1e-6)


def test_a_missing_image_leaves_no_trace(table, tmp_path):
    os.unlink(table.table_rows[1]["image"])
    with pytest.raises(UrlNotFoundError, match="There is no image"):
        table.export(tmp_path / "out")
    assert os.listdir(tmp_path / "out") == []


def test_labels_need_names(tmp_path):
    table = table_of("bbs", [boxes([1, 2, 3, 6])], tmp_path, schema=BoundingBoxes2D.schema())
    with pytest.raises(ExportError, match="have no names"):
        table.export(tmp_path / "out")
    unknown = table_of("bbs", [boxes([1, 2, 3, 6], labels=[4])], tmp_path, schema=SCHEMA)
    with pytest.raises(ExportError, match="label 4, which is no class"):
        unknown.export(tmp_path / "out")


@pytest.mark.parametrize("split", ["", "..", "a/b", "names", "path"])
def test_a_split_has_a_usable_name(split, table, tmp_path):
    with pytest.raises(OptionError, match="split"):
        table.export(tmp_path / "out", split=split)


@pytest.mark.parametrize("text", ["- a list", "a: [", b"\xff\xfe"])
def test_a_yaml_file_that_is_none(text, table, tmp_path):
    (tmp_path / "out").mkdir()
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "out/dataset.yaml").write_bytes(content)
    with pytest.raises(ExportError, match=r"dataset\.yaml"):
        table.export(tmp_path / "out")
