"""However columns are packed, every reader finds in them what was written."""

from __future__ import annotations

import io
from itertools import pairwise

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlc.format.parquet.writing import encode

COUNT = 3000
RNG = np.random.default_rng(0)


def with_nulls(values):
    return pa.array(values.tolist(), mask=np.arange(COUNT) % 7 == 0)


NUMBERS = RNG.integers(-(2**62), 2**62, COUNT)
COLUMNS = {
    "count": pa.array(np.arange(COUNT)),
    "count.down": pa.array(np.arange(COUNT)[::-1].astype(np.int32)),
    "wide": pa.array(NUMBERS),
    "wide_null": with_nulls(NUMBERS),
    "few_wide": pa.array(NUMBERS[:3][RNG.integers(0, 3, COUNT)]),
    "label": pa.array(RNG.integers(0, 10, COUNT).astype(np.int8)),
    "uint16": pa.array(RNG.integers(0, 2**16, COUNT).astype(np.uint16)),
    "uint32": pa.array(RNG.integers(0, 2**32, COUNT).astype(np.uint32)),
    "uint64": pa.array(RNG.integers(0, 2**63, COUNT).astype(np.uint64) * 2 + 1),
    "constant": pa.array(np.full(COUNT, 7)),
    "rare": pa.array(np.where(np.arange(COUNT) == 1234, 2**40, 0)),
    "float32": pa.array(RNG.random(COUNT).astype(np.float32)),
    "float64": pa.array(RNG.random(COUNT)),
    "float_null": with_nulls(RNG.random(COUNT)),
    "rounded": pa.array(np.round(RNG.random(COUNT), 1)),
    "ones": pa.array(np.ones(COUNT, np.float32)),
    "infinite": pa.array(np.array([np.inf, -np.inf, 0.0, -0.0, 1e-320] * (COUNT // 5))),
    "bool": pa.array(RNG.random(COUNT) < 0.5),
    "word": pa.array(["dog", "cat", None] * (COUNT // 3)),
    "path": pa.array([f"/data/{i:05}é.jpg" for i in range(COUNT)]),
    "bytes": pa.array([bytes([i % 256]) for i in range(COUNT)]),
    "nothing": pa.nulls(COUNT, pa.float32()),
    "vector": pa.FixedSizeListArray.from_arrays(pa.array(RNG.random(COUNT * 4)), 4),
    "ragged": pa.array([[i, i + 1][: i % 3] if i % 5 else None for i in range(COUNT)]),
    "boxes": pa.array([{"x": i / 2, "l": [{"k": i, "t": "u"}] * (i % 3)} for i in range(COUNT)]),
}


def encoded(columns):
    return encode(pa.table(columns))


def read_back(table):
    """Return what Arrow reads; that a column has no nulls is written, and not compared."""
    return pq.read_table(io.BytesIO(encode(table))).cast(table.schema)


def test_what_is_read_is_what_was_written():
    table = pa.table(COLUMNS)
    assert read_back(table).equals(table)


def test_others_read_the_same(tmp_path):
    path = tmp_path / "x.parquet"
    path.write_bytes(encoded(COLUMNS))
    by_polars = pl.read_parquet(path)
    by_duckdb = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    for i, (name, column) in enumerate(COLUMNS.items()):
        expected = column.to_pylist()
        assert by_polars[name].to_list() == expected, name
        found = [row[i] for row in by_duckdb]
        assert [list(v) if isinstance(v, tuple) else v for v in found] == expected, name


@given(data=st.data(), names=st.lists(st.sampled_from(sorted(COLUMNS)), unique=True, min_size=1))
@settings(max_examples=40, deadline=None)
def test_chunks_and_slices_make_no_difference(data, names):
    cuts = sorted(data.draw(st.lists(st.integers(0, COUNT), min_size=2, max_size=4)))
    table = pa.table({name: COLUMNS[name] for name in names})
    parts = [table.slice(a, b - a) for a, b in pairwise(cuts)]
    chunked = pa.concat_tables(parts)
    assert read_back(chunked).equals(chunked)


def test_a_dot_in_a_name_may_make_one_path_of_two_columns():
    columns = {"a.b": COLUMNS["word"], "a": pa.array([{"b": i} for i in range(COUNT)])}
    assert pq.read_table(io.BytesIO(encoded(columns))).to_pydict() == pa.table(columns).to_pydict()


def test_metrics_of_a_row_take_less_than_eight_bytes():
    count = 131_072
    loss = RNG.exponential(size=count)
    columns = {
        "example_id": np.arange(count),
        "epoch": np.full(count, 3, np.int32),
        "loss": loss.astype(np.float32),
        "predicted": RNG.integers(0, 10, count, dtype=np.int32),
        "confidence": (1 / (1 + loss)).astype(np.float32),
    }
    assert len(encoded(columns)) <= 8 * count


@pytest.mark.parametrize("name", sorted(COLUMNS))
def test_no_column_takes_much_more_than_with_a_dictionary(name):
    """Which is what Arrow does by itself."""
    sink = io.BytesIO()
    table = pa.table({name: COLUMNS[name]})
    pq.write_table(table, sink, compression="zstd")
    assert len(encode(table)) <= 1.3 * len(sink.getvalue()) + 1000
