"""Files of text and columns: their options, where they can go, and what happens if that fails."""

from __future__ import annotations

import csv
import json
import os

import pyarrow.parquet as pq
import pytest

import tlc
from tlc import schemas
from tlc.errors import CellError, ExportError, OptionError, UnsupportedOperationError, WeightError
from tlc.export import RowExporter, register_exporter
from tlc.url import Url


def make(columns, found=None):
    return tlc.Table.from_dict(columns, found, if_exists="rename")


@pytest.fixture
def table():
    return make({"a": [1, 2], "t": ["=1+1", "x,\ty"], "b": [True, None]})


def test_csv_dialects_and_headers(table, tmp_path):
    text = table.export(tmp_path / "o.csv").read_bytes()
    assert text == b'a,t,b\r\n1,=1+1,true\r\n2,"x,\ty",\r\n'
    text = table.export(tmp_path / "o.csv", dialect="excel-tab", exclude_header=True).read_bytes()
    assert text == b'1\t=1+1\ttrue\r\n2\t"x,\ty"\t\r\n'

    class Semicolons(csv.excel):
        delimiter = ";"
        lineterminator = "\n"

    text = table.export(tmp_path / "o.csv", dialect=Semicolons).read()
    assert text.startswith("a;t;b\n1;=1+1;true\n")
    with pytest.raises(OptionError, match=r"no CSV dialect 'exel'.*excel"):
        table.export(tmp_path / "o.csv", dialect="exel")


def test_texts_that_a_spreadsheet_would_run(table, tmp_path):
    text = table.export(tmp_path / "o.csv", escape_formulas=True).read()
    assert "1,'=1+1,true" in text
    assert make({"n": [-1]}).export(tmp_path / "o.csv", escape_formulas=True).read().split() == [
        "n",
        "-1",
    ], "a number is no formula"


def test_nested_values_and_bytes_in_text(tmp_path):
    columns = {"v": [[0.1, 0.2]], "d": [{"x": 1}], "y": [b"\x00\xff"]}
    found = {"v": schemas.Float32Schema(shape=(2,))}
    found["y"] = schemas.Schema(value=schemas.values.BytesStringValue())
    table = make(columns, found)
    text = table.export(tmp_path / "o.csv").read()
    assert text.splitlines()[1] == '"[0.1,0.2]","{""x"":1}",AP8='
    assert json.loads(table.export(tmp_path / "o.ndjson").read()) == {
        "v": [0.1, 0.2],
        "d": {"x": 1},
        "y": "AP8=",
    }


def test_numbers_that_json_does_not_have(tmp_path):
    columns = {"a": [[1.0], [float("nan"), None]]}
    found = {"a": schemas.Float32Schema(shape=(-1,))}
    assert json.loads(make(columns, found).export(tmp_path / "o.json").read())[1]["a"] == [None] * 2
    columns["a"].append([2.0, float("-inf")])
    table = make(columns, found)
    for name in ("o.json", "o.ndjson", "o.csv"):
        with pytest.raises(CellError, match=r"Row 2 .*'a' .* infinite") as caught:
            table.export(tmp_path / name)
        assert (caught.value.row, caught.value.column) == (2, "a")
    flat = make({"x": [float("inf"), float("nan")]})
    assert flat.export(tmp_path / "o.csv").read().split() == ["x", "inf", "nan"]
    assert pq.ParquetFile(table.export(tmp_path / "o.parquet")).read()["a"][2].as_py()[1] < 0


def test_ndjson_in_ascii(tmp_path):
    table = make({"ü": ["ß", "\U0001f600"]})
    plain = table.export(tmp_path / "o.ndjson").read()
    ascii_only = table.export(tmp_path / "o.jsonl", ensure_ascii=True).read()
    assert ascii_only.isascii()
    assert not plain.isascii()
    rows = [json.loads(line) for line in ascii_only.splitlines()]
    assert rows == [{"ü": "ß"}, {"ü": "\U0001f600"}]


