from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits

import tlc
from tlc.dynamics.embeddings import Embeddings
from tlc.dynamics.ordering import farthest_first, farthest_points, traversal_index
from tlc.errors import OptionError


def gaps(vectors, order):
    """Return how far each vector of an order is from all before it."""
    wide = vectors.astype(np.float64)
    return [
        np.linalg.norm(wide[order[:place]] - wide[row], axis=1).min()
        for place, row in enumerate(order)
        if place
    ]


@given(arrays(np.float32, (20, 2), elements=st.floats(-50, 50, width=32)))
def test_each_is_the_farthest_from_those_before(vectors):
    order = farthest_first(vectors, metric="euclidean")
    assert sorted(order) == list(range(20))
    wide = vectors.astype(np.float64)
    for place in range(1, 20):
        apart = np.linalg.norm(wide[:, None] - wide[order[:place]], axis=2).min(axis=1)
        assert np.isclose(apart[order[place]], apart.max(), rtol=1e-3, atol=0.05)


def test_the_first_is_the_farthest_from_the_mean():
    vectors = np.array([[0, 0], [1, 0], [0, 1], [-40, 0]], np.float32)
    assert farthest_first(vectors, 2, metric="euclidean").tolist() == [3, 1]


def test_a_beginning_of_digits_covers_them():
    loaded = load_digits()
    vectors = loaded.data.astype(np.float32)
    order = farthest_first(vectors, 100)
    directions = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = gaps(directions, order)
    assert all(a >= b - 1e-3 for a, b in pairwise(found))
    random = np.random.default_rng(0).choice(len(vectors), 100, replace=False)

    def radius(rows):
        return (1 - directions @ directions[rows].T).min(axis=1).max()

    assert radius(order) < 0.8 * radius(random)
    assert set(loaded.target[order[:40]]) == set(range(10))


def test_equal_rows_come_last_and_once():
    vectors = np.repeat(np.array([[0, 0], [100000, 0], [0, 99999]], np.float32), 4, axis=0)
    order = farthest_first(vectors, metric="euclidean")
    assert sorted(order) == list(range(12))
    assert {row // 4 for row in order[:3]} == {0, 1, 2}


def test_large_numbers_are_each_chosen_once():
    vectors = (np.random.default_rng(0).normal(size=(100, 32)) * 1e5).astype(np.float32)
    order = farthest_first(np.concatenate([vectors, vectors]), metric="euclidean")
    assert sorted(order) == list(range(200))
    assert sorted(order[:100] % 100) == list(range(100))


def test_rows_without_a_vector_are_in_no_order():
    table = tlc.Table.from_dict({"row": range(4)})
    vectors = np.array([[1, 0], [np.nan, 0], [0, 1], [0, 0]], np.float32)
    scores = traversal_index(Embeddings(table, vectors))
    assert np.isnan(scores["traversal_index"]).tolist() == [False, True, False, True]
    assert sorted(scores["traversal_index"][[0, 2]]) == [0, 1]
    assert (
        scores.rows("traversal_index", highest=False).tolist() == farthest_first(vectors).tolist()
    )


def test_points_can_be_kept():
    table = tlc.Table.from_dict({"row": range(50)})
    vectors = np.random.default_rng(0).normal(size=(50, 3))
    rows = farthest_points(Embeddings(table, vectors), 10, metric="euclidean")
    assert table.keep(rows).column("row").to_pylist() == rows.tolist()
    assert farthest_points(Embeddings(table, vectors), 0).tolist() == []


@pytest.mark.parametrize("count", [-1, 5])
def test_more_than_there_are_cannot_be_chosen(count):
    with pytest.raises(OptionError, match=f"{count} of 4"):
        farthest_first(np.eye(4, dtype=np.float32), count)
