"""Footers at which Arrow would end the process."""

from __future__ import annotations

import io
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tlc.format.parquet.footer import footer
from tlc.format.parquet.footer_check import check_footer

TABLE = pa.table(
    {
        "number": [1, 2, 3],
        "flag": [True, None, False],
        "list": [[1.0], [], [2.0, 3.0]],
        "text": [["a"], ["b", "c"], None],
        "struct": [{"x": 1}, {"x": None}, None],
    }
)


@pytest.fixture(scope="module")
def good():
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, row_group_size=2, write_page_index=True)
    return sink.getvalue()


def test_footers_of_arrow_pass(good):
    check_footer(bytes(footer(good)), pq.ParquetFile(io.BytesIO(good)).metadata)


def test_a_footer_that_has_no_end_is_refused(good):
    metadata = pq.ParquetFile(io.BytesIO(good)).metadata
    end = bytes(footer(good))
    for length in (1, 10, len(end) // 2, len(end) - 20):
        with pytest.raises(ValueError, match="footer"):
            check_footer(end[:length], metadata)


def changed(good, position, byte):
    start = len(good) - len(footer(good))
    return good[: start + position] + bytes([byte]) + good[start + position + 1 :]


CODE = """
import io, sys
import pyarrow.parquet as pq
metadata = pq.ParquetFile(io.BytesIO(sys.stdin.buffer.read())).metadata
for group in range(metadata.num_row_groups):
    for column in range(metadata.num_columns):
        metadata.row_group(group).column(column)
"""


def test_whatever_ends_the_process_is_refused_before(good):
    """Change each byte of the footer in ways that once did; see what the rest does to Arrow."""
    refused, passed = [], []
    for position in range(len(footer(good)) - 8):
        for byte in (0x19, 0x16, 0x26, 0x36, 0x29):
            data = changed(good, position, byte)
            try:
                metadata = pq.ParquetFile(io.BytesIO(data)).metadata
            except (OSError, pa.ArrowException):
                continue
            try:
                check_footer(bytes(footer(data)), metadata)
            except ValueError as error:
                refused.append((str(error), data))
            else:
                passed.append(metadata)
    for metadata in passed:
        for group in range(metadata.num_row_groups):
            for column in range(metadata.num_columns):
                metadata.row_group(group).column(column)
    fatal = [data for text, data in refused if "levels instead of" in text][:1]
    assert fatal
    done = subprocess.run([sys.executable, "-c", CODE], input=fatal[0], capture_output=True)
    assert done.returncode != 0
