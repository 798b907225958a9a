from __future__ import annotations

import multiprocessing
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tlc import schemas
from tlc.errors import (
    CellError,
    ObjectExistsError,
    OptionError,
    WriterStateError,
)
from tlc.table import Table
from tlc.url import Url
from tlc.writers import TableWriter


def column(table, name="n"):
    return [row[name] for row in table.table_rows]


def written(*parts, **options):
    """Return the table of rows (dicts of values) and batches (dicts of sequences)."""
    writer = TableWriter(if_exists="overwrite", **options)
    for part in parts:
        sequences = all(
            isinstance(v, list | np.ndarray | torch.Tensor | pa.Array) for v in part.values()
        )
        (writer.add_batch if sequences else writer.add_row)(part)
    return writer.finalize()


def test_rows_and_batches_may_be_mixed_and_keep_their_order():
    table = written({"n": 0}, {"n": [1, 2]}, {"n": 3}, {"n": 4}, {"n": np.arange(5, 8)}, {"n": []})
    assert column(table) == list(range(8))
    assert column(Table.from_url(table.url)) == list(range(8))


steps = st.lists(
    st.integers(0, 99) | st.lists(st.integers(0, 99), max_size=4) | st.floats(-9, 9), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(steps)
def test_any_mixture_of_rows_and_batches_comes_back(parts):
    table = written(*({"n": part} for part in parts), schema=None if parts else {"n": FLOAT})
    expected = [n for part in parts for n in (part if isinstance(part, list) else [part])]
    assert column(table) == expected


FLOAT = schemas.Float64Schema()


def test_a_long_table_is_written_in_several_files():
    writer = TableWriter()
    for start in range(0, 300_000, 1000):
        writer.add_batch({"n": np.arange(start, start + 1000)})
    for number in range(300_000, 310_000):
        writer.add_row({"n": number})
    assert writer.row_count == 310_000
    table = writer.finalize()
    assert len(list((table.url / "data").to_local_path().iterdir())) == 3
    assert np.array_equal(table.column("n").to_numpy(), np.arange(310_000))


def test_names_place_and_lineage_are_as_given(table_of, tmp_path):
    parent = table_of({"n": [1]})
    writer = TableWriter("t", "d", "p", "why", root_url=tmp_path, input_tables=[parent.url])
    writer.add_row({"n": 1})
    table = writer.finalize()
    assert table.url.to_str() == f"{tmp_path}/p/datasets/d/tables/t"
    assert (table.description, table.input_tables) == ("why", [parent.url])
    assert parent.latest() == parent


@pytest.fixture
def table_of():
    return lambda data: Table.from_dict(data, table_name="parent")


def test_names_may_be_left_out_and_a_url_given(tmp_path):
    assert (
        TableWriter()
        ._builder.folder.to_str()
        .endswith("/default-project/datasets/default-dataset/tables/table")
    )
    writer = TableWriter(table_url=tmp_path / "somewhere" / "t")
    writer.add_row({"image": Image.new("L", (1, 1))})
    table = writer.finalize()
    assert table.url == Url(tmp_path / "somewhere" / "t")
    assert table.table_rows[0]["image"].startswith(f"{table.url}/bulk_data/image/")


def test_no_rows_make_a_table_with_the_declared_columns():
    assert written().columns == []
    table = written(schema={"n": schemas.Int32Schema(), "w": schemas.SampleWeightSchema()})
    assert (len(table), table.columns) == (0, ["n", "w"])


# Schemas


def test_columns_without_a_schema_are_inferred():
    table = written(
        {"name": "a", "age": 3, "path": Path("/a"), "vector": np.zeros(2, np.float32)},
        schema={"age": schemas.Int8Schema()},
    )
    types = [str(table.column(name).type) for name in ("name", "age", "path", "vector")]
    assert types == ["string", "int8", "string", "fixed_size_list<element: float>[2]"]
    assert table.columns == ["name", "age", "path", "vector"]


def test_no_weights_are_added():
    assert written({"n": 1}).columns == ["n"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (1, 0.5, [1.0, 0.5]),
        (None, "x", [None, "x"]),
        ([], [1], [[], [1]]),
        ([1], [0.5], [[1.0], [0.5]]),
        (np.int8(1), 1000, [1, 1000]),
        ({"a": 1}, {"a": 0.5, "b": "x"}, [{"a": 1.0, "b": None}, {"a": 0.5, "b": "x"}]),
        (np.zeros(1), np.ones(2), [[0], [1, 1]]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("batches", [(False, False), (True, False), (False, True), (True, True)])
def test_later_values_widen_what_was_inferred(first, second, expected, batches):
    writer = TableWriter()
    for value, batch in zip((first, second), batches, strict=True):
        if batch:
            writer.add_batch({"n": [value]})
        else:
            writer.add_row({"n": value})
    assert column(writer.finalize()) == expected


def test_what_is_on_disk_is_not_widened():
    writer = TableWriter()
    writer.add_batch({"n": np.arange(200_000)})
    with pytest.raises(CellError, match="Row 200000, column 'n'"):
        writer.add_row({"n": 0.5})
    writer.add_row({"n": 1.0})
    assert writer.finalize().table_rows[-1] == {"n": 1}


def test_what_is_declared_is_not_widened():
    writer = TableWriter(schema={"n": schemas.Int32Schema()})
    writer.add_row({"n": 1})
    with pytest.raises(CellError):
        writer.add_batch({"n": [2, 0.5]})
    assert column(writer.finalize()) == [1]


def test_declared_columns_have_default_values():
    schema = {
        "n": schemas.Int32Schema(),
        "weight": schemas.SampleWeightSchema(),
        "split": schemas.StringSchema(default_value="train"),
    }
    table = written({"n": 1}, {"n": [2, 3]}, {"n": 4, "weight": 0.0, "split": "val"}, schema=schema)
    assert column(table, "weight") == [1.0, 1.0, 1.0, 0.0]
    assert column(table, "split") == ["train"] * 3 + ["val"]
    assert table[0] == {"n": 1, "split": "train"}


def test_cells_may_be_in_sample_or_in_row_form(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (1, 1), 7).save(path)
    image = Image.new("L", (1, 1), 8)
    cells = [image, str(path), path, Url(path), None, path.read_bytes()]
    table = written({"n": cells}, schema={"n": schemas.ImageSchema()})
    assert [s["n"] and s["n"].getpixel((0, 0)) for s in table] == [8, 7, 7, 7, None, 7]
    assert column(table)[1:5] == [str(path)] * 3 + [None]
    copied = TableWriter("copy", schema=table.rows_schema.values)
    for row in table.table_rows:
        copied.add_row(row)
    assert column(copied.finalize()) == column(table)


def test_a_default_dict_is_a_batch():
    batch = defaultdict(list)
    batch["n"] += [1, 2]
    assert column(written(batch)) == [1, 2]


def test_a_buffer_may_be_used_again():
    writer = TableWriter()
    buffer, cell = np.zeros(2), [0]
    for number in range(3):
        buffer[:], cell[0] = number, number
        writer.add_batch({"n": buffer, "m": [cell, cell]})
        writer.add_row({"n": number, "m": cell})
    cell[0] = 9
    table = writer.finalize()
    assert column(table) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert column(table, "m") == [[0], [0], [0], [1], [1], [1], [2], [2], [2]]


# Names, and who gets them


def test_a_taken_name():
    first = written({"n": 1}, table_name="t")
    with pytest.raises(ObjectExistsError):
        TableWriter("t", if_exists="raise")
    with pytest.raises(OptionError, match="'overwrite', 'raise', 'rename'"):
        TableWriter("t", if_exists="reuse")
    writer = TableWriter("t")
    writer.add_row({"n": 2})
    assert (writer.finalize().name, column(first)) == ("t_0000", [1])


def write_as(name, value, if_exists):
    try:
        writer = TableWriter(name, if_exists=if_exists)
        writer.add_row({"n": value, "image": Image.new("L", (1, 1), value)})
        return writer.finalize().url.to_str()
    except ObjectExistsError:
        return None


POOLS = {
    "threads": lambda: ThreadPoolExecutor(8),
    "processes": lambda: ProcessPoolExecutor(4, multiprocessing.get_context("fork")),
}


@pytest.mark.parametrize("kind", POOLS)
def test_many_writers_of_one_name(kind):
    with POOLS[kind]() as pool:
        renamed = list(pool.map(write_as, ["t"] * 8, range(8), ["rename"] * 8))
        only = list(pool.map(write_as, ["u"] * 8, range(8), ["raise"] * 8))
    tables = [Table.from_url(url) for url in renamed]
    assert len({table.url for table in tables}) == 8
    assert [table[0]["n"] for table in tables] == list(range(8))
    assert [table[0]["image"].getpixel((0, 0)) for table in tables] == list(range(8))
    (winner,) = [url for url in only if url]
    assert column(Table.from_url(winner)) == [only.index(winner)]


# The end


def test_after_the_end_nothing_more_is_taken():
    writer = TableWriter()
    writer.add_row({"n": 1})
    writer.finalize()
    for late in (lambda: writer.add_row({"n": 2}), lambda: writer.add_batch({}), writer.finalize):
        with pytest.raises(WriterStateError, match="was finalized already"):
            late()


def test_the_end_of_a_block_finalizes():
    with TableWriter("t") as writer:
        writer.add_row({"n": 1})
    assert column(Table.from_names("t")) == [1]
    with TableWriter("u") as writer:
        table = writer.finalize()
    assert table.name == "u"


def write_until_it_fails(writer):
    with writer:
        writer.add_batch({"n": range(200_000)})
        writer.add_row({"n": 1 // 0})


def test_an_error_in_a_block_leaves_no_table():
    writer = TableWriter("t")
    with pytest.raises(ZeroDivisionError):
        write_until_it_fails(writer)
    with pytest.raises(WriterStateError, match="was aborted already"):
        writer.add_row({"n": 1})
    with pytest.raises(FileNotFoundError):
        Table.from_names("t", dataset_name="other")
    with pytest.raises(ValueError, match="did not finish"):
        Table.from_names("t")
    assert written({"n": 1}, table_name="t").name == "t"
