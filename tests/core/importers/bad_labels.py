"""Bad input of the formats of annotations: COCO, YOLO in its three forms, Pascal VOC."""

# ruff: noqa: RUF005 - a record of two lines, which else had as many as it has members

from __future__ import annotations

import json
from pathlib import Path

from tests.core.importers.bad_input import (
    BOX,
    FINE,
    KEPT,
    LEFT_OUT,
    NOTED,
    REFUSED,
    coco,
    first,
    fixtures,
    repeated,
    voc,
    voc_object,
    voc_text,
    yolo,
    yolo_ndjson,
    yolo_yaml,
)
from tests.core.importers.labelled import image_bytes

IMAGE_2, ANNOTATION_0 = "images[2] (id 20)", "annotations[0] (id 7)"
RLE = {"size": [48, 64], "counts": [0, 3072]}
POINTS = {"size": [48, 64], "counts": "0PP3"}
NAN, BROKEN_EXIF = float("nan"), b"Exif\0\0MM\0*\xff\xff\xff\xff"


def exif(orientation):
    """Return a JPEG that is stored turned: shown as high as others are wide."""
    return image_bytes("JPEG", orientation=orientation)


def with_broken_exif():
    """Return a JPEG whose EXIF data cannot be read."""
    data = image_bytes("JPEG")
    marker = b"\xff\xe1" + (len(BROKEN_EXIF) + 2).to_bytes(2, "big") + BROKEN_EXIF
    return data[:2] + marker + data[2:]


def encoded(encoding):
    """Return what writes a file in some encoding."""
    return lambda content: json.dumps(content).encode(encoding)


def sparse_ids(content):
    """Give a category a huge id, and leave gaps."""
    content["categories"][0]["id"] = 74_673_216
    content["annotations"][0]["category_id"] = 74_673_216


COCO = fixtures(
    *("coco", "annotations.json"),
    (1, "missing", coco(first("file_name", "none.png", "images", 2)), "IMG_MISSING")
    + (IMAGE_2, KEPT, 3),
    (2, "unlisted", coco(files={"images/d.png": None}), "IMG_UNLISTED")
    + ("", NOTED, 3, "images/d.png"),
    (3, "annotation id", coco(repeated("annotations", image_id=20)), "DUP_ID")
    + ("annotations[2] (id 7)", KEPT, 3),
    (4, "huge category id", coco(sparse_ids), "", "", FINE, 3),
    (4, "70 bits", coco(first("id", 1 << 70)), "BAD_RECORD", "annotations[0]", LEFT_OUT, 3),
    (5, "image", coco(first("image_id", 11)), "DANGLING_REF", ANNOTATION_0, LEFT_OUT, 3),
    (5, "category", coco(first("category_id", 2)), "DANGLING_REF", ANNOTATION_0, LEFT_OUT, 3),
    (6, "NaN", coco(first("bbox", [NAN, 2, 3, 4])), "BOX_RANGE", ANNOTATION_0, LEFT_OUT, 3),
    (6, "negative", coco(first("bbox", [1, 2, 3, -4])), "BOX_RANGE", ANNOTATION_0, LEFT_OUT, 3),
    (6, "outside", coco(first("bbox", [64, 2, 3, 4])), "BOX_RANGE", ANNOTATION_0, LEFT_OUT, 3),
    (6, "slightly outside", coco(first("bbox", [-0.5, 2, 3, 4])), "", "", FINE, 3),
    (8, "an annotation", coco(repeated("annotations", id=99)), "DUP_ROW", "annotations[2] (id 99)")
    + (NOTED, 3),
    (9, "empty", coco(first("segmentation", []), "segment"), "NO_MASK", ANNOTATION_0, NOTED, 3),
    (9, "four numbers", coco(first("segmentation", [[1, 2, 3, 4]]), "segment"), "NO_MASK")
    + (ANNOTATION_0, NOTED, 3),
    (10, "RLE, no crowd", coco(first("segmentation", RLE), "segment"), "", "", FINE, 3),
    (10, "compressed, no crowd", coco(first("segmentation", POINTS), "segment"), "", "", FINE, 3),
    (10, "polygon, crowd", coco(first("iscrowd", 1), "segment"), "", "", FINE, 3),
    (
        *(10, "too few pixels"),
        coco(first("segmentation", {"size": [48, 64], "counts": [1, 2]}), "segment"),
        *("RLE_SIZE", ANNOTATION_0, LEFT_OUT, 3),
    ),
    (
        *(11, "of the mask"),
        coco(first("segmentation", {"size": [64, 48], "counts": [0, 3072]}), "segment"),
        *("SIZE_MISMATCH", ANNOTATION_0, LEFT_OUT, 3),
    ),
    (16, "BOM", coco(text=encoded("utf-8-sig")), "", "", FINE, 3),
    (16, "UTF-16", coco(text=encoded("utf-16")), "ENCODING", "byte 0", REFUSED, 0),
    (17, "accents", coco(first("name", "\u732b \u00e9", "categories")), "", "", FINE, 3),
    (18, "backslashes", coco(first("file_name", "sub\\a b.png", "images", 1)), "PATH_MATCHED")
    + ("images[1] (id 10)", NOTED, 3),
    (18, "of a drive", coco(first("file_name", "C:\\x\\c.png", "images", 2)), "PATH_MATCHED")
    + (IMAGE_2, NOTED, 3),
    (18, "URL-encoded", coco(first("file_name", "sub/a%20b.png", "images", 1)), "PATH_MATCHED")
    + ("images[1] (id 10)", NOTED, 3),
    (25, "an id as text", coco(first("image_id", "10")), "BAD_RECORD", "annotations[0]")
    + (LEFT_OUT, 3),
)

