"""What is wrong with sources of data: each class of bad input, in every format that can have it."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict

import pytest
from tests.common.trees import tree_digest
from tests.core.importers.bad_columns import COLUMNS
from tests.core.importers.bad_input import FINE, KEPT, LEFT_OUT, NOTED, REFUSED
from tests.core.importers.bad_labels import LABELS
from tests.core.importers.labelled import column_bytes

from tlc.cli.showing import show_object
from tlc.errors import AnnotationFileError
from tlc.table import Table

FIXTURES = [*LABELS, *COLUMNS]
IDS = [f"{each.number:02d} {each.form}: {each.name}" for each in FIXTURES]


CLASSES = {
    1: "image listed but missing",
    2: "image present but not listed, label without image",
    3: "duplicate ids and names",
    4: "category ids with gaps, huge, random",
    5: "annotation of unknown image or category",
    6: "box negative, zero, NaN, outside, corners for sizes",
    7: "YOLO value slightly above 1, or pixels",
    8: "duplicate label rows",
    9: "segmentation that is none",
    10: "RLE or polygon, compressed or not, whatever iscrowd says",
    11: "size that differs from the image's",
    12: "EXIF orientation",
    13: "broken EXIF",
    14: "truncated or corrupt image",
    15: "wrong, upper-case or missing extension",
    16: "BOM, CRLF, UTF-16, cp1252",
    17: "names that are not ASCII, or no text",
    18: "Windows paths, paths of another machine, URL-encoded names",
    19: "symlink loops, linked folders",
    20: "huge annotation file",
    21: "VOC: floats, tag order, swapped corners, missing size, DTD",
    22: "CSV: quoted newlines, ragged rows, leading zeros, duplicate headers, decimal comma",
    23: "NDJSON: truncated last line, mixed types, blank lines",
    24: "YOLO YAML: tags, aliases, relative path, names",
    25: "JSON: NaN, 1e999, duplicate keys, lone surrogates, numbers as texts",
    26: "images twice in a path, or in capitals",
}


def test_every_class_is_there_in_many_formats():
    forms = defaultdict(set)
    for each in FIXTURES:
        forms[each.number].add(each.form)
    assert forms.keys() == CLASSES.keys()
    assert len(FIXTURES) >= 120
    assert len(set(IDS)) == len(IDS)
    assert set().union(*forms.values()) == {
        *("coco", "yolo", "yolo yaml", "yolo ndjson", "voc", "csv", "ndjson", "parquet"),
        *("hugging face", "webdataset", "image folder", "semantic segmentation"),
    }


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("fixture", FIXTURES, ids=IDS)
def test_bad_input(tmp_path, fixture, on_error):
    folder = tmp_path / "source"
    importer = fixture.source(folder)
    before = tree_digest(folder)
    place = (fixture.code, str(folder / fixture.file), fixture.record)
    is_wrong = fixture.answer in (LEFT_OUT, KEPT)
    if fixture.answer == REFUSED or (is_wrong and on_error == "raise"):
        with pytest.raises(AnnotationFileError, match=fixture.code) as caught:
            importer(on_error=on_error)
        assert [(each.code, each.file, each.record) for each in caught.value.problems] == [place]
        assert not list((tmp_path / "tlc").rglob("manifest.json"))
    else:
        table = importer(on_error=on_error)
        assert len(table) == fixture.rows
        check_report(table, fixture, place)
    assert tree_digest(folder) == before


def check_report(table, fixture, place):
    report = Table.from_url(table.url).import_report
    if fixture.answer == FINE:
        assert report is None or report.counts == {}
        return
    assert report is not None
    examples = [(each.code, each.file, each.record) for each in report.examples[fixture.code]]
    assert place in examples
    assert (report.skipped > 0) == (fixture.answer == LEFT_OUT)
    shown = "\n".join(show_object(table.url))
    assert f"{fixture.code}: {report.counts[fixture.code]}, such as" in shown
    assert place[1] in shown


# Of a WebDataset, images become files that are named after who wrote them.
TWICE = [each for each in FIXTURES if each.answer != REFUSED and each.form not in ("webdataset",)][
    ::5
]


@pytest.mark.parametrize("fixture", TWICE, ids=lambda each: f"{each.form}: {each.name}")
def test_the_same_input_twice_gives_the_same_bytes(tmp_path, fixture):
    importer = fixture.source(tmp_path / "source")
    one, two = (importer(on_error="skip", table_name=name) for name in ("one", "two"))
    assert column_bytes(one) == column_bytes(two)
    assert one.rows_schema.to_dict() == two.rows_schema.to_dict()
    assert (one.import_report, one.source) == (two.import_report, two.source)


FOLDERS = [each for each in FIXTURES if each.form in ("yolo", "voc", "image folder", "coco")]


@pytest.mark.parametrize(
    "fixture",
    [each for each in FOLDERS if each.answer in (FINE, NOTED)][::3],
    ids=lambda each: f"{each.form}: {each.name}",
)
def test_the_order_of_folders_makes_no_difference(tmp_path, fixture, monkeypatch):
    importer = fixture.source(tmp_path / "source")
    usual = importer(on_error="skip", table_name="usual")
    scandir, listdir, asked = os.scandir, os.listdir, []

    def turned(path="."):
        asked.append(path)
        with scandir(path) as entries:
            return contextlib.nullcontext(iter(list(entries)[::-1]))

    monkeypatch.setattr(os, "scandir", turned)
    monkeypatch.setattr(os, "listdir", lambda path=".": listdir(path)[::-1])
    other = importer(on_error="skip", table_name="other")
    monkeypatch.undo()
    assert column_bytes(other) == column_bytes(usual)
    assert other.import_report == usual.import_report
    assert fixture.form == "coco" or asked
