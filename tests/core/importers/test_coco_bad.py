"""COCO files that are wrong: which rule each breaks, in which file and record, and what is left."""

from __future__ import annotations

import json

import pytest
from tests.common.trees import tree_digest
from tests.core.importers.coco_cases import good, write

from tlc.errors import AnnotationFileError
from tlc.table import Table

MANY = 250


def changed(path, value, task="detect"):
    """Return a change of one member of the good file; `path` leads to it."""

    def change(content):
        *parents, last = path
        target = content
        for each in parents:
            target = target[each]
        if value is ...:
            del target[last]
        else:
            target[last] = value

    change.task = task
    return change


def repeated(records, number=0, **other):
    """Return a change that adds a record like another to a list."""

    def change(content):
        content[records].append({**content[records][number], **other})

    change.task = "detect"
    return change


def first(member, value=..., task="detect"):
    return changed(["annotations", 0, member], value, task)


A0, A1 = "annotations[0] (id 7)", "annotations[1] (id 3)"
NAN, INFINITE = float("nan"), float("inf")

# What was changed, the rule it breaks, the record that is named, rows and instances that are left.
RECORDS = {
    "an image of no file": (
        changed(["images", 2, "file_name"], "none.png"),
        *("IMG_MISSING", "images[2] (id 20)", 3, 2),
    ),
    "an image without a name": (
        changed(["images", 2, "file_name"], ""),
        *("IMG_MISSING", "images[2] (id 20)", 3, 2),
    ),
    "the name of a folder": (
        changed(["images", 2, "file_name"], "sub"),
        *("IMG_MISSING", "images[2] (id 20)", 3, 2),
    ),
    "an image id twice": (
        repeated("images", file_name="b.png"),
        *("DUP_ID", "images[3] (id 30)", 3, 2),
    ),
    "a file name twice": (repeated("images", id=99), *("DUP_ID", "images[3] (id 99)", 4, 2)),
    "an annotation id twice": (
        repeated("annotations", image_id=20),
        *("DUP_ID", "annotations[2] (id 7)", 3, 3),
    ),
    "a category id twice": (
        repeated("categories", name="x"),
        *("DUP_ID", "categories[2] (id 90)", 3, 2),
    ),
    "a category id of 40 bits": (
        changed(["categories", 0, "id"], 1 << 40),
        *("ID_RANGE", f"categories[0] (id {1 << 40})", 3, 1),
    ),
    "an unknown image": (first("image_id", 11), *("DANGLING_REF", A0, 3, 1)),
    "an unknown category": (first("category_id", 2), *("DANGLING_REF", A0, 3, 1)),
    "no category": (first("category_id"), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "no image id": (first("image_id"), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "an image id as text": (first("image_id", "10"), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "an id of 70 bits": (first("id", 1 << 70), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "a crowd of two": (first("iscrowd", 2), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "an image without id": (changed(["images", 2, "id"], ...), *("BAD_RECORD", "images[2]", 2, 2)),
    "a name that is a number": (
        changed(["images", 2, "file_name"], 3),
        *("BAD_RECORD", "images[2]", 2, 2),
    ),
    "a category without name": (
        changed(["categories", 1, "name"], ...),
        *("BAD_RECORD", "categories[1]", 3, 1),
    ),
    "an annotation that is a number": (
        changed(["annotations", 0], 5),
        *("BAD_RECORD", "annotations[0]", 3, 0),
    ),
    "no box": (first("bbox"), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "a box of three numbers": (first("bbox", [1, 2, 3]), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "a box of texts": (first("bbox", ["1"] * 4), *("BAD_RECORD", "annotations[0]", 3, 1)),
    "a box with NaN": (first("bbox", [NAN, 2, 3, 4]), *("BOX_RANGE", A0, 3, 1)),
    "an endless box": (first("bbox", [1, 2, INFINITE, 4]), *("BOX_RANGE", A0, 3, 1)),
    "a line right of the image": (first("bbox", [64.1, 2, 0, 4]), *("BOX_RANGE", A0, 3, 1)),
    "a point above the image": (first("bbox", [1, -0.1, 0, 0]), *("BOX_RANGE", A0, 3, 1)),
    "a box of NaN and no height": (first("bbox", [1, NAN, 4, 0]), *("BOX_RANGE", A0, 3, 1)),
    "a box of negative height": (first("bbox", [1, 2, 3, -4]), *("BOX_RANGE", A0, 3, 1)),
    "a box right of the image": (first("bbox", [64, 2, 3, 4]), *("BOX_RANGE", A0, 3, 1)),
    "a box above the image": (first("bbox", [1, -9, 3, 4]), *("BOX_RANGE", A0, 3, 1)),
    "a box of huge numbers": (first("bbox", [1e300, 1, 1e300, 1]), *("BOX_RANGE", A0, 3, 1)),
    "a width of 0": (changed(["images", 2, "width"], 0), *("IMG_SIZE", "images[2] (id 20)", 3, 2)),
    "half a pixel": (
        changed(["images", 2, "height"], 1.5),
        *("IMG_SIZE", "images[2] (id 20)", 3, 2),
    ),
    "a width of NaN pixels": (
        changed(["images", 2, "width"], -NAN),
        *(None, "", 3, 2),  # it is read from the image
    ),
    "a polygon with NaN": (
        first("segmentation", [[1, 2, 3, NAN, 5, 6]], "segment"),
        *("POLYGON_RANGE", A0, 3, 1),
    ),
    "half a corner": (
        first("segmentation", [[1, 2, 3, 4, 5, 6, 7]], "segment"),
        *("POLYGON_RANGE", A0, 3, 1),
    ),
    "corners as pairs": (
        first("segmentation", [[[1, 2], [3, 4]]], "segment"),
        *("BAD_RECORD", "annotations[0]", 3, 1),
    ),
    "a flat polygon": (
        first("segmentation", [1, 2, 3, 4, 5, 6], "segment"),
        *("BAD_RECORD", "annotations[0]", 3, 1),
    ),
    "counts of too few pixels": (
        first("segmentation", {"size": [48, 64], "counts": [1, 2]}, "segment"),
        *("RLE_SIZE", A0, 3, 1),
    ),
    "negative counts": (
        first("segmentation", {"size": [48, 64], "counts": [-1, 3073]}, "segment"),
        *("RLE_SIZE", A0, 3, 1),
    ),
    "counts that are no counts": (
        first("segmentation", {"size": [48, 64], "counts": "\u00e9!"}, "segment"),
        *("RLE_SIZE", A0, 3, 1),
    ),
    "a mask of another size": (
        first("segmentation", {"size": [64, 48], "counts": [0, 3072]}, "segment"),
        *("SIZE_MISMATCH", A0, 3, 1),
    ),
    "a mask without size": (
        first("segmentation", {"counts": [0, 3072]}, "segment"),
        *("BAD_RECORD", "annotations[0]", 3, 1),
    ),
    "two keypoints of three": (
        first("keypoints", [1, 2, 2, 5, 6, 1], "pose"),
        *("KEYPOINT_COUNT", A0, 3, 1),
    ),
    "a visibility of 3": (
        first("keypoints", [1, 2, 3, 5, 6, 1, 0, 0, 0], "pose"),
        *("KEYPOINT_RANGE", A0, 3, 1),
    ),
    "a keypoint at NaN": (
        first("keypoints", [1, NAN, 2, 5, 6, 1, 0, 0, 0], "pose"),
        *("KEYPOINT_RANGE", A0, 3, 1),
    ),
    "a skeleton in a wrong box": (first("bbox", [1, 2, -3, 4], "pose"), *("BOX_RANGE", A0, 3, 1)),
}

# What breaks a rule, but has a meaning.
NOTES = {
    "a box without width": (first("bbox", [1, 2, 0, 4]), "BOX_EMPTY"),
    "a box without height": (first("bbox", [296.65 / 10, 38.833, 1.03, 0.0]), "BOX_EMPTY"),
    "a line at the border": (first("bbox", [0, 2, 0, 4]), "BOX_EMPTY"),
    "a point in the corner": (first("bbox", [64, 48, 0, 0]), "BOX_EMPTY"),
    "a skeleton in a line": (first("bbox", [1, 2, 0, 4], "pose"), "BOX_EMPTY"),
    "no segmentation": (first("segmentation", ..., "segment"), "NO_MASK"),
    "an empty segmentation": (first("segmentation", [], "segment"), "NO_MASK"),
    "a polygon of two corners": (first("segmentation", [[1, 2, 3, 4]], "segment"), "NO_MASK"),
    "null for a mask": (first("segmentation", None, "segment"), "NO_MASK"),
    "a long member": (changed(["history"], "x" * 100_000), "MEMBER_LEFT_OUT"),
}

TEXT = json.dumps(good())
FILES = {
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"images"',
    "half a file": TEXT[: len(TEXT) // 2],
    "all but the end": TEXT[:-1],
    "two objects": TEXT + TEXT,
    "an image": b"\x89PNG\r\n\x1a\n" + bytes(20),
    "no images": json.dumps({k: v for k, v in good().items() if k != "images"}),
    "no categories": json.dumps({k: v for k, v in good().items() if k != "categories"}),
    "images as an object": json.dumps({**good(), "images": {"1": good()["images"][0]}}),
    "annotations as null": json.dumps({**good(), "annotations": None}),
    "the images twice": TEXT[:-1] + ', "images": []}',
    "a missing comma": TEXT.replace('}, {"id": 10', '} {"id": 10'),
    "a comma too many": TEXT.replace("}]", "},]"),
    "single quotes": TEXT.replace('"', "'"),
    "a list that does not end": TEXT.replace("]", ""),
    "brackets without end": b'{"images": ' + b"[" * 100_000,
    "brackets of others": b'{"info": ' + b"{" * 100_000,
}

OTHERS = {
    "UTF-16": (TEXT.encode("utf-16"), "ENCODING", 'pass encoding="utf-16"'),
    "UTF-16 without mark": (TEXT.encode("utf-16-le"), "ENCODING", 'pass encoding="utf-16-le"'),
    "zeros": (bytes(1000), "ENCODING", "utf-16"),
    "gzip": (b"\x1f\x8b\x08\x00" + bytes(20), "NOT_TEXT", "unpack"),
    "a zip file": (b"PK\x03\x04" + bytes(20), "NOT_TEXT", "unpack"),
}


def instances(table, task):
    name = {"detect": "bbs", "segment": "segmentations", "pose": "keypoints_2d"}[task]
    part = "instance_properties" if task == "segment" else "instances_additional_data"
    return sum(len(row[name][part]["label"]) for row in table.table_rows)


def case(tmp_path, change):
    content = good()
    change(content)
    names = [image["file_name"] for image in good()["images"]]
    return write(tmp_path, content, names=names)


@pytest.mark.parametrize("name", RECORDS)
def test_a_wrong_record_is_named_and_can_be_left_out(tmp_path, name):
    change, code, record, rows, left = RECORDS[name]
    file, images = case(tmp_path, change)
    before = tree_digest(tmp_path / "images"), tree_digest(file)
    if code is not None:
        with pytest.raises(AnnotationFileError) as caught:
            Table.from_coco(file, images, task=change.task)
        problems = [each for each in caught.value.problems if each.code == code]
        assert [(each.file, each.record) for each in problems] == [(str(file), record)]
        assert record in str(caught.value)
    table = Table.from_coco(file, images, task=change.task, on_error="skip")
    assert len(table) == rows
    assert instances(table, change.task) == left
    [table[row] for row in range(rows)]
    if code is not None:
        assert code in table.import_report.counts
    assert (tree_digest(tmp_path / "images"), tree_digest(file)) == before


@pytest.mark.parametrize(
    "change",
    [
        first("image_id", "10"),
        first("category_id", "cat"),
        first("id", "7"),
        changed(["images", 0, "id"], "30"),
        changed(["categories", 0, "id"], "cat"),
    ],
)
def test_ids_that_are_texts_are_told_as_such(tmp_path, change):
    file, images = case(tmp_path, change)
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images)
    problem = caught.value.problems[0]
    assert problem.code == "BAD_RECORD"
    assert problem.message.partition(": ")[0].endswith("id")
    assert "got `str`" in problem.message
    assert "ids are whole numbers" in problem.hint


@pytest.mark.parametrize("name", NOTES)
def test_what_is_odd_is_counted_and_kept(tmp_path, name):
    change, code = NOTES[name]
    file, images = case(tmp_path, change)
    table = Table.from_coco(file, images, task=change.task)
    assert table.import_report.counts == {code: 1}
    assert table.import_report.skipped == 0
    assert instances(table, change.task) == 2
    [table[row] for row in range(len(table))]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_what_is_no_coco_file(tmp_path, name, on_error):
    file, images = write(tmp_path, FILES[name], names=["b.png"])
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images, on_error=on_error)
    assert [(each.code, each.file) for each in caught.value.problems] == [("BAD_FILE", str(file))]
    assert not list((tmp_path / "tlc").rglob("manifest.json"))


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_another_kind_are_told_by_their_start(tmp_path, name):
    content, code, hint = OTHERS[name]
    file, images = write(tmp_path, content, names=["b.png"])
    with pytest.raises(AnnotationFileError, match=hint) as caught:
        Table.from_coco(file, images)
    assert [(each.code, each.file) for each in caught.value.problems] == [(code, str(file))]


def test_bytes_that_are_no_text_are_named_with_their_record(tmp_path):
    text = TEXT.replace("c.png", "c\xe9.png").encode("cp1252")
    file, images = write(tmp_path, text, names=["b.png", "sub/a b.png"])
    with pytest.raises(AnnotationFileError, match='encoding="cp1252"') as caught:
        Table.from_coco(file, images)
    assert [(e.code, e.record) for e in caught.value.problems] == [("ENCODING", "images[2]")]
    assert len(Table.from_coco(file, images, on_error="skip")) == 2


def test_many_problems_are_counted_and_the_first_are_told(tmp_path):
    content = good()
    content["annotations"] = [
        {**content["annotations"][0], "id": number, "bbox": [1, 2, -1, 0]} for number in range(MANY)
    ]
    file, images = write(tmp_path, content)
    with pytest.raises(AnnotationFileError, match=f"{MANY} records cannot") as caught:
        Table.from_coco(file, images)
    assert len(caught.value.problems) == 10
    assert "and 240 more" in str(caught.value)
    report = Table.from_coco(file, images, on_error="skip").import_report
    assert report.counts == {"BOX_RANGE": MANY}
    assert report.skipped == MANY
    assert len(report.examples["BOX_RANGE"]) == 10


def test_problems_of_all_kinds_are_told_at_once(tmp_path):
    content = good()
    content["annotations"][0]["bbox"] = [1, 2, -1, 0]
    content["annotations"][1]["category_id"] = 5
    content["images"][2]["file_name"] = "none.png"
    file, images = write(tmp_path, content, names=["b.png", "sub/a b.png"])
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_coco(file, images)
    codes = {problem.code for problem in caught.value.problems}
    assert codes == {"IMG_MISSING", "BOX_RANGE", "DANGLING_REF"}