TWICE = "1 .5 .5 .5 .5\n1 .5 .5 .5 .5\n"
LINE = "1 .5 .5 .5 .5\n{}\n0 .1 .1 .1 .1\n"
OTHER_CAPITALS = {"X/IMAGES/c.png": None, "X/Labels/c.txt": "9 9", "X/LABELS/c.txt": "9 .5 .5 1 1"}
YOLO = fixtures(
    *("yolo", "labels/train/a.txt"),
    (1, "missing", yolo(files={"l.txt": "images/train/a.png\nx/y.png\n"}, place="l.txt"))
    + ("IMG_MISSING", "line 2", LEFT_OUT, 1, "l.txt"),
    (2, "labels only", yolo(files={"labels/train/c.txt": "no"}), "IMG_UNLISTED", "", NOTED, 2)
    + ("labels/train/c.txt",),
    (2, "no labels", yolo(""), "", "", FINE, 2),
    (3, "listed twice", yolo(files={"l.txt": "images/train/a.png\n" * 2}, place="l.txt"))
    + ("DUP_ID", "line 2", LEFT_OUT, 1, "l.txt"),
    (
        4,
        "huge id",
        yolo(LINE.format("74673216 .5 .5 .5 .5")),
        "DANGLING_REF",
        "line 2",
        LEFT_OUT,
        2,
    ),
    (5, "class", yolo(LINE.format("3 .5 .5 .5 .5")), "DANGLING_REF", "line 2", LEFT_OUT, 2),
    (6, "negative", yolo(LINE.format("1 .5 .5 -.1 .5")), "BOX_RANGE", "line 2", LEFT_OUT, 2),
    (6, "NaN", yolo(LINE.format("1 .5 .5 nan .5")), "LABEL_FORMAT", "line 2", LEFT_OUT, 2),
    (6, "outside", yolo(LINE.format("1 1.5 .5 .1 .1")), "BOX_RANGE", "line 2", LEFT_OUT, 2),
    (7, "slightly above 1", yolo(LINE.format("1 .5 .5 1.0009 .5")), "", "", FINE, 2),
    (7, "above 1", yolo(LINE.format("1 .5 .5 1.2 .5")), "BOX_RANGE", "line 2", LEFT_OUT, 2),
    (7, "pixels", yolo(LINE.format("1 32 24 10 10")), "BOX_RANGE", "line 2", LEFT_OUT, 2),
    (7, "corners in pixels", yolo("1 10 10 20 10 20 20 10 20", "obb"), "BOX_RANGE", "line 1")
    + (LEFT_OUT, 2),
    (8, "a line", yolo(TWICE), "DUP_ROW", "line 2", NOTED, 2),
    (9, "two vertices", yolo("1 .1 .1 .5 .1", "segment"), "LABEL_FORMAT", "line 1", LEFT_OUT, 2),
    (12, "turned", yolo(files={"images/train/b.jpg": exif(6)}), "", "", FINE, 3),
    (13, "broken EXIF", yolo(files={"images/train/c.jpg": with_broken_exif()}), "", "", FINE, 3),
    (14, "cut off", yolo(files={"images/train/c.png": image_bytes()[:20]}), "IMG_UNREADABLE", "")
    + (LEFT_OUT, 2, "images/train/c.png"),
    (15, "wrong", yolo(files={"images/train/c.JPG": None}), "", "", FINE, 3),
    (16, "BOM, CRLF", yolo(b"\xef\xbb\xbf1 .5 .5 .5 .5\r\n"), "", "", FINE, 2),
    (16, "UTF-16", yolo("1 .5 .5 .5 .5\n".encode("utf-16")), "ENCODING", "", LEFT_OUT, 2),
    (16, "UTF-16 list", yolo(files={"l.txt": "a.png".encode("utf-16")}, place="l.txt"), "ENCODING")
    + ("byte 0", REFUSED, 0, "l.txt"),
    (17, "accents", yolo(files={"images/train/\u732b \u00e9.png": None}), "", "", FINE, 3),
    (17, "no text", yolo(files={"images/train/\udcff.png": None}), "NAME_NOT_TEXT", "", LEFT_OUT, 2)
    + ("images/train/\\xff.png",),
    (18, "of a drive", yolo(files={"l.txt": "C:\\d\\images\\train\\a.png\n"}, place="l.txt"))
    + ("PATH_MATCHED", "line 1", NOTED, 1, "l.txt"),
    (19, "a loop", yolo(files={"images/train/up": Path("../../images")}), "", "", FINE, 2),
    (22, "decimal commas", yolo(LINE.format("1 0,5 0,5 0,5 0,5")), "LABEL_FORMAT", "line 2")
    + (LEFT_OUT, 2),
    (26, "twice", yolo(files={"images/x/images/c.png": None, "labels/x/images/c.txt": "9 9"}))
    + ("", "", FINE, 3),
    (26, "capitals", yolo(files=OTHER_CAPITALS, place="X"), "DANGLING_REF", "line 1", LEFT_OUT, 1)
    + ("X/LABELS/c.txt",),
)

