"""YOLO data sets: what their labels become."""

from __future__ import annotations

import math
import os
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.common.trees import tree_digest
from tests.core.importers.labelled import (
    HEIGHT,
    WIDTH,
    YoloFolder,
    column_bytes,
    image_bytes,
)

from tlc.errors import OptionError, UrlNotFoundError
from tlc.importers.yolo_shapes import least_rectangles
from tlc.schemas import MapElement
from tlc.table import Table
from tlc.url import register_url_alias, unregister_url_alias

CLASSES = {0: "a", 1: "b", 7: "c"}
SIZE = np.array([WIDTH, HEIGHT])


@pytest.fixture
def data(tmp_path):
    return YoloFolder(tmp_path / "data")


def test_boxes_are_pixels_and_ids_are_kept(data):
    data.add("one", "7 0.5 0.5 0.25 0.5\n0 0.25 0.25 0.5 0.5\n")
    table = Table.from_yolo_url(data.images, CLASSES)
    assert table.columns == ["image", "bbs", "weight"]
    boxes = table[0]["bbs"]
    assert boxes.bounding_boxes.tolist() == [[24, 12, 40, 36], [0, 0, 32, 24]]
    assert boxes.labels.tolist() == [7, 0]
    assert (boxes.image_width, boxes.image_height) == (WIDTH, HEIGHT)
    assert table[0]["image"].size == (WIDTH, HEIGHT)
    assert table.get_simple_value_map("bbs.instances_additional_data.label") == CLASSES


def test_every_image_is_a_row_also_one_without_labels(data):
    data.add("b", "")
    data.add("c", "\n  \n")
    data.image("deep/er/d.JPEG", image_bytes("JPEG"))
    data.image("a.png")
    table = Table.from_yolo_url(data.images, CLASSES)
    names = [os.path.basename(row["image"]) for row in table.table_rows]
    assert names == ["a.png", "b.png", "c.png", "d.JPEG"]
    assert all(row["bbs"].num_instances == 0 for row in table)


@pytest.mark.parametrize(
    ("categories", "names"),
    [
        (["a", "b"], {0: "a", 1: "b"}),
        ({1.0: "A", 0: "B"}, {1: "A", 0: "B"}),
        ({0: MapElement("x"), 1: MapElement("y")}, {0: "x", 1: "y"}),
        (None, {0: "0", 1: "1"}),
    ],
)
def test_categories_in_any_form(data, categories, names):
    data.add("one", "1 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5")
    table = Table.from_yolo_url(data.images, categories)
    assert table.get_simple_value_map("bbs.instances_additional_data.label") == names
    assert table[0]["bbs"].labels.tolist() == [1, 0]


def test_polygons_keep_their_vertices(data):
    data.add("one", "1 0.125 0.25 0.5 0.25 0.5 0.75\n0 0 0 1 0 1 1 0 1")
    table = Table.from_yolo_url(data.images, CLASSES, task="segment")
    found = table[0]["segmentations"]
    assert found.polygons == [[8, 12, 32, 12, 32, 36], [0, 0, 64, 0, 64, 48, 0, 48]]
    assert found.labels.tolist() == [1, 0]
    from tlc.data_types import SegmentationMasks

    masks = SegmentationMasks.from_row(table.table_rows[0]["segmentations"]).masks
    assert masks.shape == (HEIGHT, WIDTH, 2)
    assert masks[..., 1].all()


def test_poses_with_visibilities(data):
    data.add("one", "0 0.5 0.5 0.5 0.5 0.5 0.5 2 0.25 0.25 1 0 0 0")
    table = Table.from_yolo_url(data.images, CLASSES, task="pose", flip_indices=[1, 0, 2])
    found = table[0]["keypoints_2d"]
    assert found.keypoints.tolist() == [[[32, 24], [16, 12], [0, 0]]]
    assert found.keypoint_visibilities.tolist() == [[2, 1, 0]]
    assert found.bounding_boxes.tolist() == [[16, 12, 48, 36]]
    from tlc.helpers import KeypointHelper

    assert list(KeypointHelper.get_flip_indices_from_table(table)) == [1, 0, 2]


def test_poses_without_visibilities(data):
    data.add("one", "0 0.5 0.5 0.5 0.5 0.5 0.5 0.25 0.25")
    found = Table.from_yolo_url(data.images, CLASSES, task="pose")[0]["keypoints_2d"]
    assert found.keypoints.tolist() == [[[32, 24], [16, 12]]]
    assert found.keypoint_visibilities is None


