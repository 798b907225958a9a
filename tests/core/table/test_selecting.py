from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    OptionError,
    ReuseWarning,
    RowIndexError,
    RowIndexTypeError,
)
from tlc.table import KeepRows, Table

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def numbers(table):
    return table.column("n").to_pylist()


# Keeping


def test_rows_are_kept_in_the_order_given(table):
    kept = table.keep([2, -3])
    assert numbers(kept) == [3, 1]
    assert kept.name == "first-keep"
    assert kept.input_tables == [table.url]
    assert table.latest() == table
    assert kept.row_keys()[1].tolist() == [2, 0]
    assert len(table.keep(np.array([], np.int64))) == 0


def test_rows_that_are_not_there_or_there_twice_are_refused(table):
    with pytest.raises(RowIndexError, match="Row 3 "):
        table.keep([3])
    with pytest.raises(RowIndexError, match="Row 2 is named more than once"):
        table.keep([2, 0, -1])
    with pytest.raises(RowIndexTypeError):
        table.keep([True, False, True])


def test_a_choice_of_other_rows_gets_another_name(table):
    first = table.keep([0])
    assert table.keep([0]) == first
    assert table.keep([-3]) == first
    second = table.keep([1])
    assert second.name == "first-keep_0000"
    assert table.keep([1]) == second
    with pytest.warns(ReuseWarning) as caught:
        assert table.keep([1], table_name="first-keep") == first
    assert caught[0].filename == __file__


def test_a_revision_can_have_its_rows_in_another_order(table):
    turned = table.set_values("n", [0], [10]).revise(KeepRows([2, 0]))
    assert numbers(turned) == [3, 10]
    assert table.latest() == turned
    with pytest.raises(RowIndexError):
        table.revise(KeepRows([0, 0]))


def test_a_keyword_that_is_none_is_refused(table):
    with pytest.raises(TypeError, match="'nam'"):
        table.keep([0], nam="x")


# Sorting

VALUES = st.one_of(st.none(), st.just(math.nan), st.sampled_from([-1.5, -0.0, 0.0, 2.0, 7.0]))


def place(value, *, descending):
    """The key of the documented order: numbers, then NaN, then missing ones."""
    if value is None:
        return 2, 0
    if math.isnan(value):
        return 1, 0
    return 0, -value if descending else value


@FEW
@given(
    st.lists(st.tuples(VALUES, st.sampled_from(["a", "b", None])), max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_rows_are_sorted_as_python_sorts_them(rows, down, down_too):
    columns = {
        "n": range(len(rows)),
        "x": [None, 1.0] + [x for x, _ in rows],
        "name": ["a", None] + [name for _, name in rows],
    }
    columns["n"] = range(len(rows) + 2)
    table = Table.from_dict(columns, if_exists="rename")
    expected = list(columns["n"])
    texts = {None: (1, ""), "a": (0, "b" if down_too else "a"), "b": (0, "a" if down_too else "b")}
    expected.sort(
        key=lambda n: (place(columns["x"][n], descending=down), texts[columns["name"][n]])
    )
    done = table.sort(["x", "name"], descending=[down, down_too], if_exists="rename")
    assert numbers(done) == expected


def test_a_sorted_table_can_be_edited_and_read_row_by_row(table):
    done = table.sort("label", descending=True)
    assert numbers(done) == [2, 1, 3]
    assert [done[i]["n"] for i in range(3)] == [2, 1, 3]
    edited = done.set_values("n", [0], [20]).sort("n")
    assert numbers(edited) == [1, 3, 20]
    assert edited.row_keys()[1].tolist() == [0, 2, 1]
    assert numbers(edited.squash()) == [1, 3, 20]


def test_parts_of_columns_can_be_sorted_by():
    table = Table.from_dict({"n": [0, 1, 2], "box": [{"x": 3}, {"x": 1}, {"x": 2}]})
    assert numbers(table.sort("box.x")) == [1, 2, 0]


def test_what_cannot_be_sorted_by_is_refused(table):
    with pytest.raises(ColumnError, match=r"'boxes'.*list"):
        table.sort("boxes")
    with pytest.raises(ColumnNotFoundError):
        table.sort("m")
    with pytest.raises(OptionError):
        table.sort([])
    with pytest.raises(OptionError):
        table.sort(["n", "label"], descending=[True])


# Choosing few


def test_a_coreset_has_as_many_rows_of_each_class(table):
    large = Table.from_dict({"n": range(60), "label": [0] * 40 + [1] * 17 + [2] * 3})
    small = large.coreset(23, "label")
    assert np.bincount(small.column("label").to_numpy()).tolist() == [10, 10, 3]
    assert numbers(small) == sorted(numbers(small))
    assert small.input_tables == [large.url]
    alike = large.coreset(0.5, "label", strategy="stratified")
    assert np.bincount(alike.column("label").to_numpy()).tolist() == [20, 9, 1]
    assert len(large.coreset(12, strategy="random")) == 12
    assert numbers(large.coreset(23, "label", seed=1)) != numbers(small)
    assert large.coreset(23, "label") == small


def test_a_coreset_by_the_labels_of_annotations():
    boxes = [{"label": [0, 0]}] * 50 + [{"label": [0, 1]}] * 5 + [{"label": []}] * 5
    table = Table.from_dict({"bbs": boxes})
    labels = [row["bbs"]["label"] for row in table.coreset(15, "bbs.label").table_rows]
    assert labels.count([0, 1]) == 5
    assert labels.count([]) == 5


def test_a_coreset_of_what_is_not_there_is_refused(table):
    for size in (4, -1, 1.5, True, "all"):
        with pytest.raises(OptionError, match="of 3 rows are not possible"):
            table.coreset(size, "label")
    with pytest.raises(OptionError, match="needs by="):
        table.coreset(2)
    with pytest.raises(OptionError, match="takes no by="):
        table.coreset(2, "label", strategy="random")
    with pytest.raises(OptionError, match="no strategy"):
        table.coreset(2, "label", strategy="best")
