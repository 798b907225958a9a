"""A table may be larger than memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.reliability.scale import size

from tlc.configuration import Configuration
from tlc.schemas import Float32Schema
from tlc.writers import TableWriter

STEP, WIDTH = 131_072, 24
PARTS, MEGABYTES = size(24, 200), 105


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A table that takes three times as much memory as is allowed, and far more in torture."""
    vectors = np.zeros((STEP, WIDTH), np.float32)
    schema = {"vector": Float32Schema(shape=(WIDTH,))}
    writer = TableWriter(table_url=tmp_path_factory.mktemp("large") / "table", schema=schema)
    for first in range(0, PARTS * STEP, STEP):
        numbers = np.arange(first, first + STEP)
        texts = pa.array([f"row {number}" for number in numbers])
        writer.add_batch({"n": numbers, "text": texts, "vector": vectors})
    table = writer.finalize()
    assert table.row_count * (WIDTH * 4 + 8 + 12) > 3 * (MEGABYTES << 20)
    return table


@pytest.mark.skipif(sys.platform != "linux", reason="limits on memory are those of Linux")
@pytest.mark.parametrize(
    ("kind", "cache"), [("DATA", 16 << 30), ("DATA", 0), ("AS", 16 << 30)], ids=str
)
def test_a_table_larger_than_memory_is_read_in_order_and_anywhere(large, kind, cache, monkeypatch):
    monkeypatch.setenv("TLC_CACHE_SIZE", str(cache))
    # Arrow's own allocator asks for a gigabyte of addresses at once, whatever is needed; that of
    # the system keeps what was freed, unless it is told not to.
    monkeypatch.setenv("ARROW_DEFAULT_MEMORY_POOL", "system")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    child = Path(__file__).with_name("small_memory.py")
    arguments = [sys.executable, "-W", "ignore", child, kind, str(MEGABYTES), str(large.url)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = len(large)
    expected = {"total": rows * (rows - 1) // 2, "anywhere": True, "batch": True}
    assert json.loads(done.stdout) == expected
    in_files = list(Path(Configuration.instance().cache_folder).glob("columns-*/*/header.json"))
    assert bool(in_files) == (cache > 0)
