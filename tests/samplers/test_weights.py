from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from tlc.errors import WeightError
from tlc.samplers import create_sampler
from tlc.samplers.weights import check_weights, kept_rows, read_weights
from tlc.testing.sampler_contract import TableStandIn


def test_reads_a_column_without_copying_it():
    column = pa.array([0.5, 0.0, 2.0])
    weights = read_weights(TableStandIn(column))
    assert weights.dtype == np.float64
    assert weights.tolist() == [0.5, 0.0, 2.0]
    assert weights.ctypes.data == column.buffers()[1].address


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64(), pa.float16(), pa.int8(), pa.int64()])
def test_reads_slices_and_other_numbers(kind):
    column = pa.array(np.array([9, 1, 0, 2, 9]), pa.int64()).cast(kind).slice(1, 3)
    weights = read_weights(TableStandIn(column))
    assert weights.dtype == (np.float32 if kind == pa.float32() else np.float64)
    assert weights.tolist() == [1, 0, 2]


def test_a_view_is_asked_for_its_source():
    view = SimpleNamespace(source=TableStandIn([1.0, 0.0]))
    assert read_weights(view).tolist() == [1.0, 0.0]
    assert kept_rows(view, exclude_zero_weights=True).tolist() == [0]
    assert kept_rows(view, exclude_zero_weights=False) == 2


def test_no_column_names_the_table_and_the_way_out():
    table = TableStandIn([1.0], weights_column_name=None, url="s3://bucket/train")
    with pytest.raises(WeightError, match=r"s3://bucket/train.*Hint: .*SampleWeightSchema"):
        read_weights(table)


def test_no_column_keeps_all_rows():
    table = TableStandIn([0.0, 1.0], weights_column_name=None)
    assert kept_rows(table, exclude_zero_weights=True) == 2


def test_keeping_all_rows_needs_no_list_of_them():
    assert kept_rows(TableStandIn([1.0, 2.0]), exclude_zero_weights=True) == 2
    assert kept_rows(TableStandIn([1.0, -2.0]), exclude_zero_weights=False) == 2


@pytest.mark.parametrize(
    ("weights", "rows"),
    [
        ([1.0, -0.5, 2.0, float("nan")], "row 1 is -0.5, row 3 is nan[.]"),
        ([float("inf"), 1.0, float("-inf")], "row 0 is inf, row 2 is -inf[.]"),
        ([0.0, 0.0], "all weights are zero: row 0 is 0.0, row 1 is 0.0[.]"),
        ([1.0, None, None], "row 1 is null, row 2 is null[.]"),
        ([-1.0] * 7, "row 3 is -1.0, row 4 is -1.0, and 2 more[.]"),
        ([0.0] * 9, "row 4 is 0.0, and 4 more[.]"),
        ([None] * 6, "row 4 is null, and 1 more[.]"),
        (pa.array(["1", "2"]), "weights are numbers, not string[.]"),
    ],
)
@pytest.mark.parametrize("read", [read_weights, lambda t: kept_rows(t, exclude_zero_weights=True)])
def test_bad_weights_are_named(weights, rows, read):
    with pytest.raises(WeightError, match=f"^/data/t, column 'weight': .*{rows}"):
        read(TableStandIn(weights, url="/data/t"))


def test_weights_without_a_table():
    assert check_weights([1, 2]).tolist() == [1.0, 2.0]
    assert check_weights([]).size == 0
    array = np.array([1.0])
    assert check_weights(array) is array
    with pytest.raises(WeightError, match=r"Weights: one number per row is needed.*\(1, 2\)"):
        check_weights([[1.0, 2.0]])


@pytest.mark.parametrize("weighted", [True, False])
def test_other_things_than_tables_are_refused(weighted):
    with pytest.raises(WeightError, match=r"a Table or a TableView, not .*'list'"):
        create_sampler([1, 2], weighted=weighted)
