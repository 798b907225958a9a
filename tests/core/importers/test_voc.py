"""Pascal VOC: folders of XML files."""

from __future__ import annotations

import os
from xml.sax.saxutils import escape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.common.trees import tree_digest
from tests.core.importers.labelled import HEIGHT, WIDTH, column_bytes, image_bytes

from tlc.errors import AnnotationFileError, UrlNotFoundError
from tlc.table import Table

BOX = "<xmin>8</xmin><ymin>6</ymin><xmax>32</xmax><ymax>30</ymax>"


def an_object(box=BOX, name="<name>dog</name>", more=""):
    return f"<object>{name}{more}<bndbox>{box}</bndbox></object>"


def document(*objects, name="a.png", size=(WIDTH, HEIGHT)):
    width, height = size
    lines = [
        "<annotation>",
        f"<filename>{name}</filename>",
        f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
        *objects,
        "</annotation>",
    ]
    return "\n".join(lines)


class VocFolder:
    def __init__(self, root):
        self.root = root
        self.annotations = root / "Annotations"
        self.images = root / "JPEGImages"
        self.annotations.mkdir(parents=True)
        self.images.mkdir()

    def add(self, stem, text, content=None):
        (self.images / f"{stem}.png").write_bytes(image_bytes() if content is None else content)
        return self.xml(stem, text)

    def xml(self, stem, text):
        path = self.annotations / f"{stem}.xml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path


@pytest.fixture
def data(tmp_path):
    return VocFolder(tmp_path / "voc")


def test_boxes_are_kept_as_they_are_written(data):
    data.add(
        "a",
        document(
            an_object(),
            an_object("<ymax>4.8e1</ymax><xmax>12.5</xmax><ymin>2</ymin><xmin>1</xmin>"),
        ),
    )
    data.add("b", document(an_object(name="<name>cat</name>"), name="b.png"))
    data.add("c", document(name="c.png"))
    table = Table.from_voc(data.annotations)
    assert table.columns == ["image", "bbs", "weight"]
    assert table[0]["bbs"].bounding_boxes.tolist() == [[8, 6, 32, 30], [1, 2, 12.5, 48]]
    assert [row["bbs"].num_instances for row in table] == [2, 1, 0]
    assert [table[row]["bbs"].labels.tolist() for row in (0, 1)] == [[1, 1], [0]]
    assert table.get_simple_value_map("bbs.instances_additional_data.label") == {
        0: "cat",
        1: "dog",
    }
    assert table[0]["image"].size == (WIDTH, HEIGHT)


def test_what_else_is_known_of_objects(data):
    more = "<pose>Left</pose><truncated>0</truncated><difficult>1</difficult>"
    data.add("a", document(an_object(more=more), an_object()))
    extras = Table.from_voc(data.annotations)[0]["bbs"].per_instance_extras
    assert {name: list(values) for name, values in extras.items()} == {
        "difficult": [True, False],
        "truncated": [False, False],
        "pose": ["Left", ""],
    }


def test_parts_of_objects_are_no_objects(data):
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    data.add("a", document(an_object(more=part)))
    assert Table.from_voc(data.annotations)[0]["bbs"].bounding_boxes.tolist() == [[8, 6, 32, 30]]


def test_categories_give_the_ids(data):
    data.add("a", document(an_object()))
    table = Table.from_voc(data.annotations, data.images, {3: "dog", 5: "cat"})
    assert table[0]["bbs"].labels.tolist() == [3]


def test_a_set_of_images(data):
    for stem in ("a", "b", "c"):
        data.add(stem, document(an_object(), name=f"{stem}.png"))
    names = data.root / "train.txt"
    names.write_text("c\na -1\n\n")
    table = Table.from_voc(data.annotations, image_set=names)
    assert [os.path.basename(row["image"]) for row in table.table_rows] == ["c.png", "a.png"]
    names.write_text("c\nx\n")
    with pytest.raises(AnnotationFileError, match="LABEL_MISSING") as caught:
        Table.from_voc(data.annotations, image_set=names)
    assert caught.value.problems[0].record == "line 2"


def test_images_may_be_beside_the_annotations(tmp_path):
    (tmp_path / "a.png").write_bytes(image_bytes())
    (tmp_path / "a.xml").write_text(document(an_object()))
    assert len(Table.from_voc(tmp_path)) == 1


