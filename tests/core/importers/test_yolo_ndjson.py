"""YOLO data sets in one NDJSON file."""

from __future__ import annotations

import json

import pytest
from tests.common.trees import tree_digest
from tests.core.importers.labelled import HEIGHT, WIDTH, column_bytes, image_bytes

from tlc.errors import AnnotationFileError, OptionError
from tlc.table import Table

HEAD = {"type": "dataset", "task": "detect", "class_names": {"0": "a", "1": "b"}}
BOX = [1, 0.5, 0.5, 0.5, 0.5]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "data"
    made.mkdir()
    for name in ("a.png", "b.png"):
        (made / name).write_bytes(image_bytes())
    return made


def image(file="a.png", **more):
    return {
        "type": "image",
        "file": file,
        "width": WIDTH,
        "height": HEIGHT,
        "split": "train",
        **more,
    }


def write(folder, *records, head=HEAD, end="\n"):
    lines = [each if isinstance(each, str) else json.dumps(each) for each in (head, *records)]
    path = folder / "data.ndjson"
    path.write_bytes(("\n".join(lines) + end).encode("utf-8", "surrogatepass"))
    return path


@pytest.mark.parametrize(
    ("task", "member", "numbers", "column", "attribute", "wanted"),
    [
        ("detect", "boxes", BOX, "bbs", "bounding_boxes", [[16, 12, 48, 36]]),
        (
            *("segment", "segments", [1, 0.5, 0.5, 1, 0.5, 1, 1], "segmentations", "polygons"),
            [[32, 24, 64, 24, 64, 48]],
        ),
        (
            *("pose", "pose", [*BOX, 0.5, 0.5, 2, 0.25, 0.25, 0], "keypoints_2d", "keypoints"),
            [[[32, 24], [16, 12]]],
        ),
        ("obb", "obb", [1, 0, 0, 1, 0, 1, 1, 0, 1], "obbs", "obbs", [[32, 24, 64, 48, 0]]),
    ],
)
def test_the_task_is_that_of_the_file(folder, task, member, numbers, column, attribute, wanted):
    record = image(annotations={member: [numbers]})
    file = write(folder, record, image("b.png"), head={**HEAD, "task": task})
    table = Table.from_yolo_ndjson(file, folder)
    found = getattr(table[0][column], attribute)
    assert (found if isinstance(found, list) else found.tolist()) == wanted
    assert table[0][column].labels.tolist() == [1]
    assert table[1][column].num_instances == 0


def test_images_of_other_splits_are_left_out(folder):
    file = write(folder, image(split="val"), image("b.png", split="train"))
    assert len(Table.from_yolo_ndjson(file, folder, "val")) == 1
    assert len(Table.from_yolo_ndjson(file, folder, table_name="all")) == 2
    with pytest.raises(OptionError, match=r"'test'.*'train', 'val'"):
        Table.from_yolo_ndjson(file, folder, "test")


def test_where_images_are(folder):
    (folder / "val").mkdir()
    (folder / "val" / "c.png").write_bytes(image_bytes())
    remote = image("d.png", url="https://127.0.0.1/d.png")
    file = write(folder, image("c.png", split="val"), image("a.png"))
    rows = Table.from_yolo_ndjson(file, folder).table_rows
    assert [row["image"] for row in rows] == [str(folder / "val/c.png"), str(folder / "a.png")]
    file = write(folder, image("a.png"), remote)
    rows = Table.from_yolo_ndjson(file, table_name="other").table_rows
    assert [row["image"] for row in rows] == [str(folder / "a.png"), "https://127.0.0.1/d.png"]


def test_a_size_that_is_not_told_is_that_of_the_image(folder):
    record = image(annotations={"boxes": [BOX]})
    del record["width"], record["height"]
    table = Table.from_yolo_ndjson(write(folder, record), folder)
    assert table[0]["bbs"].bounding_boxes.tolist() == [[16, 12, 48, 36]]


def test_a_byte_order_mark_empty_lines_and_windows(folder):
    file = write(folder, "", image(annotations={"boxes": [BOX]}), "")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert Table.from_yolo_ndjson(file, folder)[0]["bbs"].num_instances == 1


