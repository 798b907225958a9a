"""Which cells differ: floats, nulls, lists and structs, also of two types."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.table.diffing.equality import differing

NAN = math.nan
TYPES = {
    "int": (pa.int64(), st.integers(-2, 2)),
    "bool": (pa.bool_(), st.booleans()),
    "float": (pa.float32(), st.sampled_from([NAN, 0.0, -0.0, 1.5, math.inf])),
    "text": (pa.string(), st.sampled_from(["", "a", "ab"])),
    "bytes": (pa.binary(), st.sampled_from([b"", b"\0", b"\0\0"])),
}
LACKING = pa.struct({"a": pa.int8()})


@st.composite
def types(draw, depth=3):
    """Return an Arrow type and a strategy for its values."""
    name = draw(st.sampled_from([*TYPES, *(["list", "fixed", "struct"] if depth else [])]))
    if name in TYPES:
        return TYPES[name]
    if name == "struct":
        parts = {key: draw(types(depth=depth - 1)) for key in draw(st.sampled_from(["a", "ab"]))}
        kind = pa.struct([(key, part[0]) for key, part in parts.items()])
        return kind, st.fixed_dictionaries({k: st.none() | v for k, (_, v) in parts.items()})
    kind, values = draw(types(depth=depth - 1))
    if name == "fixed":
        return pa.list_(kind, 2), st.lists(st.none() | values, min_size=2, max_size=2)
    return pa.list_(kind), st.lists(st.none() | values, max_size=2)


def alike(a, b):
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, dict) and isinstance(b, dict):
        return all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return (a is None) == (b is None) and a == b


@given(data=st.data())
def test_cells_of_any_type_are_compared_as_python_would(data):
    kind, values = data.draw(types())
    cells = st.lists(st.tuples(st.none() | values, st.none() | values), max_size=6)
    pairs = data.draw(cells)
    shift = data.draw(st.integers(0, 2))  # slices do not start where their memory does
    old, new = (
        pa.array([None] * shift + [pair[side] for pair in pairs], kind).slice(shift)
        for side in (0, 1)
    )
    assert differing(old, new).tolist() == [not alike(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (pa.array([1, 2]), pa.array([1.0, 2.5]), [False, True]),
        (pa.array([2**53 + 1, 2**53]), pa.array([2.0**53, 2.0**53]), [True, False]),
        (pa.array([2.0**53, NAN]), pa.array([2**53 + 1, 0]), [True, True]),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([-1], pa.int64()), [True]),
        (pa.array([True, False]), pa.array([1, 1]), [False, True]),
        (pa.array([0.1], pa.float32()), pa.array([0.1], pa.float64()), [True]),
        (pa.array([0.5], pa.float32()), pa.array([0.5], pa.float64()), [False]),
        (pa.array(["1", None]), pa.array([1, None]), [True, False]),
        (pa.array(["a"]), pa.array([b"a"]), [True]),
        (pa.array([[1], None]), pa.array([1, None]), [True, False]),
        (pa.array([[1, 2], [3, 4]]), pa.array([[1, 2], [3, 5]], pa.list_(pa.int8(), 2)), [0, 1]),
        (pa.array([[], None]), pa.array([None, None], pa.list_(pa.int8())), [True, False]),
        (pa.array([{"a": 1}, {"a": 1}]), pa.array([{"a": 1, "b": None}, {"a": 1, "b": 2}]), [0, 1]),
        (
            pa.array([{"b": 1}, {"b": None}]),
            pa.array([{"a": None}] * 2, pa.struct({"a": pa.int8()})),
            [1, 0],
        ),
    ],
)
def test_cells_of_two_types(old, new, expected):
    assert differing(old, new).tolist() == [bool(each) for each in expected]
    assert differing(new, old).tolist() == [bool(each) for each in expected]