@pytest.mark.parametrize("name", ["C:\\x\\a.png", "/elsewhere/x/a.png", "a", "a.jpg", ""])
def test_an_image_that_is_named_in_another_way(data, name):
    data.add("a", document(an_object(), name=name))
    table = Table.from_voc(data.annotations)
    assert table.table_rows[0]["image"] == str(data.images / "a.png")
    assert table.import_report.counts == {"PATH_MATCHED": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
def test_any_encoding_that_the_file_declares(data, encoding):
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = f'<?xml version="1.0" encoding="{declared}"?>\r\n'
    text += document(an_object(name="<name>hüt</name>")).replace("\n", "\r\n")
    data.add("a", text.encode(encoding))
    table = Table.from_voc(data.annotations)
    assert table.get_simple_value_map("bbs.instances_additional_data.label") == {0: "hüt"}


@pytest.mark.parametrize(
    ("written", "wanted", "noted"),
    [
        ((WIDTH, HEIGHT), (WIDTH, HEIGHT), 0),
        ((100, 200), (100, 200), 1),
        ((HEIGHT, WIDTH), (HEIGHT, WIDTH), 1),
        ((0, 0), (WIDTH, HEIGHT), 1),
        (("", ""), (WIDTH, HEIGHT), 1),
        (("x", "1e999"), (WIDTH, HEIGHT), 1),
    ],
)
def test_the_size_is_that_of_the_file_if_it_tells_one(data, written, wanted, noted):
    data.add("a", document(an_object(), size=written))
    table = Table.from_voc(data.annotations)
    row = table.table_rows[0]["bbs"]
    assert (row["x_max"], row["y_max"]) == wanted
    assert table.import_report.counts == ({"SIZE_MISMATCH": 1} if noted else {})


def box(*numbers):
    names = ("xmin", "ymin", "xmax", "ymax")
    return "".join(f"<{n}>{value}</{n}>" for n, value in zip(names, numbers, strict=True))


# An object that is wrong, and the rule that it breaks.
OBJECTS = [
    (an_object(box(32, 6, 8, 30)), "BOX_RANGE"),
    (an_object(box(8, 30, 32, 6)), "BOX_RANGE"),
    (an_object(box(8, 6, 8, 30)), "BOX_RANGE"),
    (an_object(box(70, 6, 80, 30)), "BOX_RANGE"),
    (an_object(box(8, -9, 32, -3)), "BOX_RANGE"),
    (an_object(box(64, 6, 64.5, 30)), "BOX_RANGE"),
    (an_object(box("nan", 6, 32, 30)), "BOX_RANGE"),
    (an_object(box(8, 6, "inf", 30)), "BOX_RANGE"),
    (an_object(box(8, 6, "1e999", 30)), "BOX_RANGE"),
    (an_object(box(8, 6, 1e300, 30)), "BOX_RANGE"),
    (an_object(box(8, "x", 32, 30)), "LABEL_FORMAT"),
    (an_object(box(8, "1_0", 32, 30)), "LABEL_FORMAT"),
    (an_object(box(8, "", 32, 30)), "LABEL_FORMAT"),
    (an_object("<xmin>8</xmin>"), "LABEL_FORMAT"),
    (an_object(""), "LABEL_FORMAT"),
    ("<object><name>dog</name></object>", "LABEL_FORMAT"),
    (an_object(name=""), "LABEL_FORMAT"),
    (an_object(name="<name> </name>"), "LABEL_FORMAT"),
    (an_object(more="<difficult>2</difficult>"), "LABEL_FORMAT"),
    (an_object(name="<name>cow</name>"), "DANGLING_REF"),
]

# A file that is wrong, and the rule and the line.
FILES = [
    ("", "XML", 1),
    ("no xml", "XML", 1),
    (document(an_object())[:-5], "XML", 5),
    ("<annotation><object></annotation>", "XML", 1),
    ("<html></html>", "XML", 1),
    ("<annotation>&unknown;</annotation>", "XML", 1),
    ("<annotation>\n<filename>\x01</filename></annotation>", "XML", 2),
    ("\n<!DOCTYPE annotation>\n<annotation/>", "XML_DTD", 2),
    (
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
        "<annotation><filename>&x;</filename></annotation>",
        *("XML_DTD", 1),
    ),
    (
        '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
        + "".join(f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(12))
        + "]>\n<annotation><filename>&l;</filename></annotation>",
        *("XML_DTD", 1),
    ),
    (document(an_object()).encode("utf-16")[:50], "XML", 2),
    ('<?xml version="1.0" encoding="klingon"?><annotation/>', "ENCODING", 1),
    (b"<annotation><filename>\xff\xff</filename></annotation>", "XML", 1),
]


@pytest.mark.parametrize(("wrong", "code"), OBJECTS)
def test_an_object_that_is_wrong(data, wrong, code):
    path = data.add("a", document(an_object(), wrong))
    before = tree_digest(data.root)
    with pytest.raises(AnnotationFileError, match=code) as caught:
        Table.from_voc(data.annotations, categories=["dog", "cat"])
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(path), "line 5")
    table = Table.from_voc(data.annotations, categories=["dog", "cat"], on_error="skip")
    assert table[0]["bbs"].bounding_boxes.tolist() == [[8, 6, 32, 30]]
    assert (table.import_report.skipped, table.import_report.counts) == (1, {code: 1})
    assert tree_digest(data.root) == before


