from __future__ import annotations

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import UrlNotFoundError
from tlc.table import Table
from tlc.url import Url


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


FACTORIES = {
    "a.csv": Table.from_csv,
    "a.ndjson": Table.from_ndjson,
    "a.parquet": Table.from_parquet,
}


def test_csv_types_follow_from_all_values(write):
    text = 'i,f,s,b,t,mixed\n1,0.5,a,true,2020-01-02,1\n-2,,"b,\nc",false,,x\n'
    table = Table.from_csv(write("a.csv", text))
    assert table.columns == ["i", "f", "s", "b", "t", "mixed", "weight"]
    assert list(table) == [
        {"i": 1, "f": 0.5, "s": "a", "b": True, "t": "2020-01-02", "mixed": "1"},
        {"i": -2, "f": None, "s": "b,\nc", "b": False, "t": None, "mixed": "x"},
    ]


def test_a_late_value_of_another_type_counts_too(write):
    text = "a\n" + "1\n" * 1_000_000 + "x\n"
    assert Table.from_csv(write("a.csv", text))[-1] == {"a": "x"}


def test_csv_is_read_as_the_schema_says(write):
    path = write("a.csv", "zip,label,path\n007,1,x.png\n010,0,/y.png\n")
    schema = {
        "zip": schemas.StringSchema(),
        "label": schemas.CategoricalLabelSchema(["a", "b"]),
        "path": schemas.ImageSchema(sample_type="url"),
    }
    table = Table.from_csv(path, schema)
    assert list(table) == [
        {"zip": "007", "label": 1, "path": f"{path.parent}/x.png"},
        {"zip": "010", "label": 0, "path": "/y.png"},
    ]


@pytest.mark.parametrize("text", ["\ufeffa\n1\n", "a\r\n1\r\n", "a\n1"])
def test_csv_of_other_programs_is_read(write, text):
    assert list(Table.from_csv(write("a.csv", text))) == [{"a": 1}]


def test_a_csv_file_of_a_header_has_no_rows(write):
    table = Table.from_csv(write("a.csv", "a,b\n"))
    assert (len(table), table.columns) == (0, ["a", "b", "weight"])


def test_ndjson_objects_become_nested_columns(write):
    text = (
        '{"a": 1, "b": {"c": [1.5], "d": "ä"}}\n{"a": null, "b": {"c": [], "d": null}}\n{"a": 3}\n'
    )
    table = Table.from_ndjson(write("a.ndjson", text))
    assert list(table) == [
        {"a": 1, "b": {"c": [1.5], "d": "ä"}},
        {"a": None, "b": {"c": [], "d": None}},
        {"a": 3, "b": None},
    ]


@pytest.mark.parametrize("length", [10, 3_000_000])
def test_records_may_be_long(write, length):
    value = "x" * length
    assert Table.from_csv(write("a.csv", f"a\n{value}\n"))[0]["a"] == value
    record = json.dumps({"a": value})
    assert Table.from_ndjson(write("a.ndjson", record), table_name="n")[0]["a"] == value


def test_parquet_keeps_nested_columns_and_makes_other_types_plain(write, tmp_path):
    path = tmp_path / "a.parquet"
    columns = {
        "struct": pa.array([{"id": 1, "path": "a"}, None]),
        "half": pa.array([0.5, None], pa.float16()),
        "big": pa.array(["a", None], pa.large_string()),
        "coded": pa.array(["a", "b"]).dictionary_encode(),
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64())),
        "times": pa.array([[datetime.datetime(2020, 1, 1)], []], pa.list_(pa.timestamp("ms"))),
        "vector": pa.array([[1, 2], [3, 4]], pa.list_(pa.int8(), 2)),
    }
    pq.write_table(pa.table(columns), path)
    table = Table.from_parquet(Url(path), add_weight_column=False)
    assert table.columns == list(columns)
    assert table[0] == {
        "struct": {"id": 1, "path": "a"},
        "half": 0.5,
        "big": "a",
        "coded": "a",
        "map": [{"key": "k", "value": 1}],
        "times": ["2020-01-01 00:00:00.000"],
        "vector": [1, 2],
    }
    assert table.source["url"] == str(path)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.fixed_dictionaries({"n": st.integers(-9, 9), "t": texts}), min_size=1))
def test_files_with_the_same_rows_make_the_same_table(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("files")
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    (folder / "a.ndjson").write_text("\n".join(map(json.dumps, rows)))
    for name in ("a.parquet", "a.ndjson"):
        assert list(FACTORIES[name](folder / name, if_exists="overwrite")) == rows


@pytest.mark.parametrize("name", FACTORIES)
def test_a_missing_file_is_not_found(name, tmp_path):
    with pytest.raises(UrlNotFoundError, match=name) as caught:
        FACTORIES[name](tmp_path / name)
    assert isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize("name", FACTORIES)
def test_source_files_stay_as_they_are(write, name):
    contents = {"a.csv": b"a\n1\n", "a.ndjson": b'{"a": 1}\n'}
    path = write(name, contents.get(name, b""))
    if name == "a.parquet":
        pq.write_table(pa.table({"a": [1]}), path)
    before = path.read_bytes()
    assert [row["a"] for row in FACTORIES[name](path)] == [1]
    assert path.read_bytes() == before
