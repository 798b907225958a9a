"""YOLO labels and images that are wrong: each with the rule that it breaks, and where."""

from __future__ import annotations

import os

import pytest
from tests.common.trees import tree_digest
from tests.core.importers.labelled import HEIGHT, YoloFolder, image_bytes

from tlc.errors import AnnotationFileError, OptionError
from tlc.table import Table

CLASSES = ["a", "b", "c"]
GOOD = {
    "detect": "1 .5 .5 .5 .5",
    "segment": "1 .1 .1 .5 .1 .5 .5",
    "pose": "1 .5 .5 .5 .5 .2 .2 2 .3 .3 0",
    "obb": "1 .1 .1 .5 .1 .5 .5 .1 .5",
}
COLUMNS = {"detect": "bbs", "segment": "segmentations", "pose": "keypoints_2d", "obb": "obbs"}

# Task, a line that is wrong, and the rule that it breaks. The image has 64 x 48 pixels.
LINES = [
    ("detect", "1 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "1 .5 .5 .5 .5 .9", "LABEL_FORMAT"),
    ("detect", "1", "LABEL_FORMAT"),
    ("detect", "a .5 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "1 .5 .5 .5 .5x", "LABEL_FORMAT"),
    ("detect", "1 0,5 0,5 0,5 0,5", "LABEL_FORMAT"),
    ("detect", "1,.5,.5,.5,.5", "LABEL_FORMAT"),
    ("detect", "1_0 .5 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "1 .5 .5 .5 nan", "LABEL_FORMAT"),
    ("detect", "1 inf .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "1 1e999 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "nan .5 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "# a comment", "LABEL_FORMAT"),
    ("detect", b"\xff .5 .5 .5 .5", "LABEL_FORMAT"),
    ("detect", "3 .5 .5 .5 .5", "DANGLING_REF"),
    ("detect", "-1 .5 .5 .5 .5", "DANGLING_REF"),
    ("detect", "1.5 .5 .5 .5 .5", "DANGLING_REF"),
    ("detect", "74673216 .5 .5 .5 .5", "DANGLING_REF"),
    ("detect", "1e300 .5 .5 .5 .5", "DANGLING_REF"),
    ("detect", "1 .5 .5 0 .5", "BOX_RANGE"),
    ("detect", "1 .5 .5 -.1 .5", "BOX_RANGE"),
    ("detect", "1 .5 .5 .5 -0.0", "BOX_RANGE"),
    ("detect", "1 1.5 .5 .1 .1", "BOX_RANGE"),
    ("detect", "1 -.2 .5 .1 .1", "BOX_RANGE"),
    ("detect", "1 .5 .5 1.1 .5", "BOX_RANGE"),
    ("detect", "1 32 24 10 10", "BOX_RANGE"),
    ("detect", "1 1e300 -1e300 1e300 1e300", "BOX_RANGE"),
    ("detect", GOOD["segment"], "LABEL_FORMAT"),
    ("detect", GOOD["obb"], "LABEL_FORMAT"),
    ("segment", GOOD["detect"], "LABEL_FORMAT"),
    ("segment", "1 .1 .1 .5 .1 .5", "LABEL_FORMAT"),
    ("segment", "1 .1 .1 .5 .1", "LABEL_FORMAT"),
    ("segment", "1", "LABEL_FORMAT"),
    ("segment", "1 .1 .1 .5 .1 .5 1.5", "POLYGON_RANGE"),
    ("segment", "1 .1 -.1 .5 .1 .5 .5", "POLYGON_RANGE"),
    ("segment", "1 10 10 20 10 20 20", "POLYGON_RANGE"),
    ("segment", "9 .1 .1 .5 .1 .5 .5", "DANGLING_REF"),
    ("pose", GOOD["detect"], "LABEL_FORMAT"),
    ("pose", "1 .5 .5 .5 .5 .2 .2 2 .3 .3", "LABEL_FORMAT"),
    ("pose", "1 .5 .5 .5 .5 .2 .2 3 .3 .3 0", "KEYPOINT_VISIBILITY"),
    ("pose", "1 .5 .5 .5 .5 .2 .2 .5 .3 .3 0", "KEYPOINT_VISIBILITY"),
    ("pose", "1 .5 .5 .5 .5 .2 .2 -1 .3 .3 0", "KEYPOINT_VISIBILITY"),
    ("pose", "1 .5 .5 .5 .5 .2 1.2 1 .3 .3 0", "KEYPOINT_RANGE"),
    ("pose", "1 .5 .5 .5 .5 -.2 .2 2 .3 .3 0", "KEYPOINT_RANGE"),
    ("pose", "1 .5 .5 .5 .5 .2 .2 2 1e30 .3 0", "KEYPOINT_RANGE"),
    ("pose", "1 .5 .5 0 .5 .2 .2 2 .3 .3 0", "BOX_RANGE"),
    ("pose", "1 1.5 .5 .1 .5 .2 .2 2 .3 .3 0", "BOX_RANGE"),
    ("obb", GOOD["detect"], "LABEL_FORMAT"),
    ("obb", "1 .1 .1 .5 .1 .5 .5 .1", "LABEL_FORMAT"),
    ("obb", "1 .1 .1 .1 .1 .1 .1 .1 .1", "BOX_RANGE"),
    ("obb", "1 .1 .1 .2 .2 .3 .3 .4 .4", "BOX_RANGE"),
    ("obb", "1 1.1 .1 1.5 .1 1.5 .5 1.1 .5", "BOX_RANGE"),
    ("obb", "1 10 10 20 10 20 20 10 20", "BOX_RANGE"),
    ("obb", "1 .9 .1 .9 .2 1.9 .1 .9 .3", "BOX_RANGE"),
    ("obb", "8 .1 .1 .5 .1 .5 .5 .1 .5", "DANGLING_REF"),
]

# Content of the image's file, and the rule that it breaks.
IMAGES = [
    (b"", "IMG_UNREADABLE"),
    (b"no image", "IMG_UNREADABLE"),
    (image_bytes()[:20], "IMG_UNREADABLE"),
    (image_bytes("JPEG")[:12], "IMG_UNREADABLE"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "IMG_UNREADABLE"),
    (b"\xff\xd8\xff" + b"\xff" * 10_000, "IMG_UNREADABLE"),
    (image_bytes()[:16] + b"\xff" * 8 + image_bytes()[24:], "IMG_UNREADABLE"),
]

# Content of a label file that is no text, and the rule that it breaks.
FILES = [
    ("1 .5 .5 .5 .5\n".encode("utf-16"), "ENCODING"),
    ("1 .5 .5 .5 .5\n".encode("utf-16-be"), "ENCODING"),
    (b"1 .5 .5 .5 .5\0\n", "ENCODING"),
    (image_bytes(), "ENCODING"),
]


@pytest.fixture
def data(tmp_path):
    return YoloFolder(tmp_path / "data")


def imported(data, task="detect", on_error="raise", **more):
    number = {"num_keypoints": 2} if task == "pose" else {}
    return Table.from_yolo_url(data.images, CLASSES, task=task, on_error=on_error, **number, **more)


def the_problem(caught):
    (problem,) = caught.value.problems
    return problem.code, problem.file, problem.record


@pytest.mark.parametrize(("task", "line", "code"), LINES)
def test_a_line_that_is_wrong(data, task, line, code):
    good = GOOD[task].encode()
    line = line if isinstance(line, bytes) else line.encode()
    label = data.add("a", b"\xef\xbb\xbf" + good + b"\r\n\r\n" + line + b"\r\n")
    data.add("b", good)
    before = tree_digest(data.root)
    with pytest.raises(AnnotationFileError, match=code) as caught:
        imported(data, task)
    assert the_problem(caught) == (code, str(label), "line 3")
    assert str(label) in str(caught.value)

    table = imported(data, task, on_error="skip")
    report = table.import_report
    assert (report.rows, report.skipped, report.counts) == (2, 1, {code: 1})
    assert [row[COLUMNS[task]].num_instances for row in table] == [1, 1]
    assert tree_digest(data.root) == before


@pytest.mark.parametrize(("content", "code"), IMAGES)
def test_an_image_that_cannot_be_read(data, content, code):
    image = data.image("a.png", content)
    data.add("b", GOOD["detect"])
    with pytest.raises(AnnotationFileError, match=code) as caught:
        imported(data)
    assert the_problem(caught) == (code, str(image), "")
    table = imported(data, on_error="skip")
    assert [os.path.basename(row["image"]) for row in table.table_rows] == ["b.png"]
    assert table.import_report.counts == {code: 1}


@pytest.mark.parametrize(("content", "code"), FILES)
def test_a_label_file_that_is_no_text(data, content, code):
    label = data.add("a", content)
    with pytest.raises(AnnotationFileError, match=code) as caught:
        imported(data)
    assert the_problem(caught) == (code, str(label), "")
    assert imported(data, on_error="skip")[0]["bbs"].num_instances == 0


def test_a_label_file_that_is_a_folder(data):
    data.image("a.png")
    label = data.root / "labels" / "train" / "a.txt"
    label.mkdir(parents=True)
    with pytest.raises(AnnotationFileError) as caught:
        imported(data)
    assert the_problem(caught) == ("LABEL_UNREADABLE", str(label), "")


def test_what_is_no_file_is_not_waited_for(data):
    data.add("a", GOOD["detect"])
    label = data.label("b.txt", "")
    label.unlink()
    os.mkfifo(label)
    data.image("b.png")
    listed = data.root / "list.txt"
    listed.write_text("images/train/a.png\nimages/train/b.png\n/dev/zero\n")
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_yolo_url(listed, CLASSES)
    found = [(problem.code, problem.file) for problem in caught.value.problems]
    assert found == [("LABEL_UNREADABLE", str(label)), ("IMG_UNREADABLE", str(listed))]


def test_what_has_a_meaning_is_kept_and_noted(data):
    data.add("a", "1 .5 .5 .5 .5\n0 .2 .2 .1 .1\n1  .5 .5 .5 .5\n")
    data.image("b.png")
    data.image("b.jpg", image_bytes("JPEG"))
    data.label("b.txt", GOOD["detect"])
    data.label("nobody.txt", "not even looked at")
    data.label("classes.txt", "a\nb\nc\n")
    table = imported(data)
    assert [row["bbs"].num_instances for row in table] == [3, 1, 1]
    report = table.import_report
    assert report.counts == {"DUP_ROW": 1, "IMG_UNLISTED": 1, "LABEL_SHARED": 1}
    assert report.skipped == 0
    assert report.examples["DUP_ROW"][0].record == "line 3"
    assert report.examples["IMG_UNLISTED"][0].file.endswith("nobody.txt")


@pytest.mark.parametrize(
    ("line", "box", "clipped"),
    [
        ("1 .5 .5 1.0009 1.0009", [0, 0, 64, 48], 1),
        ("1 1.01 .5 .5 .5", [48.64, 12, 64, 36], 1),  # less than a pixel
        ("1 .9 .5 .4 .5", [44.8, 12, 64, 36], 1),
        ("1 .5 .5 1.0000001 1", [0, 0, 64, 48], 0),
        ("1 .9 .9 .2 .2", [51.2, 38.4, 64, 48], 0),
    ],
)
def test_what_is_slightly_outside_is_cut_and_counted(data, line, box, clipped):
    data.add("a", line)
    table = imported(data)
    assert table[0]["bbs"].bounding_boxes[0].tolist() == pytest.approx(box, abs=1e-4)
    assert (table.import_report.clipped, table.import_report.counts) == (clipped, {})


def test_vertices_and_points_slightly_outside_are_moved_to_the_border(data):
    data.add("a", "1 -.01 .1 .5 .1 .5 1.0005")
    table = imported(data, "segment")
    moved = table[0]["segmentations"].polygons[0]
    assert moved == pytest.approx([0, 4.8, 32, 4.8, 32, HEIGHT], abs=1e-4)
    assert table.import_report.clipped == 1
    data.add("a", "1 .5 .5 .5 .5 1.005 .2 2 -3 7 0")
    points = imported(data, "pose", table_name="pose")[0]["keypoints_2d"].keypoints
    assert points[0, 0].tolist() == pytest.approx([64, 9.6], abs=1e-4)
    assert points[0, 1].tolist() == pytest.approx([-192, 336])  # not labelled: kept as it is


def test_corners_of_turned_boxes_may_lie_outside(data):
    data.add("a", "1 -.2 .5 .1 .2 .4 .5 .1 .8")
    (box,) = imported(data, "obb")[0]["obbs"].obbs.tolist()
    assert box[0] == pytest.approx(0.1 * 64, abs=1)


def test_the_first_problems_are_told_and_all_are_counted(data):
    label = data.add("a", "1 .5 .5 .5\n" * 20 + "5 .5 .5 .5 .5\n")
    with pytest.raises(AnnotationFileError, match="21 records") as caught:
        imported(data)
    assert len(caught.value.problems) == 10
    assert "and 11 more" in str(caught.value)
    assert f"{label}: line 10" in str(caught.value)
    report = imported(data, on_error="skip").import_report
    assert report.counts == {"DANGLING_REF": 1, "DUP_ROW": 19, "LABEL_FORMAT": 20}
    assert len(report.examples["LABEL_FORMAT"]) == 10


def test_the_hint_names_the_task_of_the_lines(data):
    data.add("a", GOOD["obb"])
    with pytest.raises(AnnotationFileError, match=r"task='obb'"):
        imported(data)


def test_the_hint_says_that_values_look_like_pixels(data):
    data.add("a", "1 32 24 10 10")
    with pytest.raises(AnnotationFileError, match="look like pixels"):
        imported(data)


def test_on_error_is_one_of_two_words(data):
    data.image("a.png")
    with pytest.raises(OptionError, match="on_error"):
        imported(data, on_error="ignore")


def test_categories_with_ids_that_no_label_can_have(data):
    data.image("a.png")
    with pytest.raises(OptionError, match=r"1\.5"):
        Table.from_yolo_url(data.images, {1.5: "a"})