@pytest.mark.parametrize(
    ("numbers", "arguments", "shape"),
    [
        (".1 .1 .1 .1 .1 .1", {}, (3, 2)),
        (".1 .1 1 .1 .1 2", {}, (2, 3)),
        (".1 .1 1 .1 .1 1", {"num_keypoints": 3}, (3, 2)),
        (".1 .1 1 .1 .1 1", {"values_per_keypoint": 2}, (3, 2)),
        (".1 .1 1 .1 .1 1", {"num_keypoints": 2}, (2, 3)),
    ],
)
def test_the_points_of_a_pose_are_found_out(data, numbers, arguments, shape):
    data.add("one", f"0 .5 .5 .2 .2 {numbers}")
    table = Table.from_yolo_url(data.images, CLASSES, task="pose", **arguments)
    found = table[0]["keypoints_2d"]
    assert found.keypoints.shape == (1, shape[0], 2)
    assert (found.keypoint_visibilities is not None) == (shape[1] == 3)


def test_points_of_a_pose_that_nobody_can_know(data):
    data.add("one", "")
    with pytest.raises(OptionError, match="num_keypoints"):
        Table.from_yolo_url(data.images, CLASSES, task="pose")
    table = Table.from_yolo_url(data.images, CLASSES, task="pose", num_keypoints=4)
    assert table[0]["keypoints_2d"].keypoints.shape == (0, 4, 2)
    with pytest.raises(OptionError, match="0 points"):
        Table.from_yolo_url(data.images, CLASSES, task="pose", num_keypoints=0)


def test_four_corners_become_a_turned_rectangle(data):
    # A square of 16 pixels, standing on a corner in the middle of the image.
    half = 16 / math.sqrt(2)
    corners = [(32, 24 - half), (32 + half, 24), (32, 24 + half), (32 - half, 24)]
    text = " ".join(f"{x / WIDTH:.9f} {y / HEIGHT:.9f}" for x, y in corners)
    data.add("one", f"1 {text}")
    found = Table.from_yolo_url(data.images, CLASSES, task="obb")[0]["obbs"]
    np.testing.assert_allclose(found.obbs, [[32, 24, 16, 16, math.pi / 4]], atol=1e-4)


@given(
    centre=st.tuples(st.floats(0, 1000), st.floats(0, 1000)),
    size=st.tuples(st.floats(1, 500), st.floats(1, 500)),
    angle=st.floats(-10, 10),
    first=st.integers(0, 3),
    turned=st.booleans(),
)
def test_a_rectangle_is_found_from_any_of_its_corners(centre, size, angle, first, turned):
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    corners = (signs * size) @ rotation.T + centre
    corners = np.roll(corners[::-1] if turned else corners, first, axis=0)
    x, y, width, height, rotation_found = least_rectangles(corners[None])[0]
    assert 0 <= rotation_found < np.float32(math.pi / 2)
    np.testing.assert_allclose([x, y], centre, atol=1e-6)
    np.testing.assert_allclose(sorted([width, height]), sorted(size), atol=1e-3)
    axes = np.array([math.cos(rotation_found), math.sin(rotation_found)])
    sides = np.diff(corners[:2], axis=0)[0]
    assert min(abs(axes @ sides), abs(np.cross([*axes, 0], [*sides, 0])[2])) < 1e-2


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=4, max_size=4))
def test_no_rectangle_around_four_points_is_smaller(points):
    corners = np.array(points)[None]
    x, y, width, height, angle = least_rectangles(corners)[0]
    axes = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    inside = np.abs((corners[0] - [x, y]) @ axes.T) <= np.array([width, height]) / 2 + 1e-6
    assert inside.all() or not (corners[0] != corners[0, 0]).any()
    for other in np.linspace(0, math.pi / 2, 60):
        turned = corners[0] @ np.array(
            [[math.cos(other), -math.sin(other)], [math.sin(other), math.cos(other)]]
        )
        assert width * height <= np.prod(np.ptp(turned, axis=0)) + 1e-6


fractions = st.integers(0, 10**6).map(lambda n: n / 10**6)
rows = st.lists(
    st.tuples(st.sampled_from(sorted(CLASSES)), st.lists(fractions, min_size=4, max_size=4)),
    max_size=6,
)


