from __future__ import annotations

import math
import statistics
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc import schemas
from tlc.errors import ColumnError, ColumnNotFoundError, OptionError
from tlc.table import Table

FEW = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_documented_example():
    table = Table.from_dict({"example_id": [1, 1, 2, 2], "value": [1, 2, 3, 4]}, table_name="t")
    done = table.reduce("example_id")
    assert list(done.table_rows) == [
        {"example_id": 1, "value": 1.5},
        {"example_id": 2, "value": 3.5},
    ]
    assert done.name == "t-reduce"
    assert done.input_tables == [table.url]
    assert table.reduce("example_id") == done
    assert set(done.row_keys()[0].to_pylist()) == {done.id}


def most_frequent(values):
    counts = Counter(value for value in values if value is not None)
    return counts.most_common(1)[0][0] if counts else None  # of several the one met first


def mean(values):
    there = [value for value in values if value is not None]
    return statistics.fmean(there) if there else None


ROW = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.one_of(st.none(), st.integers(-9, 9)),
    st.one_of(st.none(), st.floats(-1, 1, width=32)),
    st.one_of(st.none(), st.booleans()),
    st.one_of(st.none(), st.sampled_from("xyz")),
    st.one_of(st.none(), st.integers(0, 2)),
)
NAMES = ["key", "whole", "real", "yes", "text", "label"]


@FEW
@given(st.lists(ROW, max_size=15))
def test_each_group_has_the_mean_of_its_numbers_and_the_most_frequent_of_the_rest(rows):
    table = Table.from_dict(
        {name: [row[i] for row in rows] for i, name in enumerate(NAMES)},
        {
            "key": schemas.StringSchema(),
            "whole": schemas.Int32Schema(),
            "real": schemas.Float64Schema(),
            "yes": schemas.BoolSchema(),
            "text": schemas.StringSchema(),
            "label": schemas.CategoricalLabelSchema(["p", "q", "r"]),
        },
        if_exists="rename",
    )
    done = table.reduce("key", count="rows", if_exists="rename")
    groups: dict = {}
    for row in rows:
        groups.setdefault(row[0], []).append(row)
    found = list(done.table_rows)
    assert [row["key"] for row in found] == list(groups)
    for row, group in zip(found, groups.values(), strict=True):
        _, whole, real, yes, text, label = map(list, zip(*group, strict=True))
        assert row["rows"] == len(group)
        assert row["text"] == most_frequent(text)
        assert row["label"] == most_frequent(label)
        for name, values in (("whole", whole), ("real", real), ("yes", yes)):
            assert row[name] == (None if mean(values) is None else pytest.approx(mean(values)))


def test_columns_keep_what_they_are_where_they_can():
    table = Table.from_dict(
        {"k": [0, 0], "f": [0.25, 0.5], "i": [1, 2], "label": [1, 1], "weight": [1.0, 3.0]},
        {
            "f": schemas.Float32Schema(unit="m"),
            "i": schemas.Int32Schema(unit="px", description="width"),
            "label": schemas.CategoricalLabelSchema(["a", "b"]),
            "weight": schemas.SampleWeightSchema(),
        },
    )
    done = table.reduce("k")
    assert done.rows_schema.values["f"] == table.rows_schema.values["f"]
    width = done.rows_schema.values["i"]
    assert (width.value.type, width.value.unit, width.description) == ("float64", "px", "width")
    assert done.get_simple_value_map("label") == {0: "a", 1: "b"}
    assert done.weights_column_name == "weight"
    assert done.table_rows[0]["weight"] == 2.0


def test_other_ways():
    table = Table.from_dict(
        {"k": ["a", "b", "a"], "x": [3, 1, 2], "y": [True, False, False], "z": [0.5, 1.5, math.nan]}
    )
    way = {"x": "min", "y": "max", "z": "first"}
    assert list(table.reduce("k", how=way).table_rows) == [
        {"k": "a", "x": 2, "y": True, "z": 0.5},
        {"k": "b", "x": 1, "y": False, "z": 1.5},
    ]
    sums = table.reduce("k", how="sum", columns=["x", "y"])
    assert list(sums.table_rows) == [{"k": "a", "x": 5, "y": 1}, {"k": "b", "x": 1, "y": 0}]
    assert math.isnan(table.reduce("k").table_rows[0]["z"])
    largest = table.reduce("k", how="max", columns=["x"])
    assert largest.rows_schema.values["x"] == table.rows_schema.values["x"]


def test_arrays_of_one_shape_are_averaged_and_other_lists_are_those_of_the_first_row():
    table = Table.from_dict(
        {"k": [1, 2, 1, 2], "e": np.arange(8.0).reshape(4, 2), "l": [[1], [2, 3], [], []]}
    )
    done = table.reduce("k")
    assert done.column("e").to_pylist() == [[2, 3], [4, 5]]
    assert done.column("l").to_pylist() == [[1], [2, 3]]
    assert done.rows_schema.values["e"] == table.rows_schema.values["e"]
    holes = table.set_values("e", [0, 1, 3], None).reduce("k")
    assert holes.column("e").to_pylist() == [[4, 5], None]


def test_groups_may_be_equal_in_several_columns_and_in_parts_of_them():
    table = Table.from_dict({"a": [0, 0, 1], "b": [{"c": 1}, {"c": 2}, {"c": 1}], "x": [1, 2, 4]})
    assert table.reduce(["a", "b.c"], columns=["x"]).column("x").to_pylist() == [1, 2, 4]
    assert table.reduce("a", columns=["x"]).column("x").to_pylist() == [1.5, 4]


def test_what_cannot_be_reduced_is_refused(table):
    with pytest.raises(OptionError, match="'median'"):
        table.reduce("n", how="median")
    with pytest.raises(ColumnError, match="no sum of column 'label'"):
        table.reduce("n", how="sum")
    with pytest.raises(ColumnError, match="no min of column 'label'"):
        table.reduce("n", how={"label": "min"})
    with pytest.raises(ColumnNotFoundError):
        table.reduce("m")
    with pytest.raises(ColumnNotFoundError):
        table.reduce("n", how={"m": "min"})
    with pytest.raises(ColumnError, match="group by"):
        table.reduce([])
    with pytest.raises(ColumnError, match="'boxes'"):
        table.reduce("boxes")
    with pytest.raises(ColumnError, match="column 'n' already"):
        table.reduce("label", count="n")


def test_a_table_without_rows_has_no_groups(table):
    done = table.keep([]).reduce("label", count="c")
    assert len(done) == 0
    assert done.columns == ["n", "label", "boxes", "weight", "c"]