NO_SIZE = {"width": None, "height": None}

# A record that is wrong, and the rule that it breaks.
RECORDS = [
    ('{"type": "image", "file": "a.png"', "JSON_SYNTAX"),
    ("[1, 2]", "JSON_TYPE"),
    ('{"file": 5}', "JSON_TYPE"),
    ('{"file": "\\ud800.png"}', "JSON_SYNTAX"),
    ('{"file": "a.png", "width": "64"}', "JSON_TYPE"),
    ('{"file": "a.png", "annotations": {"boxes": [[0, NaN, 0.5, 0.5, 0.5]]}}', "JSON_SYNTAX"),
    ('{"file": "a.png", "annotations": {"boxes": [[0, 1e999, 0.5, 0.5, 0.5]]}}', "JSON_TYPE"),
    ('{"file": "a.png", "annotations": {"boxes": [["0", 0.5, 0.5, 0.5, 0.5]]}}', "JSON_TYPE"),
    ('{"file": "a.png", "annotations": {"boxes": [0, 0.5, 0.5, 0.5, 0.5]}}', "JSON_TYPE"),
    ('{"a":' * 5000, "JSON_SYNTAX"),
    (image("gone.png"), "IMG_MISSING"),
    (image(""), "IMG_MISSING"),
    (image("a\0.png"), "IMG_MISSING"),
    (image("b.png"), "DUP_ID"),
    (image(width=0), "IMG_SIZE"),
    (image(height=-5), "IMG_SIZE"),
    (image(width=1 << 40), "IMG_SIZE"),
    (image("data.ndjson", **NO_SIZE), "IMG_UNREADABLE"),
    (image(annotations={"boxes": [[1, 0.5, 0.5, 0.5]]}), "LABEL_FORMAT"),
    (image(annotations={"boxes": [[]]}), "LABEL_FORMAT"),
    (image(annotations={"segments": [[1, 0, 0, 1, 0, 1, 1]]}), "LABEL_FORMAT"),
    (image(annotations={"boxes": [[5, 0.5, 0.5, 0.5, 0.5]]}), "DANGLING_REF"),
    (image(annotations={"boxes": [[1, 0.5, 0.5, 0, 0.5]]}), "BOX_RANGE"),
    (image(annotations={"boxes": [[1, 32, 24, 10, 10]]}), "BOX_RANGE"),
]


@pytest.mark.parametrize(("record", "code"), RECORDS)
def test_a_record_that_is_wrong(folder, record, code):
    file = write(folder, image("b.png"), record)
    before = tree_digest(folder)
    with pytest.raises(AnnotationFileError, match=code) as caught:
        Table.from_yolo_ndjson(file, folder)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(file), "line 3")
    report = Table.from_yolo_ndjson(file, folder, on_error="skip").import_report
    assert (report.skipped, report.counts) == (1, {code: 1})
    assert tree_digest(folder) == before


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"[]", b"{", b'{"type": "image"}', b"\xff\xfe{\0", b'{"class_names": 5}'],
)
def test_a_file_that_is_no_data_set(folder, content):
    file = folder / "data.ndjson"
    file.write_bytes(content)
    with pytest.raises(AnnotationFileError, match=r"data\.ndjson"):
        Table.from_yolo_ndjson(file)


def test_a_task_that_there_is_not(folder):
    file = write(folder, image(), head={**HEAD, "task": "classify"})
    with pytest.raises(AnnotationFileError, match=r"NDJSON_DATASET.*'classify'"):
        Table.from_yolo_ndjson(file, folder)
    with pytest.raises(OptionError, match="classify"):
        Table.from_yolo_ndjson(file, folder, task="classify")


def test_the_same_file_gives_the_same_columns(folder):
    records = [image(annotations={"boxes": [BOX] * 3}), image("b.png")]
    file = write(folder, *records)
    tables = [Table.from_yolo_ndjson(file, folder, table_name=name) for name in "ab"]
    assert column_bytes(tables[0]) == column_bytes(tables[1])
