"""Our run-length codec and drawing of polygons, against `pycocotools`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as oracle

from tlc.data_types import rle
from tlc.data_types.rasterize import rasterize, rles_of_polygons
from tlc.errors import SchemaError

MASKS = hnp.arrays(
    np.uint8, hnp.array_shapes(min_dims=3, max_dims=3, max_side=12), elements=st.integers(0, 1)
)
SIDES = st.integers(1, 60)
# Those on the corners and middles of pixels are where rounding shows.
PLACES = st.one_of(
    st.floats(-20, 80, width=32),
    st.integers(-40, 160).map(lambda number: number / 2),
    st.integers(-2000, 8000).map(lambda number: number / 100),
)
POLYGONS = st.integers(3, 8).flatmap(
    lambda corners: st.lists(PLACES, min_size=2 * corners, max_size=2 * corners)
)


@given(masks=MASKS)
def test_masks_are_encoded_and_decoded_as_pycocotools_does(masks):
    height, width, _ = masks.shape
    expected = oracle.encode(np.asfortranarray(masks))
    rles = rle.encode_masks(masks)
    assert rles == [each["counts"] for each in expected]
    decoded = rle.decode_masks(rles, height, width)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, masks)
    assert rle.areas(rles).tolist() == oracle.area(expected).tolist()
    around = [rle.bounding_box(each, height) for each in rles]
    assert around == [tuple(box) for box in oracle.toBbox(expected).tolist()]


@pytest.mark.parametrize("share", [0, 1e-5, 0.5, 1 - 1e-5, 1])
def test_large_masks_have_long_runs(share):
    masks = np.random.default_rng(0).random((800, 1100, 2)) < share
    expected = oracle.encode(np.asfortranarray(masks.astype(np.uint8)))
    rles = rle.encode_masks(masks)
    assert rles == [each["counts"] for each in expected]
    np.testing.assert_array_equal(rle.decode_masks(rles, 800, 1100), masks)


def test_no_masks_and_no_pixels():
    assert rle.encode_masks(np.zeros((3, 4, 0))) == []
    assert rle.decode_masks([], 3, 4).shape == (3, 4, 0)
    assert rle.decode_masks(rle.encode_masks(np.zeros((0, 4, 2))), 0, 4).shape == (0, 4, 2)


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param(b"\xff", id="not a character of counts"),
        pytest.param(b"2P", id="ends within a number"),
        pytest.param(b"PPPPPPPPPPPPPP1", id="a number without end"),
        pytest.param(b"5", id="too few pixels"),
        pytest.param(b"l0", id="too many pixels"),
        pytest.param(b"O=", id="a negative run"),
    ],
)
def test_damaged_counts_are_refused(counts):
    with pytest.raises(SchemaError):
        rle.decode_masks([counts], 3, 4)


@settings(max_examples=300)
@given(polygon=POLYGONS, height=SIDES, width=SIDES)
def test_a_polygon_has_the_pixels_that_pycocotools_gives_it(polygon, height, width):
    expected = oracle.frPyObjects([polygon], height, width)
    assert rasterize([[polygon]], height, width) == [expected[0]["counts"]]


@given(parts=st.lists(POLYGONS, min_size=1, max_size=4), height=SIDES, width=SIDES)
def test_parts_are_merged_as_pycocotools_does(parts, height, width):
    expected = oracle.merge(oracle.frPyObjects(parts, height, width))["counts"]
    empty = rle.encode_masks(np.zeros((height, width, 1)))[0]
    found = rasterize([parts, [], [parts[0][:4]], parts], height, width)
    assert found == [expected, empty, empty, expected]


def test_many_polygons_of_many_images_at_once():
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 200, (5000, 2))
    corners = rng.integers(3, 20, 5000)
    points = [rng.uniform(-10, 210, (count, 2)) for count in corners]
    offsets = np.concatenate([[0], np.cumsum(corners)])
    found = rle.split(
        *rles_of_polygons(
            np.concatenate(points), offsets, np.arange(5001), sizes[:, 0], sizes[:, 1]
        )
    )
    for counts, polygon, (height, width) in zip(found, points, sizes.tolist(), strict=True):
        expected = oracle.frPyObjects([polygon.ravel().tolist()], height, width)
        assert counts == expected[0]["counts"]
