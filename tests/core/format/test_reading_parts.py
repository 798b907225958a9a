"""Parquet files are read as far as they are asked for, and without surprises of size."""

from __future__ import annotations

from itertools import count

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tlc.errors import CorruptObjectError
from tlc.format.manifest import FileEntry, digest
from tlc.format.parquet.footer import footer
from tlc.format.parquet.limits import leaves_by_column, make_plan
from tlc.format.parquet.pages import page_headers
from tlc.format.parquet.reading import DataFile
from tlc.table import Table
from tlc.url import Url, UrlAdapterRegistry, register_url_adapter
from tlc.url.memory import MemoryUrlAdapter

ROWS = 150_000
numbers = count()


def written(columns, **options):
    """Return a file in memory, with its entry in a manifest."""
    sink = pa.BufferOutputStream()
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    pq.write_table(table, sink, write_page_checksum=True, **options)
    data = sink.getvalue().to_pybytes()
    url = Url(f"memory://files/{next(numbers)}.parquet")
    url.write_bytes(data)
    return DataFile(
        url, FileEntry(url.to_str(), len(data), digest(data), len(table), digest(footer(data)))
    )


TEXTS = [f"text number {number}" for number in range(ROWS)]
COLUMNS = {
    "dictionary": ({"c": TEXTS[:9] * 1000}, {}),
    "dictionary that fills up": ({"c": TEXTS}, {"dictionary_pagesize_limit": 10_000}),
    "plain": ({"c": TEXTS}, {"use_dictionary": False}),
    "shared starts": (
        {"c": TEXTS},
        {"use_dictionary": False, "column_encoding": {"c": "DELTA_BYTE_ARRAY"}},
    ),
    "lengths apart": (
        {"c": TEXTS},
        {"use_dictionary": False, "column_encoding": {"c": "DELTA_LENGTH_BYTE_ARRAY"}},
    ),
    "lists of texts": ({"c": [[text, "x"] for text in TEXTS[:5000]]}, {}),
    "structs": ({"c": [{"a": text, "b": [1.5]} for text in TEXTS[:5000]]}, {}),
    "missing": ({"c": [None, "a", None] * 5000}, {}),
    "lists with dictionaries": ({"c": [["a", None], [], None] * 5000}, {}),
    "newer pages": ({"c": TEXTS, "n": range(ROWS)}, {"data_page_version": "2.0"}),
    "arrow's own dictionary": ({"c": pa.array(TEXTS[:99] * 9).dictionary_encode()}, {}),
}


@pytest.mark.parametrize("limit", [1 << 30, 0], ids=["usual", "tight"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_columns_come_back_however_they_were_packed(kind, limit, monkeypatch):
    monkeypatch.setattr("tlc.format.parquet.limits._ALWAYS_ALLOWED", limit or 8 << 20)
    monkeypatch.setenv("TLC_MAX_DECODED_BYTES", str(limit))
    columns, options = COLUMNS[kind]
    file, expected = written(columns, **options), pa.table(columns)
    found = file.read(0, expected.column_names)
    for name, cells in found.items():
        assert cells.to_pylist() == expected[name].to_pylist()


def test_the_headers_of_pages_count_as_the_footer_does():
    columns = {"t": TEXTS, "n": range(ROWS), "l": [[number] * 3 for number in range(ROWS)]}
    file = written(columns)
    data = file.url.read_bytes()
    for number in range(3):
        chunk = file.metadata.row_group(0).column(number)
        start = chunk.dictionary_page_offset or chunk.data_page_offset
        read_at = lambda length, offset: data[offset : offset + length]  # noqa: E731
        pages = page_headers(read_at, start, chunk.total_compressed_size)
        assert sum(page.values for page in pages if not page.is_dictionary) == chunk.num_values
        assert len(pages) > 2


def test_a_plan_decodes_in_batches_what_might_explode(monkeypatch):
    monkeypatch.setenv("TLC_MAX_DECODED_BYTES", str(32 << 20))
    texts = ["x" * 100_000 + str(number) for number in range(500)]
    shared = {"use_dictionary": False, "column_encoding": {"c": "DELTA_BYTE_ARRAY"}}
    file = written({"c": texts}, **shared)
    data = file.url.read_bytes()
    leaves = leaves_by_column(file.metadata).items()
    plan = make_plan(file.metadata, 0, leaves, lambda length, at: data[at : at + length])
    assert (plan.direct, plan.as_dictionary) == ([], {})
    assert 1 <= plan.in_batches["c"] < 500


def test_text_that_is_no_text_is_damage():
    cells = pa.array([b"\xff\xfe", b"a"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, cells.buffers())
    with pytest.raises(CorruptObjectError, match="UTF8"):
        written({"c": text}).read(0, ["c"])


# What is fetched from elsewhere


class Watched(MemoryUrlAdapter):
    """Files in memory that are read in parts, as those of a store; counts the bytes."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def schemes(self):
        return ["watched"]

    def read_range(self, url, offset, length):
        self.requests.append(length)
        return super().read_range(url, offset, length)

    def open_binary(self, url):
        if not self.requests or not url.name.endswith(".json"):
            return super().open_binary(url)
        raise AssertionError("the whole file was read")


@pytest.fixture
def watched():
    register_url_adapter(Watched)
    adapter = UrlAdapterRegistry.find("watched")
    yield adapter
    UrlAdapterRegistry.unregister("watched")


def test_only_the_end_and_the_columns_asked_for_are_fetched(watched):
    rng = np.random.default_rng(0)
    columns = {f"c{number}": rng.random(400_000) for number in range(8)}
    table = Table.from_dict(columns, root_url="watched://store")
    (file,) = table._manifest.stack.layers[0].files
    watched.requests.clear()
    again = Table.from_url(table.url)
    assert again.column_parts(["c3"]) is not None
    first = next(iter(again.column_parts(["c3"])))
    assert np.array_equal(first["c3"].to_numpy(), columns["c3"][: len(first["c3"])])
    assert len(watched.requests) <= 4
    assert sum(watched.requests) < file.length / 8
    watched.requests.clear()
    assert again[399_999] == {name: values[-1] for name, values in columns.items()}
    assert sum(watched.requests) < file.length / 2
