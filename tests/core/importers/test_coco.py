"""`Table.from_coco`: what of a file is where in the table."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.common.trees import tree_digest
from tests.core.importers.coco_cases import good, write
from tests.core.importers.labelled import column_bytes, image_bytes

from tlc.cli.showing import show_object
from tlc.errors import OptionError, ReuseWarning, UrlNotFoundError
from tlc.importers import coco, coco_file, coco_tables, json_stream, spill
from tlc.table import Table


@pytest.fixture
def made(tmp_path):
    """Make a table of a file with its images."""

    def make(content=None, **arguments):
        file, images = write(tmp_path, good() if content is None else content)
        return Table.from_coco(file, images, **arguments)

    return make


def test_a_row_for_each_image_in_the_order_of_the_file(made, tmp_path):
    table = made()
    assert [row["image"] for row in table] == [
        str(tmp_path / "images" / name) for name in ("b.png", "sub/a b.png", "c.png")
    ]
    assert table.table_rows[1]["image_id"] == 10
    assert set(table[0]) == {"image", "bbs"}  # all else of images is hidden from samples
    assert table.table_rows[2]["license"] == 1
    assert table.table_rows[2]["weight"] == 1.0


def test_boxes_are_corners_and_category_ids_stay(made):
    table = made()
    boxes = table[1]["bbs"]
    assert boxes.bounding_boxes.tolist() == [[1.5, 2, 11.5, 22]]
    assert boxes.labels.tolist() == [90]
    assert (boxes.x_max, boxes.y_max) == (64, 48)
    assert table[2]["bbs"].num_instances == 0
    classes = table.get_value_map("bbs.instances_additional_data.label")
    assert {key: (c.internal_name, c.description) for key, c in classes.items()} == {
        90: ("cat", "animal"),
        1: ("dog", "animal"),
    }


def test_what_else_is_known_of_annotations_and_of_the_file_is_kept(made):
    table = made()
    more = table.table_rows[1]["bbs"]["instances_additional_data"]
    assert more["annotation_id"] == [7]
    assert more["area"] == [150.25]
    assert more["iscrowd"] == [False]
    assert [json.loads(text) for text in more["attributes"]] == [{"occluded": True}]
    assert table.rows_schema["image_id"].metadata["coco"] == {
        name: good()[name] for name in ("info", "licenses")
    }


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([True, None], [True, None]),
        (["a", "é"], ["a", "é"]),
        ([1, "a"], ["1", '"a"']),
        ([2**70, 1], [f"{2**70}", "1"]),
        ([None, None], [None, None]),
    ],
)
def test_further_members_get_the_type_that_they_have_in_common(made, values, stored):
    content = good()
    for annotation, value in zip(content["annotations"], values, strict=True):
        annotation["image_id"], annotation["quality/%"] = 10, value
    more = made(content).table_rows[1]["bbs"]["instances_additional_data"]
    assert more["quality/%"] == stored


def test_a_member_with_the_name_of_something_else_gets_another(made):
    content = good()
    content["annotations"][0]["label"] = "tabby"
    content["images"][0]["weight"] = 3
    table = made(content)
    assert table.table_rows[1]["bbs"]["instances_additional_data"]["coco_label"] == ["tabby"]
    assert [row["coco_weight"] for row in table.table_rows] == [3, None, None]
    assert table.rows_schema["coco_weight"].metadata == {"coco_member": "weight"}


def test_scores_are_confidences(made):
    content = good()
    for annotation in content["annotations"]:
        annotation["score"] = 0.5
    assert made(content)[1]["bbs"].confidences.tolist() == [0.5]


@pytest.mark.parametrize("form", ["polygons", "masks"])
def test_segment(made, form):
    table = made(task="segment", segmentation_format=form)
    polygon = [1.5, 2, 11.5, 2, 11.5, 22, 1.5, 22]
    assert table.rows_schema["segmentations"].sample_type == f"segmentation_{form}"
    row = table.table_rows[1]["segmentations"]
    assert row["polygons"] == [[polygon]]
    assert row["instance_properties"]["label"] == [90]
    assert table.table_rows[0]["segmentations"]["polygons"] == [[]]
    sample = table[1]["segmentations"]
    if form == "polygons":
        assert sample.polygons == [polygon]
    else:
        assert sample.masks.shape == (48, 64, 1)
        assert table[0]["segmentations"].masks.all()


def test_pose(made):
    table = made(task="pose")
    points = table[1]["keypoints_2d"]
    assert points.keypoints.tolist() == [[[1.5, 2], [5, 6], [0, 0]]]
    assert points.keypoint_visibilities.tolist() == [[2, 1, 0]]
    assert points.bounding_boxes.tolist() == [[1.5, 2, 11.5, 22]]
    metadata = table.rows_schema["keypoints_2d"].metadata
    assert metadata["point_attributes"] == ["nose", "left", "right"]
    assert metadata["lines"] == [0, 1, 1, 2]
    assert table[0]["keypoints_2d"].keypoint_visibilities.tolist() == [[0, 0, 0]]


def test_pose_as_the_caller_says(made):
    table = made(
        task="pose", point_attributes=["a", "b", "c"], lines=[0, 2], flip_indices=[0, 2, 1]
    )
    metadata = table.rows_schema["keypoints_2d"].metadata
    assert metadata["point_attributes"] == ["a", "b", "c"]
    assert metadata["lines"] == [0, 2]
    assert metadata["flip_indices"] == [0, 2, 1]


def test_annotations_without_keypoints_and_boxes(made):
    content = good()
    for name in ("keypoints", "bbox"):
        del content["annotations"][0][name]
    points = made(content, task="pose")[1]["keypoints_2d"]
    assert points.keypoint_visibilities.tolist() == [[0, 0, 0]]


def test_crowds(made):
    kept = made(table_name="kept")
    assert kept.table_rows[0]["bbs"]["instances_additional_data"]["iscrowd"] == [True]
    without = made(include_iscrowd=False, keep_crowd_annotations=False, table_name="without")
    assert without[0]["bbs"].num_instances == 0
    assert "iscrowd" not in without.rows_schema["bbs"]["instances_additional_data"]


def test_boxes_a_little_outside_are_cut_and_those_further_outside_are_told(made):
    content = good()
    content["annotations"][0]["bbox"] = [-0.5, 2, 10, 20]
    content["annotations"][1]["bbox"] = [10, 0, 64, 48]
    table = made(content)
    assert table[1]["bbs"].bounding_boxes.tolist() == [[0, 2, 9.5, 22]]
    assert table[0]["bbs"].bounding_boxes.tolist() == [[10, 0, 74, 48]]
    report = table.import_report
    assert report is not None
    assert (report.clipped, report.skipped, report.rows) == (1, 0, 3)
    assert report.counts == {"BOX_OUTSIDE": 1}
    assert report.examples["BOX_OUTSIDE"][0].record == "annotations[1] (id 3)"


def test_missing_sizes_are_read_from_the_images(made):
    content = good()
    for image in content["images"]:
        del image["width"]
    assert made(content)[1]["bbs"].x_max == 64


def test_the_folder_of_the_file_is_that_of_the_images_unless_told(tmp_path):
    file, images = write(tmp_path, good())
    moved = file.rename(images / "annotations.json")
    assert Table.from_coco(moved, None)[0]["image"] == str(images / "b.png")


def test_images_elsewhere_are_not_looked_for(tmp_path):
    content = good()
    for image in content["images"]:
        image["file_name"] = "https://example.com/" + image["file_name"]
    file, _ = write(tmp_path, content, names=["x.png"])
    table = Table.from_coco(file, tmp_path / "images")
    assert table[0]["image"] == "https://example.com/b.png"


def test_names_that_lead_out_of_the_folder(tmp_path):
    content = good()
    for image in content["images"]:
        image["file_name"] = "../images/./" + image["file_name"]
    file, images = write(tmp_path, content, names=["b.png", "sub/a b.png", "c.png"])
    table = Table.from_coco(file, images)
    assert table[0]["image"] == str(images / "b.png")
    report = table.import_report
    assert report is not None
    assert report.counts == {}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("sub\\a b.png", "sub/a b.png"),
        ("C:\\data\\sub\\a b.png", "sub/a b.png"),
        ("/elsewhere/data/sub/a b.png", "sub/a b.png"),
        ("sub/a%20b.png", "sub/a b.png"),
        ("d/e\u0301.png", "d/\u00e9.png"),
    ],
)
def test_names_from_other_machines(tmp_path, name, file):
    content = good()
    content["images"] = [{**content["images"][1], "file_name": name}]
    content["annotations"] = content["annotations"][:1]
    path, images = write(tmp_path, content, names=[file])
    table = Table.from_coco(path, images)
    assert table[0]["image"] == str(images / file)
    report = table.import_report
    assert report is not None
    assert report.counts == {"PATH_MATCHED": 1}


def test_images_that_the_file_does_not_list_are_told(tmp_path):
    file, images = write(tmp_path, good())
    (images / "more.JPG").write_bytes(image_bytes())
    report = Table.from_coco(file, images).import_report
    assert report is not None
    assert report.counts == {"IMG_UNLISTED": 1}
    assert report.examples["IMG_UNLISTED"][0].file == str(images / "more.JPG")


def test_importing_twice_gives_the_same_and_changes_no_file(tmp_path):
    file, images = write(tmp_path, good())
    before = tree_digest(images), tree_digest(file)
    first, second = (
        Table.from_coco(file, images, task="segment", if_exists="rename") for _ in range(2)
    )
    assert first.url != second.url
    assert column_bytes(first) == column_bytes(second)
    assert (tree_digest(images), tree_digest(file)) == before


def test_a_table_is_reused_while_its_file_is_the_same(tmp_path):
    file, images = write(tmp_path, good())
    first = Table.from_coco(file, images, table_name="t")
    assert Table.from_coco(file, images, table_name="t").id == first.id
    with pytest.warns(ReuseWarning):
        Table.from_coco(file, images, table_name="t", task="segment")
    write(tmp_path, {**good(), "info": {}})
    with pytest.warns(ReuseWarning):
        Table.from_coco(file, images, table_name="t")


def test_lists_in_another_order_and_bytes_around_them(tmp_path):
    file, images = write(tmp_path, good())
    expected = column_bytes(Table.from_coco(file, images, table_name="expected"))
    turned = json.dumps(dict(reversed(good().items())), indent=2).replace("\n", "\r\n")
    file.write_bytes(b"\xef\xbb\xbf" + turned.encode() + b"\r\n\r\n")
    assert column_bytes(Table.from_coco(file, images, table_name="turned")) == expected


@pytest.mark.parametrize("task", ["detect", "segment", "pose"])
def test_files_larger_than_memory_should_hold(tmp_path, monkeypatch, task):
    content = good()
    content["annotations"] = [
        {**content["annotations"][number % 2], "id": number, "image_id": 10 * (number * 7 % 3 + 1)}
        for number in range(400)
    ]
    file, images = write(tmp_path, content)
    whole = Table.from_coco(file, images, task=task, table_name="whole")
    for module, name, value in (
        (json_stream, "PIECE", 1000),
        (coco, "IN_MEMORY", 5000),
        (spill, "LATER", 2000),
        (coco_tables, "_WHOLE", 10_000),
        (coco_tables, "_PART", 10_000),
        (coco_tables, "_WAITING", 20_000),
    ):
        monkeypatch.setattr(module, name, value)
    parts = Table.from_coco(file, images, task=task, table_name="parts")
    assert list(parts.table_rows) == list(whole.table_rows)


def test_images_larger_than_memory_should_hold(tmp_path, monkeypatch):
    content = good()
    content["images"] = [
        {
            "id": number % 250,
            "file_name": f"{number}.png",
            "width": 64,
            "height": 48,
            **({"note": f"of {number}"} if number % 3 else {}),
        }
        for number in range(300)
    ]
    content["annotations"] = [
        {**content["annotations"][0], "id": number, "image_id": number * 7 % 250}
        for number in range(400)
    ]
    for module, name, value in (
        (json_stream, "PIECE", 1000),
        (coco_file, "MOST_WAITING", 1000),
        (spill, "LATER", 500),
        (coco_tables, "_WHOLE", 5000),
        (coco_tables, "_PART", 5000),
    ):
        monkeypatch.setattr(module, name, value)
    file, images = write(tmp_path, content)
    table = Table.from_coco(file, images, on_error="skip")
    assert table.import_report.counts["DUP_ID"] == 50
    for number, row in enumerate(table.table_rows):
        assert (row["image_id"], row["image"]) == (number, str(images / f"{number}.png"))
        assert row["note"] == (f"of {number}" if number % 3 else None)
        ids = row["bbs"]["instances_additional_data"]["annotation_id"]
        assert ids == [n for n in range(400) if n * 7 % 250 == number]


def test_a_file_without_images_or_annotations(made):
    content = {**good(), "images": [], "annotations": []}
    empty = made(content, table_name="empty")
    assert len(empty) == 0
    assert empty.columns == ["image", "image_id", "bbs", "weight"]
    del content["annotations"]
    assert len(made({**content, "images": good()["images"]}, table_name="none")) == 3


def test_category_ids_of_any_size_take_no_memory(made):
    content = good()
    content["categories"][0]["id"] = content["annotations"][0]["category_id"] = 74_673_216
    assert made(content)[1]["bbs"].labels.tolist() == [74_673_216]


@pytest.mark.parametrize(
    "arguments",
    [
        {"task": "stuff"},
        {"segmentation_format": "rle"},
        {"on_error": "ignore"},
        {"encoding": "utf-61"},
        {"encoding": "hex"},
    ],
)
def test_words_that_are_none(made, arguments):
    with pytest.raises(OptionError, match=r"it is (one of|.raise.|a name such as)"):
        made(**arguments)


def test_no_file(tmp_path):
    with pytest.raises(UrlNotFoundError):
        Table.from_coco(tmp_path / "none.json", tmp_path)


def test_show_tells_what_was_found(made):
    content = good()
    content["annotations"][0]["bbox"] = [1, 2, -1, 0]
    table = made(content, on_error="skip")
    shown = show_object(table.url)
    assert "  1 records left out" in shown
    assert "  BOX_RANGE: 1, such as" in shown
    assert any("annotations[0] (id 7)" in line for line in shown)


def test_boxes_that_look_like_corners(made):
    content = good()
    boxes = [[5 * n, 4 * n, 5 * n + 15, 4 * n + 12] for n in range(10)]
    content["annotations"] = [
        {**content["annotations"][0], "id": n, "bbox": box} for n, box in enumerate(boxes)
    ]
    assert made(content).import_report.counts["BOX_FORMAT"] > 0


def test_masks_are_those_of_the_polygons(made):
    sample = made(task="segment", segmentation_format="masks")[1]["segmentations"]
    assert np.flatnonzero(sample.masks[..., 0].any(axis=1)).tolist() == list(range(2, 22))
