"""Decoded columns in files, which the worker processes of a loader share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from torch.utils.data import DataLoader

import tlc
from tlc.configuration import Configuration
from tlc.errors import CacheWarning
from tlc.format.column_cache import cached_columns
from tlc.format.column_files import ColumnWriter, map_piece
from tlc.format.stack import StackReader
from tlc.schemas.arrow import arrow_type
from tlc.table import Table

ROWS = 300_000  # three row groups, more than workers decode each for itself


@pytest.fixture
def table():
    numbers = np.arange(ROWS)
    return Table.from_dict(
        {
            "n": numbers,
            "half": numbers / 2,
            "name": pa.array([f"row {n}" for n in numbers]),
            "odd": numbers % 2 == 1,
        },
        table_name="long",
    )


def folders():
    """Return the columns in the cache."""
    root = Path(Configuration.instance().cache_folder)
    return sorted(path.parent for path in root.glob("columns-*/*/header.json"))


def reader_of(table):
    schema = table.rows_schema.values
    types = {name: arrow_type(part) for name, part in schema.items()}
    return StackReader(table._manifest.stack, table.url, types, schema)


def cached(table, names=("n", "name")):
    return cached_columns(reader_of(table), names, 1000)


def read_by_workers(table, context):
    view = table.columns_view(["n", "half", "name", "odd"])
    loader = DataLoader(
        view,
        batch_size=10_000,
        num_workers=2,
        multiprocessing_context=context,
        collate_fn=tlc.collate_columns,
    )
    return [(b["n"].tolist(), b["half"].tolist(), b["name"], b["odd"].tolist()) for b in loader]


def test_workers_share_one_copy_and_read_what_is_there(table):
    numbers = list(range(ROWS))
    for context in ("fork", "spawn"):
        batches = read_by_workers(Table.from_url(table.url), context)
        assert [n for batch in batches for n in batch[0]] == numbers
        assert [n for batch in batches for n in batch[1]] == [n / 2 for n in numbers]
        assert batches[7][2] == [f"row {n}" for n in batches[7][0]]
        assert batches[7][3] == [n % 2 == 1 for n in batches[7][0]]
        if context == "fork":
            made = {folder: folder.stat().st_mtime_ns for folder in folders()}
    assert len(made) == 4
    assert {folder: folder.stat().st_mtime_ns for folder in folders()} == made


def test_this_process_reads_without_files(table):
    opened = Table.from_url(table.url)
    assert [opened[row]["n"] for row in (0, ROWS - 1, 5)] == [0, ROWS - 1, 5]
    assert len(opened.__getitems__(list(range(0, ROWS, 999)))) == 301
    assert folders() == []


def test_a_revision_shares_the_columns_that_did_not_change(table):
    cached(table)
    assert len(folders()) == 2
    revision = table.set_values("n", [7], [-7])
    found = cached(revision)
    assert found["n"][0][7].as_py() == -7
    assert found["name"][0].equals(table.column("name"))
    assert len(folders()) == 3


def break_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut(file):
    os.truncate(file, file.stat().st_size - 8)


def restart(file):
    """Let the files be from before the last start of the system, and one of them damaged."""
    checked = file.parent / "checked.json"
    state = json.loads(checked.read_text())
    status = file.stat()
    break_bit(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    checked.write_text(json.dumps({**state, "boot": "another"}))


def empty_header(file):
    (file.parent / "header.json").write_bytes(b"")


def other_header(file):
    header = json.loads((file.parent / "header.json").read_text())
    (file.parent / "header.json").write_text(json.dumps({**header, "type": "int8"}))


DAMAGES = [break_bit, cut, restart, Path.unlink, empty_header, other_header]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_column_is_made_again(table, damage):
    expected = {name: table.column(name) for name in ("n", "name")}
    cached(table)
    for folder in folders():
        damage(max(folder.glob("buffer-*"), key=lambda path: path.stat().st_size))
    assert cached_columns(reader_of(table), ["n", "name"], None) is None
    for _ in range(2):
        found = cached(table)
        assert {name: pieces[0] for name, pieces in found.items()} == expected


def test_files_of_an_earlier_start_are_checked_once_and_used(table):
    cached(table)
    (folder, _) = folders()
    checked = folder / "checked.json"
    state = checked.read_text()
    checked.write_text(json.dumps({**json.loads(state), "boot": "another"}))
    before = folder.stat().st_ino
    assert cached(table)["n"][0].equals(table.column("n"))
    assert checked.read_text() == state
    assert folder.stat().st_ino == before


def test_what_was_not_used_for_the_longest_time_makes_room(table, monkeypatch):
    other = Table.from_dict({"n": np.arange(ROWS)}, table_name="other")
    cached(table, ["n"])
    cached(table, ["half"])
    oldest, kept = sorted(folders(), key=lambda folder: (folder / "header.json").stat().st_mtime)
    monkeypatch.setenv("TLC_CACHE_SIZE", str(8 * ROWS * 2 + 10_000))
    size = 8 * ROWS + 1000
    assert cached_columns(reader_of(other), ["n"], size)["n"][0].equals(other.column("n"))
    assert oldest not in folders()
    assert kept in folders()
    assert len(folders()) == 2


@pytest.mark.parametrize("size", [0, 999])
def test_what_is_larger_than_the_cache_is_not_put_there(table, monkeypatch, size):
    monkeypatch.setenv("TLC_CACHE_SIZE", str(size))
    assert cached(table) is None
    assert folders() == []


def test_a_cache_that_cannot_be_written_is_told_and_the_rows_are_read(table, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TLC_CACHE_FOLDER", str(tmp_path / "file" / "cache"))
    with pytest.warns(CacheWarning, match="cannot be kept in the cache"):
        assert cached(table) is None


def test_a_table_that_is_not_finished_is_not_cached():
    tlc.init("p")
    with tlc.MetricsTableWriter() as writer:
        writer.add_batch({"loss": [1.0]})
        writer.flush()
        partial = Table.from_url(writer.url)
        assert partial.is_partial
        assert cached(partial, ["loss"]) is None


TYPES = {
    "numbers": (pa.int16(), [1, None, -3]),
    "booleans": (pa.bool_(), [True, None, False] * 5),
    "texts": (pa.string(), ["a", None, "", "äö"]),
    "bytes": (pa.binary(), [b"a", b"", None]),
    "lists": (pa.list_(pa.string()), [["a", None], [], None, ["b"]]),
    "fixed": (pa.list_(pa.float32(), 2), [[1, 2], None, [None, 4]]),
    "structs": (
        pa.struct([("a", pa.int8()), ("b", pa.list_(pa.list_(pa.bool_(), 1)))]),
        [{"a": 1, "b": [[True]]}, None, {"a": None, "b": None}, {"a": 2, "b": []}],
    ),
}


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("kind", TYPES)
def test_arrays_come_back_from_files_whatever_their_type(kind, pieces, tmp_path, monkeypatch):
    type_, values = TYPES[kind]
    cells = pa.array(values * 4, type_)
    parts = [cells[:5], cells[5:5], cells[5:6], cells[6:]]
    if pieces > 1 and pa.types.is_nested(type_) | pa.types.is_string(type_):
        monkeypatch.setattr("tlc.format.column_files._LARGEST_PIECE", 1)
    writer = ColumnWriter(tmp_path, "buffer", type_)
    for part in parts:
        writer.append(part)
    made = writer.finish()
    found = [map_piece(tmp_path, piece, type_) for piece in made]
    for array in found:
        array.validate(full=True)
    assert [cell for array in found for cell in array.to_pylist()] == cells.to_pylist()
    assert sum(piece.rows for piece in made) == len(cells)
