"""COCO files in other encodings, and in other places than the disk."""

from __future__ import annotations

import codecs
import json

import pytest
from tests.core.importers.coco_cases import good, write
from tests.core.importers.labelled import column_bytes
from tests.core.url import test_http

from tlc.errors import AnnotationFileError, UrlNotFoundError
from tlc.importers import coco_bytes, json_stream
from tlc.table import Table
from tlc.url import Url
from tlc.url.ranges import READ_AHEAD

site = test_http.site


def foreign():
    """Return a file with letters that encodings write differently."""
    content = good()
    content["images"][2]["file_name"] = "caf\xe9.png"
    content["categories"][0]["name"] = "K\xe4tzchen"
    return content


def same_in(folder, data, encoding):
    """Whether a file makes the same table as one of UTF-8 does."""
    file, images = write(folder, json.dumps(foreign(), ensure_ascii=False), names=NAMES)
    expected = Table.from_coco(file, images, table_name="utf-8")
    file.write_bytes(data)
    found = Table.from_coco(file, images, encoding=encoding, table_name="other")
    assert found.rows_schema == expected.rows_schema
    return column_bytes(found) == column_bytes(expected)


NAMES = [image["file_name"] for image in foreign()["images"]]


@pytest.mark.parametrize("piece", [64, 1 << 20])
@pytest.mark.parametrize(
    "encoding",
    ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "utf-8", "utf-8-sig"],
)
def test_files_are_read_in_the_encoding_that_is_told(tmp_path, monkeypatch, encoding, piece):
    monkeypatch.setattr(json_stream, "PIECE", piece)
    text = json.dumps(foreign(), ensure_ascii=False)
    assert same_in(tmp_path, text.encode(encoding), encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_mark_before_text_whose_byte_order_is_told(tmp_path, encoding):
    text = "\ufeff" + json.dumps(foreign(), ensure_ascii=False)
    assert same_in(tmp_path, text.encode(encoding), encoding)


@pytest.mark.parametrize("told", [None, "utf-8", "UTF8"])
def test_a_mark_before_utf_8(tmp_path, told):
    text = json.dumps(foreign(), ensure_ascii=False)
    assert same_in(tmp_path, codecs.BOM_UTF8 + text.encode(), told)


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-16", json.dumps(good()).encode("utf-16") + b"\0"),
        ("ascii", json.dumps(foreign(), ensure_ascii=False).encode("latin-1")),
        ("utf-32", json.dumps(good()).encode("utf-16")),
    ],
)
def test_text_that_is_not_in_the_encoding_that_is_told(tmp_path, encoding, data, on_error):
    file, images = write(tmp_path, data, names=NAMES)
    with pytest.raises(AnnotationFileError, match="the text is no ") as caught:
        Table.from_coco(file, images, encoding=encoding, on_error=on_error)
    assert [(each.code, each.file) for each in caught.value.problems] == [("ENCODING", str(file))]


def many():
    content = good()
    content["annotations"] = [
        {**content["annotations"][0], "id": number, "bbox": [number % 50, 2, 10, number % 40 + 1]}
        for number in range(3000)
    ]
    return json.dumps(content).encode()


@pytest.mark.parametrize("gives_parts", [True, False])
def test_a_file_of_a_server_is_fetched_in_parts(tmp_path, monkeypatch, site, gives_parts):
    data = many()
    file, images = write(tmp_path, data, names=[each["file_name"] for each in good()["images"]])
    expected = column_bytes(Table.from_coco(file, images, table_name="local"))
    monkeypatch.setattr(coco_bytes, "_PART", READ_AHEAD)
    monkeypatch.setattr(json_stream, "PIECE", 10_000)
    site.files["/a.json"], site.gives_parts = data, gives_parts
    table = Table.from_coco(f"{site.root}/a.json", images, table_name="remote")
    assert column_bytes(table) == expected
    again = Table.from_coco(f"{site.root}/a.json", images, table_name="remote")
    assert again.url == table.url
    ranges = [wanted for command, _, wanted in site.asked if command == "GET" and wanted]
    lengths = [stop - start + 1 for start, stop in (map(int, r[6:].split("-")) for r in ranges)]
    assert len(data) > 4 * READ_AHEAD
    assert max(lengths) == READ_AHEAD
    assert all(wanted for command, _, wanted in site.asked if command == "GET") is gives_parts


def test_a_file_of_a_server_is_read_once(tmp_path, monkeypatch, site):
    data = many()
    _, images = write(tmp_path, data, names=[each["file_name"] for each in good()["images"]])
    monkeypatch.setattr(coco_bytes, "_PART", READ_AHEAD)
    site.files["/a.json"] = data
    Table.from_coco(f"{site.root}/a.json", images)
    ranges = [wanted for command, _, wanted in site.asked if command == "GET"]
    assert [ranges.count(each) for each in dict.fromkeys(ranges[2:])] == [1] * (len(ranges) - 2)


def test_a_file_in_memory_has_its_images_there(tmp_path):
    url = Url("memory://coco-bytes/data/annotations.json")
    url.write_bytes(json.dumps(good()).encode())
    table = Table.from_coco(url, None)
    assert table[0]["image"] == "memory://coco-bytes/data/b.png"
    assert table[1]["bbs"].labels.tolist() == [90]


@pytest.mark.parametrize("place", ["memory://coco-bytes/none.json", "{site}/none.json"])
def test_a_file_that_is_not_there(site, place):
    with pytest.raises(UrlNotFoundError, match=r"none\.json"):
        Table.from_coco(place.format(site=site.root), None)