YAML = fixtures(
    *("yolo yaml", "data.yaml"),
    (3, "a key", yolo_yaml("train: images\ntrain: x\nnames: [a, b]\n"), "DUP_ID", "line 2")
    + (REFUSED, 0),
    (3, "a class", yolo_yaml("train: images\nnames: {0: a, 0.0: b}\n"), "DUP_ID", "names[0.0]")
    + (REFUSED, 0),
    (4, "gaps", yolo_yaml("train: images\nnames: {1: a, 90000: b}\n"), "", "", FINE, 2),
    (5, "class", yolo_yaml("train: images\nnames: [a]\n"), "DANGLING_REF", "line 1", LEFT_OUT, 2)
    + ("labels/train/a.txt",),
    (16, "UTF-16", yolo_yaml("names: [a]".encode("utf-16")), "ENCODING", "byte 0", REFUSED, 0),
    (16, "cp1252", yolo_yaml("train: x\nnames: [\u00e9]".encode("cp1252")), "ENCODING")
    + ("line 2, byte 17", REFUSED, 0),
    (16, "BOM, CRLF", yolo_yaml("\ufefftrain: images\r\nnames: [a, b]\r\n"), "", "", FINE, 2),
    (18, "backslashes", yolo_yaml("train: images\\train\nnames: [a, b]\n"), "", "", FINE, 2),
    (24, "python", yolo_yaml("names: !!python/object/apply:os.system [id]"), "YAML_TAG", "line 1")
    + (REFUSED, 0),
    (24, "aliases", yolo_yaml(f"a: &a [x]\nb: [{', '.join(['*a'] * 101)}]\n"), "YAML_ALIASES")
    + ("line 2", REFUSED, 0),
    (24, "deep", yolo_yaml("a: " + "[" * 60 + "]" * 60), "YAML_DEPTH", "line 1", REFUSED, 0),
    (24, "merge", yolo_yaml("x: &x {0: a}\nnames: {<<: *x}\n"), "YAML_MERGE", "line 2", REFUSED, 0),
    (24, "syntax", yolo_yaml("names: [a\ntrain: x\n"), "YAML", "line 2", REFUSED, 0),
    (24, "names", yolo_yaml("train: images\nnames: {a: b}\n"), "YAML_VALUE", "names", REFUSED, 0),
    (24, "relative", yolo_yaml("path: ../source\ntrain: images\nnames: [a, b]\n"), "", "", FINE, 2),
)

