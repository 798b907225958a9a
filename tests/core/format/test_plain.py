"""Cells as NumPy sees them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tlc.format.plain import numbers_of


@pytest.mark.parametrize("spare", [0, 1, 3, 4, 7])
@pytest.mark.parametrize("offset", [0, 2])
def test_numbers_are_read_from_memory_of_any_length(spare, offset):
    memory = pa.py_buffer(np.arange(5, dtype=np.int32).tobytes() + bytes(spare))
    cells = pa.Array.from_buffers(pa.int32(), 5 - offset, [None, memory], offset=offset)
    assert numbers_of(cells).tolist() == list(range(offset, 5))


def test_there_may_be_no_memory_at_all():
    assert numbers_of(pa.array([], pa.int64())).tolist() == []
