"""What is exported and imported again is the same table."""

from __future__ import annotations

import json

import datasets
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.core.export.tables import FLAT, NUMBERS, comparable, make_table, rows_of, tables

import tlc
from tlc.export import exported_rows, to_hugging_face_dataset

again = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def imported(factory, place, found, **options):
    return factory(
        place,
        found,
        table_name="imported",
        if_exists="overwrite",
        add_weight_column=False,
        **options,
    )


@again
@given(tables())
def test_parquet(tmp_path, given):
    table = make_table(*given)
    place = table.export(tmp_path / "o.parquet")
    back = imported(tlc.Table.from_parquet, place, None)
    assert rows_of(back) == rows_of(table)
    assert back.rows_schema == table.rows_schema
    read = pq.ParquetFile(tmp_path / "o.parquet").read()
    assert [comparable(row) for row in read.to_pylist()] == rows_of(table)
    assert read.schema.types == [s.arrow_type for s in table.rows_schema.values.values()]


@again
@given(tables(finite=True, min_rows=1))
def test_ndjson(tmp_path, given):
    table = make_table(*given)
    place = table.export(tmp_path / "o.ndjson")
    back = imported(tlc.Table.from_ndjson, place, table.rows_schema.values)
    assert rows_of(back) == rows_of(table)
    read = [json.loads(line) for line in place.read().split("\n")[:-1]]
    assert read == list(exported_rows(table))


@again
@given(tables(finite=True))
def test_json_is_a_list_of_the_rows(tmp_path, given):
    table = make_table(*given)
    for indent in (0, 1, 4):
        text = table.export(tmp_path / "o.json", indent=indent).read()
        assert json.loads(text) == list(exported_rows(table))
        margins = {len(line) - len(line.lstrip(" ")) for line in text.split("\n")}
        assert all(margin % max(1, indent) == 0 for margin in margins)
        assert (text.count("\n") > 1) == (indent > 0 and len(table) > 0)


@again
@given(tables(FLAT, nullable=False, min_rows=1))
@example(({"text 0": ["", " a", 'x"', "1\r\n2", "=1+1"]}, {"text 0": tlc.schemas.StringSchema()}))
def test_csv(tmp_path, given):
    table = make_table(*given)
    place = table.export(tmp_path / "o.csv")
    back = imported(tlc.Table.from_csv, place, table.rows_schema.values)
    assert rows_of(back) == rows_of(table)


@again
@given(tables(NUMBERS, min_rows=1))
def test_csv_with_missing_numbers(tmp_path, given):
    table = make_table(*given)
    place = table.export(tmp_path / "o.csv")
    back = imported(tlc.Table.from_csv, place, table.rows_schema.values)
    assert rows_of(back) == rows_of(table)


@again
@given(tables())
def test_hugging_face_in_memory(given):
    table = make_table(*given)
    dataset = to_hugging_face_dataset(table)
    assert [comparable(row) for row in dataset] == rows_of(table)
    back = tlc.Table.from_hugging_face_dataset(
        dataset, table_name="imported", if_exists="overwrite", add_weight_column=False
    )
    assert rows_of(back) == rows_of(table)
    for name in table.columns:
        assert back.get_simple_value_map(name) == table.get_simple_value_map(name)


@settings(again, max_examples=8)
@given(tables(min_rows=1))
def test_hugging_face_on_disk(tmp_path_factory, given):
    table = make_table(*given)
    place = table.export(tmp_path_factory.mktemp("hf") / "o", "huggingface")
    read = datasets.load_from_disk(str(place))
    assert [comparable(row) for row in read] == rows_of(table)


@pytest.mark.parametrize("format", ["csv", "json", "ndjson", "parquet", "huggingface"])
def test_a_table_without_rows(format, tmp_path):
    table = make_table({"a": [], "b": []}, {"a": tlc.schemas.Float32Schema()})
    place = table.export(tmp_path / "o", format)
    expected = {"csv": "a,b\r\n", "json": "[]\n", "ndjson": ""}
    if format in expected:
        assert place.read_bytes().decode() == expected[format]
    elif format == "parquet":
        assert pq.ParquetFile(tmp_path / "o").read().column_names == ["a", "b"]
    else:
        assert datasets.load_from_disk(str(place)).column_names == ["a", "b"]
