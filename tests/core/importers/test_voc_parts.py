"""Pascal VOC data sets that are read in several parts: nothing depends on where these end."""

from __future__ import annotations

import os
import sys

import pytest
from tests.core.importers.labelled import column_bytes, image_bytes
from tests.core.importers.test_voc import VocFolder, an_object, box, document

from tlc.errors import AnnotationFileError, OptionError, SchemaError, UrlNotFoundError
from tlc.importers import spill, voc
from tlc.importers.voc import from_voc
from tlc.table import Table
from tlc.url import Url

PARTS = [1, 2, 7]
POSES = ("", "<pose>Left</pose>", "<difficult>1</difficult>", "<truncated>yes</truncated>")


@pytest.fixture
def data(tmp_path):
    return VocFolder(tmp_path / "voc")


def fill(data, count=12):
    """Write files with classes that come late, and boxes that are cut or reach out."""
    for number in range(count):
        objects = [
            an_object(
                name=f"<name>{'dog' if number % 3 else 'cat'}</name>", more=POSES[number % 4]
            ),
            an_object(
                box(-0.5, 1, 30, 48.5 + number % 4 // 2 * 20),
                name=f"<name>z{count - number}</name>",
            ),
        ]
        data.add(f"{number:02d}", document(*objects[: 1 + number % 2], name=f"{number:02d}.png"))


def spoil(data):
    """Write files that are wrong in all ways, between those that are right."""
    data.add("01a", document(an_object(box(9, 9, 3, 3)), an_object(name=""), name="01a.png"))
    data.add("03a", "<annotation>")
    data.xml("04a", document(an_object(), name="04.png"))
    data.xml("05a", document(an_object(name="<name>only here</name>"), name="gone.png"))
    data.add("06a", document(an_object(), name="06a.png"), b"no image")
    data.add("07a", document(an_object(), an_object(), name="07a.png", size=(9000, 9000)))
    data.add("11a", document(an_object(box(1, 1, "nan", 9)), an_object(box(70, 1, 80, 9))))
    (data.images / "unlisted.png").write_bytes(image_bytes())


def imported(data, name, **options):
    return Table.from_voc(data.annotations, table_name=name, on_error="skip", **options)


@pytest.mark.parametrize("size", PARTS)
@pytest.mark.parametrize("categories", [None, ["dog", "cat", "z2"]])
@pytest.mark.parametrize("in_memory", [0, 1 << 20])
def test_parts_make_the_same_table_and_report(data, monkeypatch, size, categories, in_memory):
    fill(data)
    spoil(data)
    whole = imported(data, "whole", categories=categories)
    monkeypatch.setattr(voc, "_AT_ONCE", size)
    monkeypatch.setattr(voc, "LATER", in_memory)
    parts = imported(data, "parts", categories=categories)
    assert column_bytes(parts) == column_bytes(whole)
    assert parts.import_report == whole.import_report
    assert parts.source == whole.source
    assert parts.rows_schema == whole.rows_schema


def test_all_that_is_wrong_is_in_the_report(data):
    fill(data)
    spoil(data)
    table = imported(data, "all")
    report = table.import_report
    assert (len(table), report.rows, report.skipped, report.clipped) == (15, 15, 8, 3)
    counts = dict.fromkeys(("DUP_ID", "DUP_ROW", "IMG_MISSING", "IMG_UNREADABLE"), 1)
    counts |= dict.fromkeys(("LABEL_FORMAT", "PATH_MATCHED", "SIZE_MISMATCH", "XML"), 1)
    assert report.counts == {**counts, "BOX_OUTSIDE": 3, "BOX_RANGE": 3, "IMG_UNLISTED": 2}
    assert "only here" in table.get_simple_value_map("bbs.instances_additional_data.label").values()


@pytest.mark.parametrize("size", [*PARTS, 1 << 15])
def test_problems_of_all_parts_are_told_together(data, monkeypatch, size):
    fill(data)
    spoil(data)
    monkeypatch.setattr(voc, "_AT_ONCE", size)
    with pytest.raises(AnnotationFileError, match="8 records cannot be imported") as caught:
        Table.from_voc(data.annotations)
    found = [(each.code, os.path.basename(each.file)) for each in caught.value.problems]
    assert found == [
        *(("BOX_RANGE", "01a.xml"), ("LABEL_FORMAT", "01a.xml"), ("XML", "03a.xml")),
        *(("DUP_ID", "04a.xml"), ("IMG_MISSING", "05a.xml"), ("IMG_UNREADABLE", "06a.xml")),
        *(("BOX_RANGE", "11a.xml"), ("BOX_RANGE", "11a.xml")),
    ]


def test_an_import_that_fails_leaves_no_table(data, monkeypatch):
    fill(data)
    spoil(data)
    monkeypatch.setattr(voc, "_AT_ONCE", 1)
    with pytest.raises(AnnotationFileError):
        Table.from_voc(data.annotations, table_name="broken")
    assert len(imported(data, "broken")) == 15


def test_two_files_far_apart_about_one_image(data, monkeypatch):
    fill(data)
    data.xml("zz", document(an_object(), name="00.png"))
    monkeypatch.setattr(voc, "_AT_ONCE", 1)
    table = imported(data, "twice")
    assert len(table) == 12
    (problem,) = table.import_report.examples["DUP_ID"]
    assert os.path.basename(problem.file) == "zz.xml"
    assert "00.xml" in problem.message


def test_what_only_the_last_file_has_is_a_column_of_all(data, monkeypatch):
    data.add("a", document(an_object()))
    data.add("b", document(an_object(more="<pose>Left</pose><occluded>1</occluded>"), name="b.png"))
    monkeypatch.setattr(voc, "_AT_ONCE", 1)
    extras = [row["bbs"].per_instance_extras for row in Table.from_voc(data.annotations)]
    assert [{name: list(values) for name, values in each.items()} for each in extras] == [
        {"occluded": [False], "pose": [""]},
        {"occluded": [True], "pose": ["Left"]},
    ]


def test_rows_can_be_taken_twice_and_nothing_is_counted_twice(data, monkeypatch):
    fill(data)
    spoil(data)
    monkeypatch.setattr(voc, "_AT_ONCE", 2)
    source = from_voc(Url(data.annotations), None, None, image_set=None, on_error="skip")
    found = []
    for _ in range(2):
        rows = [batch["bbs"].to_pylist() for batch in source.batches()]
        found.append((rows, source.report(), dict(source.fingerprint)))
    assert found[0] == found[1]


def test_temporary_files_are_gone_after_a_failure_too(data, monkeypatch, tmp_path):
    fill(data)
    for name, value in (("_AT_ONCE", 1), ("LATER", 0)):
        monkeypatch.setattr(voc, name, value)
    monkeypatch.setattr(spill, "LATER", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    source = from_voc(Url(data.annotations), None, None, image_set=None, on_error="raise")
    batches = source.batches()
    next(batches)
    assert list((tmp_path / "temporary").iterdir())
    batches.close()
    spoil(data)
    with pytest.raises(AnnotationFileError):
        list(source.batches())
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("categories", [None, ["dog"]])
def test_the_fingerprint_is_the_same_before_and_after(data, categories):
    fill(data)
    spoil(data)

    def source():
        return from_voc(Url(data.annotations), None, categories, image_set=None, on_error="skip")

    before, after = source(), source()
    assert list(after.batches())
    assert dict(before.fingerprint) == dict(after.fingerprint)
    data.add("new", document(an_object(name="<name>emu</name>"), name="new.png"))
    assert source().fingerprint["digest"] != after.fingerprint["digest"]


def test_the_same_files_are_reused_and_others_are_not(data):
    fill(data)
    first = Table.from_voc(data.annotations)
    assert Table.from_voc(data.annotations) == first
    data.add("new", document(an_object(), name="new.png"))
    assert Table.from_voc(data.annotations) != first


def test_no_files_make_an_empty_table(data):
    table = Table.from_voc(data.annotations)
    assert (len(table), table.columns) == (0, ["image", "bbs", "weight"])


def test_numbers_of_an_xml_file_that_are_no_numbers_elsewhere(data):
    data.add("a", document(an_object(box("-0", 6, 32, 30)), size=("6_4", 48)))
    table = Table.from_voc(data.annotations)
    assert table.import_report.counts == {"SIZE_MISMATCH": 1}
    assert str(table[0]["bbs"].bounding_boxes[0][0]) == "0.0"


def test_an_object_that_is_left_out_repeats_nothing(data):
    wrong = an_object(box(9, 9, 3, 3))
    data.add("a", document(wrong, wrong))
    assert imported(data, "a").import_report.counts == {"BOX_RANGE": 2}


def test_long_names_are_told_in_short(data):
    data.xml("a", document(an_object(), name="x" * 100_000))
    names = data.root / "set.txt"
    names.write_text("a\n" + "y" * 100_000)
    with pytest.raises(AnnotationFileError) as caught:
        Table.from_voc(data.annotations, image_set=names)
    assert {each.code for each in caught.value.problems} == {"IMG_MISSING", "LABEL_MISSING"}
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "encoding",
    ["base64", "idna", "undefined", "rot13", "gbk", "utf-7", "x" * 999],
)
def test_encodings_that_are_none_of_xml(data, encoding):
    text = f'<?xml version="1.0" encoding="{encoding}"?>{document(an_object())}'
    data.add("a", text.encode())
    with pytest.raises(AnnotationFileError, match=r"\((ENCODING|XML)\)"):
        Table.from_voc(data.annotations)


def test_options_are_checked_before_anything_is_read(data):
    data.add("a", "no xml")
    with pytest.raises(OptionError, match="on_error"):
        Table.from_voc(data.annotations, on_error="stop")
    with pytest.raises(SchemaError):
        Table.from_voc(data.annotations, categories=7)
    with pytest.raises(UrlNotFoundError):
        Table.from_voc(data.annotations, image_set=data.root / "nosuch.txt")


def test_files_that_cannot_be_read(data, monkeypatch):
    fill(data, 2)
    read_file = voc.read_file

    def read(path):
        if path.endswith("00.xml"):
            raise PermissionError(13, "Permission denied")
        return read_file(path)

    monkeypatch.setattr(voc, "read_file", read)
    table = imported(data, "some")
    assert len(table) == 1
    assert table.import_report.counts == {"IMG_UNLISTED": 1, "LABEL_UNREADABLE": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="others have no such names")
def test_images_in_a_folder_whose_name_is_no_text(tmp_path):
    data = VocFolder(tmp_path / "v")
    (data.images / "a\udcff").mkdir()
    (data.images / "a\udcff" / "a.png").write_bytes(image_bytes())
    data.xml("a", document(an_object()))
    fill(data, 2)
    with pytest.raises(AnnotationFileError, match="NAME_NOT_TEXT"):
        Table.from_voc(data.annotations)
    table = imported(data, "some")
    assert (len(table), table.import_report.counts) == (2, {"NAME_NOT_TEXT": 1})
