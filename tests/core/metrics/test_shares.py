"""Shares of one metrics table, whoever ends first and whatever rows they repeat."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tlc
from tlc.errors import MetricsError
from tlc.format.ranks import Ranks
from tlc.metrics import Collection

ROWS = 12
_names = itertools.count()


@pytest.fixture
def table():
    return tlc.Table.from_dict({"n": range(ROWS)}, project_name="shares")


@pytest.fixture
def run():
    return tlc.Run.create("shares", "run")


def values(batch, _):
    return {"value": batch, "vector": np.stack([batch, -batch], 1)}


def share(table, run, ranks, count=0, collector=values):
    ranks = Ranks(ranks, count) if count else ranks
    return Collection(table, collector, run=run, ranks=ranks, split="val")


def column(metrics, name):
    return metrics.get_column_as_pyarrow_array(name).to_pylist()


def collect(table, run, shares, order):
    """Have each rank add its ids in two batches, and finalize in some order."""
    opened = [share(table, run, rank, len(shares)).open() for rank in range(len(shares))]
    for rank, (each, ids) in enumerate(zip(opened, shares, strict=True)):
        for part in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
            if part:
                each.add(part, np.array(part) + 100.0 * rank)
    return [opened[rank].finalize() for rank in order]


@given(data=st.data(), count=st.integers(2, 4))
def test_a_table_has_the_first_row_of_each_id_in_order(data, count):
    run = tlc.Run.create("shares", f"run-{next(_names)}")
    table = tlc.Table.from_dict({"n": range(ROWS)}, project_name="shares", if_exists="reuse")
    ids = st.lists(st.integers(0, ROWS - 1), max_size=8)
    shares = [data.draw(ids) for _ in range(count)]
    order = data.draw(st.permutations(range(count)))
    *_, last = collect(table, run, shares, order)
    first = {}
    for rank, numbers in enumerate(shares):
        for number in numbers:
            first.setdefault(number, number + 100.0 * rank)
    assert not last.is_partial
    assert [each.url for each in run.metrics_tables] == [last.url]
    done = last.completeness
    given = sum(map(len, shares))
    assert (done.unique, done.missing) == (len(first), ROWS - len(first))
    assert done.repeats_dropped == given - len(first)
    assert last.missing_example_ids().tolist() == [i for i in range(ROWS) if i not in first]
    if first:
        assert column(last, "example_id") == sorted(first)
        assert column(last, "value") == [first[i] for i in sorted(first)]
        (logged,) = run.constants["outputs"]
        assert logged == {"val_value_avg": pytest.approx(np.mean(list(first.values())))}


def test_what_is_there_so_far_can_be_read(table, run):
    one, other = share(table, run, 0, 2).open(), share(table, run, 1, 2).open()
    one.add([0, 1], np.array([0.0, 1.0]))
    assert one.finalize().is_partial
    assert not run.metrics
    (metrics,) = run.metrics_tables
    assert (metrics.completeness.unique, metrics.metrics_info.ranks) == (2, 2)
    other.add([2], np.array([2.0]))
    assert len(other.finalize()) == 3
    assert len(run.metrics) == 1


def test_the_same_again_is_another_table(table, run):
    for _ in range(2):
        collect(table, run, [[0], [1]], [0, 1])
    assert [column(each, "example_id") for each in run.metrics_tables] == [[0, 1]] * 2


def test_a_rank_may_be_far_ahead_of_another(table, run):
    for rank in range(2):
        for number in range(2):
            with share(table, run, rank, 2) as collection:
                collection.add([rank], np.array([float(number)]))
    assert [column(each, "value") for each in run.metrics_tables] == [[0.0] * 2, [1.0] * 2]


def test_who_takes_the_place_of_a_rank_writes_no_row_again(table, run):
    first = share(table, run, Ranks(0, 2, turn=0)).open()
    first.add([0, 1], np.array([0.0, 1.0]))
    first.abort()
    second = share(table, run, Ranks(0, 2, turn=0)).open()
    second.add([1, 2], np.array([5.0, 2.0]))
    second.abort()
    (metrics,) = run.metrics_tables
    assert sorted(column(metrics, "value")) == [0.0, 1.0, 2.0]


def test_an_aborted_share_leaves_the_table_partial(table, run):
    one, other = share(table, run, 0, 2).open(), share(table, run, 1, 2).open()
    one.add([0], np.array([0.0]))
    one.abort()
    other.add([1], np.array([1.0]))
    assert other.finalize().is_partial
    assert sorted(run.metrics(table=table)["example_id"].to_pylist()) == [0, 1]


def test_ranks_whose_columns_differ_are_told(table, run):
    texts = share(table, run, 1, 2, lambda batch, _: {"value": ["a"] * len(batch), "vector": batch})
    numbers = share(table, run, 0, 2)
    for each in (numbers.open(), texts.open()):
        each.add([0, 1], np.array([0.0, 1.0]))
    numbers.finalize()
    with pytest.raises(MetricsError, match=r"different columns .* give schemas"):
        texts.finalize()
    assert run.metrics_tables[0].is_partial


def test_a_copy_of_a_run_can_be_completed(table, run):
    one = share(table, run, 0, 2).open()
    one.add([0, 1], np.array([0.0, 1.0]))
    one.finalize()
    copy = run.copy("copy", "elsewhere")
    other = share(table, copy, 1, 2).open()
    other.add([2], np.array([2.0]))
    other.finalize()
    assert copy.metrics(table=table)["example_id"].to_pylist() == [0, 1, 2]