@pytest.mark.parametrize(("content", "code", "line"), FILES)
def test_a_file_that_is_wrong(data, content, code, line):
    path = data.add("a", content)
    data.add("b", document(an_object(), name="b.png"))
    with pytest.raises(AnnotationFileError, match=code) as caught:
        Table.from_voc(data.annotations)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file, problem.record) == (code, str(path), f"line {line}")
    table = Table.from_voc(data.annotations, on_error="skip")
    assert len(table) == 1
    assert table.import_report.counts == {code: 1, "IMG_UNLISTED": 1}


def test_images_that_are_wrong(data):
    data.add("b", document(an_object(), name="b.png"), b"no image")
    data.xml("a", document(an_object(), name="gone.png"))
    data.xml("c", document(an_object(), name="b.png"))
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_voc(data.annotations)
    found = [(each.code, os.path.basename(each.file)) for each in caught.value.problems]
    assert found == [("IMG_MISSING", "a.xml"), ("IMG_UNREADABLE", "b.xml"), ("DUP_ID", "c.xml")]


def test_what_has_a_meaning_is_kept_and_noted(data):
    data.add("a", document(an_object(), an_object(), an_object(box(-1, 6, 64.9, 48.9))))
    (data.images / "alone.png").write_bytes(image_bytes())
    table = Table.from_voc(data.annotations)
    assert table[0]["bbs"].num_instances == 3
    assert table[0]["bbs"].bounding_boxes[2].tolist() == [0, 6, 64, 48]
    report = table.import_report
    assert (report.clipped, report.skipped) == (1, 0)
    assert report.counts == {"DUP_ROW": 1, "IMG_UNLISTED": 1}


def test_a_box_that_reaches_out_of_its_image_is_left_as_it_is(data):
    data.add("a", document(an_object(box(-20, 6, 80, 30))))
    table = Table.from_voc(data.annotations)
    assert table[0]["bbs"].bounding_boxes.tolist() == [[-20, 6, 80, 30]]
    assert (table.import_report.counts, table.import_report.clipped) == ({"BOX_OUTSIDE": 1}, 0)


def test_a_folder_that_there_is_not(tmp_path):
    with pytest.raises(UrlNotFoundError, match="annotations"):
        Table.from_voc(tmp_path / "x")


corners = st.tuples(
    st.floats(0, WIDTH - 2), st.floats(0, HEIGHT - 2), st.floats(1, WIDTH), st.floats(1, HEIGHT)
).filter(lambda c: c[0] + 0.5 < c[2] and c[1] + 0.5 < c[3])
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(
    lambda text: "".join(text.split()) or "x"
)


@settings(max_examples=15)
@given(objects=st.lists(st.tuples(names, corners), max_size=5))
def test_what_is_written_is_read(objects, tmp_path_factory):
    data = VocFolder(tmp_path_factory.mktemp("voc") / "voc")
    written = [
        an_object(box(*map(repr, numbers)), name=f"<name>{escape(name)}</name>")
        for name, numbers in objects
    ]
    data.add("a", document(*written))
    table = Table.from_voc(data.annotations, root_url=data.root / "projects")
    names_by_id = table.get_simple_value_map("bbs.instances_additional_data.label") or {}
    found = table[0]["bbs"]
    labels = [] if found.labels is None else found.labels.tolist()
    assert [names_by_id[label] for label in labels] == [name for name, _ in objects]
    wanted = np.array([numbers for _, numbers in objects], np.float32).reshape(-1, 4)
    np.testing.assert_array_equal(found.bounding_boxes, wanted)


def test_the_same_input_gives_the_same_columns(data):
    for stem in ("a", "b"):
        data.add(stem, document(an_object(), an_object(), name=f"{stem}.png"))
    tables = [Table.from_voc(data.annotations, table_name=name) for name in "xy"]
    assert column_bytes(tables[0]) == column_bytes(tables[1])
