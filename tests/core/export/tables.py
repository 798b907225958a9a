"""Generated tables, and how rows are compared."""

from __future__ import annotations

import math
import struct

from hypothesis import strategies as st

import tlc
from tlc import schemas

FLOAT32 = st.floats(width=32)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
CLASSES = ["cat", "dog, large", 'fox "f"', "hühn"]

KINDS = {
    "bool": (schemas.BoolSchema, st.booleans()),
    "int32": (schemas.Int32Schema, INT32),
    "int64": (schemas.Int64Schema, INT64),
    "float32": (schemas.Float32Schema, FLOAT32),
    "float64": (schemas.Float64Schema, st.floats()),
    "text": (schemas.StringSchema, TEXT),
    "label": (lambda: schemas.CategoricalLabelSchema(CLASSES), st.integers(0, 3)),
    "vector": (
        lambda: schemas.Float32Schema(shape=(2,)),
        st.lists(FLOAT32, min_size=2, max_size=2),
    ),
    "list": (lambda: schemas.Int32Schema(shape=(-1,)), st.lists(INT32, max_size=3)),
    "nested": (
        lambda: schemas.Schema(
            values={"a": schemas.Float32Schema(), "b": schemas.StringSchema(shape=(-1,))}
        ),
        st.fixed_dictionaries({"a": FLOAT32, "b": st.lists(TEXT, max_size=2)}),
    ),
}
NUMBERS = ("bool", "int32", "int64", "float32", "float64", "label")
FLAT = (*NUMBERS, "text")


@st.composite
def tables(draw, kinds=tuple(KINDS), *, finite=False, nullable=True, min_rows=0):
    """Return columns and their schemas."""
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    count = draw(st.integers(min_rows, 6))
    columns, found = {}, {}
    for number, kind in enumerate(chosen):
        make, values = KINDS[kind]
        if finite:
            values = values.filter(is_finite)
        if nullable:
            values = st.none() | values
        name = f"{kind} {number}"
        columns[name] = draw(st.lists(values, min_size=count, max_size=count))
        found[name] = make()
    return columns, found


def is_finite(value):
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    if isinstance(value, list):
        return all(map(is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def make_table(columns, found):
    return tlc.Table.from_dict(columns, found, table_name="exported", if_exists="rename")


def rows_of(table):
    """Return the rows in a form in which NaN equals itself and -0.0 is not 0.0."""
    return [comparable(row) for row in table.table_rows]


def comparable(value):
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("d", value)
    if isinstance(value, dict):
        return {name: comparable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [comparable(part) for part in value]
    return value
