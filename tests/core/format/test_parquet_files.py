from __future__ import annotations

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from tlc.table import Table

ROWS = [
    {"number": 1, "part": 0.5, "text": "ä", "yes": True, "vector": [1, 2], "pair": {"a": 1}},
    {"number": None, "part": None, "text": "", "yes": None, "vector": [], "pair": {"a": None}},
]


@pytest.fixture
def table():
    return Table.from_dict({name: [row[name] for row in ROWS] for name in ROWS[0]})


@pytest.fixture
def pattern(table):
    return str(table.url / "data" / "*.parquet")


def test_duckdb_reads_the_data_files(pattern):
    relation = duckdb.sql(f"select * from '{pattern}'")
    assert relation.columns == list(ROWS[0])
    assert [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()] == ROWS


def test_polars_reads_the_data_files(pattern):
    assert pl.read_parquet(pattern).to_dicts() == ROWS


def test_pandas_reads_the_data_files(table):
    frame = pd.read_parquet((table.url / "data").to_str())
    assert frame["text"].tolist() == ["ä", ""]
    assert frame["vector"].map(list).tolist() == [[1, 2], []]


def test_the_data_files_of_a_squashed_table_hold_its_rows_only(table):
    squashed = table.set_values("text", [1], ["new"]).squash()
    rows = duckdb.sql(f"select text from '{squashed.url / 'data' / '*.parquet'}'").fetchall()
    assert rows == [("ä",), ("new",)]


def test_files_have_page_checksums_and_are_compressed(table):
    (file,) = (table.url / "data").to_local_path().iterdir()
    column = pq.ParquetFile(file).metadata.row_group(0).column(0)
    assert column.compression in {"ZSTD", "LZ4"}


def test_a_long_table_has_row_groups_of_128k_rows_and_reads_back_in_order():
    count = 300_000
    table = Table.from_dict({"n": range(count)})
    (file,) = (table.url / "data").to_local_path().iterdir()
    metadata = pq.ParquetFile(file).metadata
    assert [metadata.row_group(i).num_rows for i in range(3)] == [131_072, 131_072, 37_856]
    assert table.column("n").to_numpy().tolist() == list(range(count))