HUGE = {"annotations": {"boxes": [[74673216, 0.5, 0.5, 0.5, 0.5]]}}
YOLO_NDJSON = fixtures(
    *("yolo ndjson", "data.ndjson"),
    (1, "missing", yolo_ndjson({"file": "x.png"}), "IMG_MISSING", "line 3", LEFT_OUT, 1),
    (3, "image", yolo_ndjson({"file": "a.png"}), "DUP_ID", "line 3", LEFT_OUT, 1),
    (4, "huge id", yolo_ndjson(HUGE), "DANGLING_REF", "line 3", LEFT_OUT, 2),
    (6, "no width", yolo_ndjson({"annotations": {"boxes": [[1, 0.5, 0.5, 0, 0.5]]}}), "BOX_RANGE")
    + ("line 3", LEFT_OUT, 2),
    (7, "pixels", yolo_ndjson({"annotations": {"boxes": [[1, 32, 24, 9, 9]]}}), "BOX_RANGE")
    + ("line 3", LEFT_OUT, 2),
    (8, "a box", yolo_ndjson({"annotations": {"boxes": [[1, 0.5, 0.5, 1, 1]] * 2}}), "DUP_ROW")
    + ("line 3", NOTED, 2),
    (11, "no size", yolo_ndjson({"width": 0}), "IMG_SIZE", "line 3", LEFT_OUT, 1),
    (14, "no image", yolo_ndjson({"file": "data.ndjson", "width": None}), "IMG_UNREADABLE")
    + ("line 3", LEFT_OUT, 1),
    (16, "UTF-16", yolo_ndjson({}, encode="utf-16"), "ENCODING", "byte 0", REFUSED, 0),
    (16, "BOM", yolo_ndjson({}, encode="utf-8-sig"), "", "", FINE, 2),
    (18, "backslashes", yolo_ndjson({"file": "x\\c.png"}, files={"x/c.png": None}), "", "")
    + (FINE, 2),
    (23, "cut off", yolo_ndjson('{"file": "b', end=""), "NDJSON_TRUNCATED", "line 3, byte 137")
    + (LEFT_OUT, 1),
    (23, "blank lines", yolo_ndjson({}, end="\n\n \n"), "", "", FINE, 2),
    (23, "no data set", yolo_ndjson({}, head="{}"), "NDJSON_DATASET", "", REFUSED, 0),
    (25, "NaN", yolo_ndjson('{"annotations": {"boxes": [[0, NaN]]}}'), "JSON_SYNTAX", "line 3")
    + (LEFT_OUT, 1),
    (25, "1e999", yolo_ndjson('{"annotations": {"boxes": [[0, 1e999]]}}'), "JSON_TYPE", "line 3")
    + (LEFT_OUT, 1),
    (25, "surrogate", yolo_ndjson('{"file": "\\ud800"}'), "JSON_SYNTAX", "line 3", LEFT_OUT, 1),
    (25, "numbers as texts", yolo_ndjson({"width": "64"}), "JSON_TYPE", "line 3", LEFT_OUT, 1),
)


