from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlc.table import partition
from tlc.table.allotment import rounded, shuffled, table_of_counts
from tlc.table.coreset import balanced, balanced_labels, levelled
from tlc.table.paths import Codes, Elements

SHARES = st.lists(st.integers(1, 20), min_size=1, max_size=5)


def totals_for(shares, rows):
    return rounded([share * rows / sum(shares) for share in shares], rows)


def by_largest_remainder(shares, rows):
    """The method as books have it, in exact numbers."""
    quotas = [Fraction(share * rows, sum(shares)) for share in shares]
    counts = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(shares)), key=lambda i: (counts[i] - quotas[i], i))
    for number in order[: rows - sum(counts)]:
        counts[number] += 1
    return counts


@given(SHARES, st.integers(0, 10_000))
def test_counts_are_those_of_the_largest_remainder(shares, rows):
    assert totals_for(shares, rows).tolist() == by_largest_remainder(shares, rows)


@given(st.integers(0, 300), st.integers(0, 2**63))
def test_a_shuffle_has_each_number_once(count, seed):
    assert sorted(shuffled(count, seed).tolist()) == list(range(count))


def test_a_shuffle_is_the_same_on_every_machine():
    assert shuffled(10, 0).tolist() == [3, 2, 1, 8, 6, 0, 7, 4, 5, 9]
    assert shuffled(10, 1).tolist() != shuffled(10, 0).tolist()


@given(st.lists(st.integers(0, 30), max_size=8), SHARES)
def test_each_class_has_its_share_in_each_part_to_the_next_whole_number(sizes, shares):
    totals = totals_for(shares, sum(sizes))
    counts = table_of_counts(np.array(sizes, np.int64), totals)
    assert counts.sum(1).tolist() == sizes
    assert counts.sum(0).tolist() == totals.tolist()
    for size, row in zip(sizes, counts.tolist(), strict=True):
        for total, count in zip(totals.tolist(), row, strict=True):
            share = Fraction(size * total, max(1, sum(sizes)))
            assert math.floor(share) <= count <= math.ceil(share)


@given(st.lists(st.integers(0, 9), max_size=80), SHARES, st.integers(0, 5))
def test_groups_stay_together_and_fill_the_parts_within_the_largest_of_them(ids, shares, seed):
    different = sorted(set(ids))
    codes = Codes(np.array([different.index(i) for i in ids], np.int64), len(different))
    totals = totals_for(shares, len(ids))
    parts = partition.by_group(codes, totals, seed)
    assert len({(i, part) for i, part in zip(ids, parts.tolist(), strict=True)}) == len(different)
    largest = max(map(ids.count, different), default=0)
    found = np.bincount(parts, minlength=len(shares))
    assert np.abs(found - totals).max() <= largest


@given(st.lists(st.lists(st.integers(0, 6), max_size=4), max_size=60), SHARES, st.integers(0, 5))
def test_rows_with_several_labels_fill_the_parts_exactly(rows, shares, seed):
    totals = totals_for(shares, len(rows))
    parts = partition.by_labels(elements(rows), totals, seed)
    assert np.bincount(parts, minlength=len(shares)).tolist() == totals.tolist()


def elements(rows):
    pairs = [(row, label) for row, labels in enumerate(rows) for label in labels]
    numbers = np.array([row for row, _ in pairs], np.int64)
    return Elements(numbers, pa.array([label for _, label in pairs], pa.int32()))


def test_rare_labels_of_many_are_shared_out_nearly_exactly():
    rng = np.random.default_rng(0)
    rows = [np.minimum(rng.zipf(1.6, rng.poisson(5)), 60).tolist() for _ in range(4000)]
    totals = np.array([2800, 800, 400])
    parts = partition.by_labels(elements(rows), totals, 0)
    counts = np.zeros((61, 3))
    for labels, part in zip(rows, parts.tolist(), strict=True):
        for label in set(labels):
            counts[label, part] += 1
    shares = counts.sum(1, keepdims=True) * totals / 4000
    assert (np.abs(counts - shares) <= np.maximum(1.5, 0.002 * counts.sum(1, keepdims=True))).all()


@given(st.lists(st.integers(0, 20), max_size=8), st.data())
def test_levels_are_as_equal_as_sizes_allow(sizes, data):
    total = data.draw(st.integers(0, sum(sizes)))
    counts = levelled(np.array(sizes, np.int64), total).tolist()
    assert sum(counts) == total
    assert all(count <= size for count, size in zip(counts, sizes, strict=True))
    for count, size in zip(counts, sizes, strict=True):
        if count < size:
            assert max(counts) <= count + 1


@given(st.lists(st.integers(0, 5), max_size=60), st.data())
def test_a_balanced_choice_takes_each_row_once(ids, data):
    count = data.draw(st.integers(0, len(ids)))
    codes = np.array(ids, np.int64)
    chosen = balanced(Codes(codes, 6), count, 0)
    assert sorted(set(chosen.tolist())) == chosen.tolist()
    sizes = np.bincount(codes, minlength=6)
    found = np.bincount(codes[chosen], minlength=6)
    assert found.tolist() == levelled(sizes, count).tolist()


@given(st.lists(st.lists(st.integers(0, 6), max_size=4), max_size=60), st.data())
def test_a_balanced_choice_by_labels_takes_each_row_once(rows, data):
    count = data.draw(st.integers(0, len(rows)))
    chosen = balanced_labels(elements(rows), len(rows), count, 0).tolist()
    assert len(chosen) == count
    assert sorted(set(chosen)) == chosen


def test_a_balanced_choice_by_labels_has_as_many_of_each_as_frequent_ones_leave_room_for():
    rng = np.random.default_rng(0)
    rows = [np.minimum(rng.zipf(1.6, 3), 8).tolist() for _ in range(5000)]

    def counts(chosen):
        return np.bincount([label for row in chosen for label in set(rows[row])], minlength=9)[1:]

    assert counts(range(400)).min() < 30
    found = counts(balanced_labels(elements(rows), 5000, 400, 0))
    assert found.min() > 95  # only those that come with the others are more frequent
    assert np.sort(found)[4] - found.min() <= 1


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_can_be_shared_out(rows):
    totals = np.array([rows, 0])
    codes = Codes(np.zeros(rows, np.int64), rows)
    for parts in (
        partition.at_random(totals, 0),
        partition.by_class(codes, totals, 0),
        partition.by_group(codes, totals, 0),
        partition.by_labels(elements([[]] * rows), totals, 0),
    ):
        assert parts.tolist() == [0] * rows
