"""Masks of which only a region may have pixels are encoded as those of the whole image."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tlc.data_types import rle


@st.composite
def regions(draw, height, width):
    y, x = draw(st.integers(0, height)), draw(st.integers(0, width))
    shape = draw(st.integers(0, height - y)), draw(st.integers(0, width - x))
    return draw(arrays.arrays(bool, shape)), (x, y)


@given(st.data(), st.integers(1, 7), st.integers(1, 7))
def test_counts_are_those_of_the_whole_masks(data, height, width):
    made = data.draw(st.lists(regions(height, width), max_size=3))
    whole = np.zeros((height, width, len(made)), np.uint8)
    for number, (region, (x, y)) in enumerate(made):
        rows, columns = region.shape
        whole[y : y + rows, x : x + columns, number] = region
    found = rle.encode_regions([r for r, _ in made], [at for _, at in made], height, width)
    assert found == rle.encode_masks(whole)