def corners(*numbers):
    """Return a box of VOC."""
    names = ("xmin", "ymin", "xmax", "ymax")
    return "".join(f"<{n}>{value}</{n}>" for n, value in zip(names, numbers, strict=True))


def voc_box(*numbers):
    """Return an annotation with a good box, and another in line 5."""
    return voc(voc_text(voc_object(), voc_object(corners(*numbers))))


ACCENTS = {"Annotations/\u732b.xml": voc_text(name="\u00e9.png"), "JPEGImages/\u00e9.png": None}
VOC = fixtures(
    *("voc", "Annotations/a.xml"),
    (1, "missing", voc(voc_text(name="a.png"), files={"Annotations/b.xml": voc_text(name="b.png")}))
    + ("IMG_MISSING", "", LEFT_OUT, 1, "Annotations/b.xml"),
    (2, "unlisted", voc(voc_text(), files={"JPEGImages/b.png": None}), "IMG_UNLISTED", "", NOTED, 1)
    + ("JPEGImages/b.png",),
    (3, "image", voc(voc_text(), files={"Annotations/b.xml": voc_text()}), "DUP_ID", "", LEFT_OUT)
    + (1, "Annotations/b.xml"),
    (5, "class", voc(voc_text(voc_object(name="cow"))), "DANGLING_REF", "line 4", LEFT_OUT, 1),
    (6, "outside", voc_box(70, 6, 80, 30), "BOX_RANGE", "line 5", LEFT_OUT, 1),
    (6, "NaN", voc_box("nan", 6, 32, 30), "BOX_RANGE", "line 5", LEFT_OUT, 1),
    (6, "reaches out", voc_box(-20, 6, 32, 30), "BOX_OUTSIDE", "line 5", NOTED, 1),
    (6, "slightly outside", voc_box(-0.5, 6, 32, 30), "", "", FINE, 1),
    (8, "an object", voc_box(8, 6, 32, 30), "DUP_ROW", "line 5", NOTED, 1),
    (11, "other", voc(voc_text(size="<width>9</width><height>9</height>")), "SIZE_MISMATCH", "")
    + (NOTED, 1),
    (12, "turned", voc(voc_text(), files={"JPEGImages/a.png": exif(6)}), "SIZE_MISMATCH", "")
    + (NOTED, 1),
    (14, "no image", voc(voc_text(), files={"JPEGImages/a.png": b"no"}), "IMG_UNREADABLE", "")
    + (LEFT_OUT, 0),
    (16, "UTF-16 cut off", voc(voc_text().encode("utf-16")[:50]), "XML", "line 2", LEFT_OUT, 0),
    (17, "accents", voc(voc_text(), files=ACCENTS), "", "", FINE, 2),
    (18, "of a drive", voc(voc_text(name="C:\\x\\a.png")), "PATH_MATCHED", "", NOTED, 1),
    (19, "a loop", voc(voc_text(), files={"Annotations/x/up": Path("..")}), "", "", FINE, 1),
    (21, "scientific", voc_box("1e0", "2.5", "3.3E1", "40"), "", "", FINE, 1),
    (21, "swapped", voc_box(32, 6, 8, 30), "BOX_RANGE", "line 5", LEFT_OUT, 1),
    (21, "no corner", voc(voc_text(voc_object(BOX[14:]))), "LABEL_FORMAT", "line 4", LEFT_OUT, 1),
    (21, "no size", voc(voc_text(size="")), "", "", FINE, 1),
    (21, "DTD", voc(f"<!DOCTYPE a [<!ENTITY x 'y'>]>{voc_text()}"), "XML_DTD", "line 1")
    + (LEFT_OUT, 0),
    (21, "cut off", voc(voc_text()[:-5]), "XML", "line 4", LEFT_OUT, 0),
)
LABELS = [*COCO, *YOLO, *YAML, *YOLO_NDJSON, *VOC]