@settings(max_examples=15)
@given(labels=st.lists(rows, min_size=1, max_size=4))
def test_boxes_are_those_of_a_plain_reader(labels, tmp_path_factory):
    data = YoloFolder(tmp_path_factory.mktemp("yolo"))
    wanted = []
    for number, lines in enumerate(labels):
        kept = []
        text = ""
        for label, (x, y, w, h) in lines:
            w, h = max(w, 1e-3), max(h, 1e-3)
            text += f"{label} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n"
            corners = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
            kept.append((label, np.clip(corners, 0, 1) * [WIDTH, HEIGHT, WIDTH, HEIGHT]))
        data.add(f"{number:03d}", text)
        wanted.append(kept)
    root = data.root / "projects"
    table = Table.from_yolo_url(data.images, CLASSES, root_url=root)
    for sample, kept in zip(table, wanted, strict=True):
        assert sample["bbs"].labels is None or sample["bbs"].labels.tolist() == [n for n, _ in kept]
        boxes = np.array([box for _, box in kept]).reshape(-1, 4)
        np.testing.assert_allclose(sample["bbs"].bounding_boxes, boxes, atol=1e-4)


@settings(max_examples=15)
@given(
    st.lists(
        st.lists(st.tuples(fractions, fractions), min_size=3, max_size=9), min_size=1, max_size=4
    )
)
def test_vertices_are_those_of_a_plain_reader(tmp_path_factory, polygons):
    data = YoloFolder(tmp_path_factory.mktemp("yolo"))
    lines = [" ".join(f"{x:.6f} {y:.6f}" for x, y in polygon) for polygon in polygons]
    data.add("one", "".join(f"0 {line}\n" for line in lines))
    root = data.root / "projects"
    table = Table.from_yolo_url(data.images, CLASSES, task="segment", root_url=root)
    wanted = [
        (np.array(polygon) * SIZE).astype(np.float32).reshape(-1).tolist() for polygon in polygons
    ]
    assert table[0]["segmentations"].polygons == wanted


# Where images and labels are


def test_the_last_folder_named_images_is_replaced(tmp_path):
    folder = tmp_path / "images" / "set" / "Images" / "x"
    labels = tmp_path / "images" / "set" / "labels" / "x"
    for path in (folder, labels):
        path.mkdir(parents=True)
    (folder / "a.png").write_bytes(image_bytes())
    (labels / "a.txt").write_text("0 .5 .5 .5 .5")
    assert Table.from_yolo_url(folder, CLASSES)[0]["bbs"].num_instances == 1


@pytest.mark.parametrize(("images", "labels"), [("IMAGES", "LABELS"), ("Images", "Labels")])
def test_labels_may_be_written_as_images_are(tmp_path, images, labels):
    (tmp_path / images).mkdir()
    (tmp_path / labels).mkdir()
    (tmp_path / images / "a.png").write_bytes(image_bytes())
    (tmp_path / labels / "a.txt").write_text("0 .5 .5 .5 .5")
    assert Table.from_yolo_url(tmp_path / images, CLASSES)[0]["bbs"].num_instances == 1


