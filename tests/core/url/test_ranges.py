from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.url.ranges import READ_AHEAD, RangeFile

CONTENT = bytes(range(251)) * 3000


def opened(fetched, head=b""):
    def fetch(start, stop):
        fetched.append((start, stop))
        return CONTENT[start:stop]

    return RangeFile(fetch, len(CONTENT), head)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 900_000), st.integers(-1, 400_000))
    )
)
def test_reads_as_a_file_does(steps):
    file, model = opened([], CONTENT[:1000]), io.BytesIO(CONTENT)
    for whence, offset, size in steps:
        place = -offset if whence == 2 else offset
        if whence == 2 and offset > len(CONTENT):
            continue
        assert file.seek(place, whence) == model.seek(place, whence)
        assert file.read(size) == model.read(size)
        assert file.tell() == model.tell()


def test_fetches_a_little_ahead_and_nothing_twice():
    fetched = []
    file = opened(fetched, CONTENT[:1000])
    assert file.read(1000) == CONTENT[:1000]
    assert fetched == []
    assert file.read(10) + file.read(100) == CONTENT[1000:1110]
    assert fetched == [(1000, 1000 + READ_AHEAD)]
    file.seek(400_000)
    assert file.read(200_000) == CONTENT[400_000:600_000]
    assert fetched[1:] == [(400_000, 600_000)]


def test_serves_where_python_wants_a_raw_file():
    with io.BufferedReader(opened([])) as file:
        assert file.readable()
        assert file.seekable()
        assert file.read() == CONTENT
    raw = opened([])
    assert raw.readall() == CONTENT
    with pytest.raises(ValueError, match="before the start"):
        raw.seek(-1)