def test_parquet_keeps_the_schema_in_its_metadata(tmp_path):
    table = make({"l": [0, 1]}, {"l": schemas.CategoricalLabelSchema(["cat", "dog"])})
    file = pq.ParquetFile(table.export(tmp_path / "o.parquet", compression="snappy"))
    told = json.loads(file.schema_arrow.metadata[b"tlc.rows_schema"])
    assert tlc.Schema.from_dict(told) == table.rows_schema
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    with pytest.raises(OptionError, match="compression 'zip'"):
        table.export(tmp_path / "o.parquet", compression="zip")


def test_urls_are_written_without_the_aliases_of_this_machine(tmp_path):
    tlc.register_url_alias("EXPORTED_FROM", str(tmp_path))
    found = {"u": schemas.UrlSchema(), "t": schemas.StringSchema()}
    columns = {"u": ["<EXPORTED_FROM>/a.png", None], "t": ["<EXPORTED_FROM>/a", ""]}
    table = make(columns, found)
    rows = json.loads(table.export(tmp_path / "o.json").read())
    assert rows == [{"u": f"{tmp_path}/a.png", "t": "<EXPORTED_FROM>/a"}, {"u": None, "t": ""}]
    assert pq.ParquetFile(table.export(tmp_path / "o.parquet")).read()["u"][0].as_py() == (
        f"{tmp_path}/a.png"
    )


def test_rows_of_low_weight_are_left_out(tmp_path):
    found = {"w": schemas.SampleWeightSchema()}
    table = make({"i": [0, 1, 2, 3], "w": [1.0, 0.0, 0.5, 2.0]}, found)

    def kept(threshold):
        place = table.export(tmp_path / "o.json", weight_threshold=threshold)
        return [row["i"] for row in json.loads(place.read())]

    assert kept(0) == [0, 1, 2, 3]
    assert kept(0.5) == [0, 2, 3]
    assert kept(3) == []
    with pytest.raises(ExportError, match="has no weights"):
        make({"i": [1]}).export(tmp_path / "o.json", weight_threshold=0.1)
    for missing in (None, float("nan")):
        unknown = make({"i": [0, 1], "w": [1.0, missing]}, found)
        with pytest.raises(WeightError, match=r"Row 1 .* has no weight"):
            unknown.export(tmp_path / "o.json", weight_threshold=0.1)


@pytest.mark.parametrize("format", ["csv", "json", "ndjson", "parquet"])
def test_files_go_to_any_store(format, table, tmp_path):
    place = table.export(f"memory://exported/{format}/file", format)
    local = table.export(tmp_path / "deep" / "er" / "file", format)
    assert place.read_bytes() == local.read_bytes()


def test_folders_stay_on_this_machine(table):
    with pytest.raises(UnsupportedOperationError, match="not a file on this machine"):
        table.export("memory://exported/folder", "huggingface")


def test_what_goes_wrong_half_way_leaves_the_file_as_it_was(tmp_path):
    @register_exporter
    class Failing(RowExporter):
        supported_format = "failing"

        def export_row(self, row, **_):
            return f"{1 // (2 - row['a'])}"

    (tmp_path / "o").write_text("before")
    table = make({"a": [0, 1, 2]})
    with pytest.raises(ZeroDivisionError):
        table.export(tmp_path / "o", "failing")
    assert (tmp_path / "o").read_text() == "before"
    assert sorted(os.listdir(tmp_path)) == ["o", "tlc"]


def test_a_folder_in_the_way_of_a_file(table, tmp_path):
    (tmp_path / "o.csv").mkdir()
    with pytest.raises(UnsupportedOperationError, match="is a folder"):
        table.export(tmp_path / "o.csv")


def test_a_large_table_is_written_in_parts(tmp_path):
    table = make({"i": list(range(200_000))})
    place = table.export(tmp_path / "o.parquet")
    file = pq.ParquetFile(place)
    assert file.num_row_groups > 1
    assert file.read()["i"].to_pylist() == list(range(200_000))
    rows = table.export(tmp_path / "o.csv").read().split()
    assert rows == ["i", *map(str, range(200_000))]


def test_the_url_that_is_returned_is_absolute(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert table.export("o.csv") == Url(tmp_path / "o.csv")