def test_without_a_folder_named_images_labels_are_beside_them(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.b.png").write_bytes(image_bytes())
    (tmp_path / "x" / "a.b.txt").write_text("0 .5 .5 .5 .5")
    assert Table.from_yolo_url(tmp_path / "x", CLASSES)[0]["bbs"].num_instances == 1


def test_a_text_file_lists_images(data, monkeypatch, tmp_path):
    for stem in ("a", "b", "c", "d"):
        data.add(stem, "0 .5 .5 .5 .5")
    lines = [
        "./images/train/d.png",
        "",
        str(data.images / "train" / "a.png"),
        " images/train/b.png ",
        "images\\train\\c.png",
    ]
    (data.root / "train.txt").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    table = Table.from_yolo_url(data.root / "train.txt", CLASSES)
    names = [os.path.basename(row["image"]) for row in table.table_rows]
    assert names == ["d.png", "a.png", "b.png", "c.png"]
    assert table.import_report.counts == {"PATH_MATCHED": 1}
    (example,) = table.import_report.examples["PATH_MATCHED"]
    assert (example.record, example.value) == ("line 5", "images\\train\\c.png")


@pytest.mark.parametrize(
    "line",
    [
        "C:\\data\\set\\images\\train\\a b.png",
        "/elsewhere/set/images/train/a b.png",
        "images/train/a%20b.png",
    ],
)
def test_paths_of_another_machine_are_found_by_their_end(data, line):
    data.add("a b", "0 .5 .5 .5 .5")
    (data.root / "train.txt").write_text(line)
    table = Table.from_yolo_url(data.root / "train.txt", CLASSES)
    assert table.table_rows[0]["image"] == str(data.images / "train" / "a b.png")
    assert table.import_report.counts == {"PATH_MATCHED": 1}


def test_a_name_with_an_accent_is_found_in_either_form(data):
    name = unicodedata.normalize("NFD", "é.png")
    data.image(name)
    (data.root / "train.txt").write_text(f"images/train/{unicodedata.normalize('NFC', name)}\n")
    table = Table.from_yolo_url(data.root / "train.txt", CLASSES)
    assert table.table_rows[0]["image"].endswith(name)


def test_several_places_in_one_list(data):
    data.add("a", "0 .5 .5 .5 .5")
    data.add("x/b", "0 .5 .5 .5 .5")
    (data.root / "list.txt").write_text("images/train/a.png\n")
    places = [data.images / "train" / "x", str(data.root / "list.txt")]
    table = Table.from_yolo_url(places, CLASSES)
    assert [os.path.basename(row["image"]) for row in table.table_rows] == ["b.png", "a.png"]


def test_links_to_folders_are_followed_and_circles_end(data, tmp_path):
    data.image("a.png")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.png").write_bytes(image_bytes())
    (elsewhere / "back").symlink_to(elsewhere)
    (elsewhere / "home").symlink_to(data.root)
    (data.images / "train" / "linked").symlink_to(elsewhere)
    (data.images / "again").symlink_to(elsewhere)
    (data.images / "train" / "up").symlink_to(data.images)
    (data.images / "nowhere").symlink_to(tmp_path / "nowhere")
    table = Table.from_yolo_url(data.images, CLASSES)
    names = [os.path.relpath(row["image"], data.images) for row in table.table_rows]
    assert names == ["again/b.png", "train/a.png"]


def test_a_place_without_images(data, tmp_path):
    with pytest.raises(UrlNotFoundError, match="no folder or file"):
        Table.from_yolo_url(tmp_path / "nowhere", CLASSES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UrlNotFoundError, match="no image in"):
        Table.from_yolo_url(tmp_path / "empty", CLASSES)


def test_paths_below_an_alias_keep_it(data):
    data.add("one", "0 .5 .5 .5 .5")
    register_url_alias("YOLO", str(data.root))
    try:
        table = Table.from_yolo_url("<YOLO>/images", CLASSES)
        assert table.table_rows[0]["image"] == "<YOLO>/images/train/one.png"
    finally:
        unregister_url_alias("YOLO")


# Sizes


def test_labels_are_about_the_image_as_it_is_shown(data):
    data.image("a.jpg", image_bytes("JPEG", (60, 40), orientation=6))
    data.label("a.txt", "0 .5 .5 1 1")
    row = Table.from_yolo_url(data.images, CLASSES)[0]
    assert row["bbs"].bounding_boxes.tolist() == [[0, 0, 40, 60]]
    assert row["image"].size == (40, 60)


def test_the_content_of_an_image_decides_not_its_name(data):
    data.image("a.jpg", image_bytes("PNG", (10, 20)))
    data.image("b.png", image_bytes("WEBP", (30, 20)))
    rows = Table.from_yolo_url(data.images, CLASSES).table_rows
    assert [(r["bbs"]["x_max"], r["bbs"]["y_max"]) for r in rows] == [(10, 20), (30, 20)]


# Doing it again


@pytest.mark.parametrize("task", ["detect", "segment", "pose", "obb"])
def test_the_same_input_gives_the_same_columns_and_is_not_changed(data, task):
    line = {
        "detect": "0 .5 .5 .5 .5",
        "segment": "0 .1 .1 .5 .1 .5 .5",
        "pose": "0 .5 .5 .5 .5 .2 .2 2",
        "obb": "0 .1 .1 .5 .1 .5 .5 .1 .5",
    }[task]
    for number in range(5):
        data.add(f"{number}", f"{line}\n" * number)
    before = tree_digest(data.root)
    tables = [
        Table.from_yolo_url(data.images, CLASSES, task=task, table_name=name) for name in "ab"
    ]
    assert column_bytes(tables[0]) == column_bytes(tables[1])
    assert tree_digest(data.root) == before


def test_reuse_notices_other_labels_and_other_classes(data, recwarn):
    label = data.add("one", "0 .5 .5 .5 .5")
    first = Table.from_yolo_url(data.images, CLASSES, table_name="t")
    assert Table.from_yolo_url(data.images, CLASSES, table_name="t") == first
    assert not recwarn.list
    with pytest.warns(UserWarning, match="other data"):
        Table.from_yolo_url(data.images, {**CLASSES, 9: "z"}, table_name="t")
    label.write_text("0 .5 .5 .5 .4")
    with pytest.warns(UserWarning, match="other data"):
        Table.from_yolo_url(data.images, CLASSES, table_name="t")


def test_a_task_that_there_is_not(data):
    data.image("a.png")
    with pytest.raises(OptionError, match=r"'classify'.*'detect'"):
        Table.from_yolo_url(data.images, CLASSES, task="classify")
