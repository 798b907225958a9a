"""Lists that are taken as they are are those that a look at each item would leave as they are."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tlc.errors import SchemaError
from tlc.format import plain as module
from tlc.format.plain import plain
from tlc.format.plain_lists import copy_of_plain

LEAVES = [pa.float32(), pa.float64(), pa.int32(), pa.bool_(), pa.string(), pa.binary()]
values = st.one_of(
    st.floats(width=32),
    st.floats(),
    st.sampled_from([3.5e38, -3.5e38, math.inf, -math.inf, math.nan, 2**40, True, None]),
    st.integers(-5, 5),
    st.booleans(),
    st.text(max_size=2),
    st.binary(max_size=2),
)
types = st.sampled_from(LEAVES).flatmap(
    lambda leaf: st.sampled_from([pa.list_(leaf), pa.list_(pa.list_(leaf)), pa.list_(leaf, 2)])
)
rows = st.lists(values | st.lists(values, max_size=4), max_size=4)


def stored(row, type_):
    """Return what is stored, or which error says that nothing is."""
    try:
        return repr(pa.array([plain(row, type_)], type_).to_pylist())
    except SchemaError as error:
        return str(error)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        return type(error)


@given(rows, types)
@example([math.nan, 3.5e38], pa.list_(pa.float32()))
@example([[1.0], [math.inf, 3.5e38]], pa.list_(pa.list_(pa.float32())))
@example([[1.0, True]], pa.list_(pa.list_(pa.float64())))
def test_what_is_stored_is_the_same_as_item_by_item(row, type_):
    found = stored(row, type_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "copy_of_plain", lambda *_: None)
        assert stored(row, type_) == found


@given(st.sampled_from(LEAVES), st.integers(1, 3), st.data())
def test_lists_of_one_type_are_not_looked_at_item_by_item(leaf, depth, data):
    kinds = {"float": st.floats(-10, 10), "double": st.floats(-10, 10), "int32": st.integers(0, 9)}
    kinds |= {"bool": st.booleans(), "string": st.text(), "binary": st.binary()}
    found, type_ = kinds[str(leaf)], leaf
    for _ in range(depth):
        found, type_ = st.lists(found, max_size=3), pa.list_(type_)
    row = data.draw(found)
    assert copy_of_plain(row, type_) == plain(row, type_) == row
