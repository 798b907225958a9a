import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestNeighbors

import tlc
from tlc.dynamics.distances import smallest
from tlc.dynamics.embeddings import Embeddings, embeddings
from tlc.dynamics.neighbours import find_neighbours, nearest_neighbours
from tlc.dynamics.vectors import stacked
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    MetricsError,
    MissingExtraError,
    OptionError,
    TlcWarning,
)
from tlc.schemas import EmbeddingSchema

METRICS = ["cosine", "euclidean"]
FLOATS = st.floats(-100, 100, width=32)


@pytest.fixture(scope="module")
def digits():
    return load_digits().data.astype(np.float32)[:1200]


def table_of(vectors, **columns):
    rows = [None if row is None else np.asarray(row, np.float32) for row in vectors]
    length = next(len(row) for row in rows if row is not None)
    schema = EmbeddingSchema(shape=(length,))
    return tlc.Table.from_dict({"vector": rows, **columns}, schema={"vector": schema})


def peer(vectors, k, metric):
    """Return scikit-learn's k nearest others, and their distances."""
    model = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", metric=metric)
    distances, rows = model.fit(vectors.astype(np.float64)).kneighbors()
    return rows[:, :k], distances[:, :k]


@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_those_of_scikit_learn(digits, metric):
    found = find_neighbours(digits, 12, metric=metric)
    _, distances = peer(digits, 12, metric)
    assert found.is_exact
    assert np.allclose(found.distances, distances, rtol=1e-5, atol=1e-6)
    again = np.take_along_axis(all_distances(digits, metric), found.rows, axis=1)
    assert np.allclose(again, distances, rtol=1e-5, atol=1e-6)
    assert not (found.rows == np.arange(len(digits))[:, None]).any()


def all_distances(vectors, metric):
    wide = vectors.astype(np.float64)
    if metric == "cosine":
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
        return 1 - wide @ wide.T
    return np.array([np.linalg.norm(wide - row, axis=1) for row in wide])


@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.integers(1, 4)), elements=FLOATS),
    st.integers(1, 12),
)
def test_distances_are_the_smallest_there_are(vectors, k):
    found = find_neighbours(vectors, k, metric="euclidean")
    wanted = all_distances(vectors, "euclidean")
    np.fill_diagonal(wanted, np.inf)
    wanted = np.sort(wanted, axis=1)[:, :k]
    wanted[np.isinf(wanted)] = np.nan
    filled = np.full((len(vectors), k), np.nan)
    filled[:, : wanted.shape[1]] = wanted
    assert np.allclose(found.distances, filled, rtol=1e-5, atol=1e-3, equal_nan=True)
    assert ((found.rows == -1) == np.isnan(found.distances)).all()
    for row in found.rows:
        assert len(set(row[row >= 0])) == (row >= 0).sum()


@given(
    st.integers(1, 300).flatmap(
        lambda n: arrays(np.float32, (2, n), elements=st.floats(0, 10, width=16))
    ),
    st.integers(1, 5),
)
def test_the_smallest_are_found(block, count):
    found = np.take_along_axis(block, smallest(block, count), axis=1)
    assert (np.sort(found, axis=1) == np.sort(block, axis=1)[:, :count]).all()


def test_the_smallest_may_be_among_the_last():
    block = np.random.default_rng(0).uniform(1, 2, (3, 64 * 12 + 5)).astype(np.float32)
    block[:, -2] = 0
    assert (smallest(block, 2) == 64 * 12 + 3).any(axis=1).all()


def test_vectors_far_from_the_origin_keep_their_small_distances():
    near = np.random.default_rng(0).normal(size=(200, 8)) * 1e-3
    vectors = (near + 1000).astype(np.float32)
    found = find_neighbours(vectors, 3, metric="euclidean")
    wanted = np.sort(all_distances(vectors, "euclidean") + np.diag([np.inf] * 200), axis=1)[:, :3]
    assert np.allclose(found.distances, wanted, rtol=1e-4)


def test_the_error_of_products_does_not_change_the_order():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(16, 16)) * 1e-2 + np.repeat([[-500], [500]], 8, axis=0)).astype(
        "f4"
    )
    wanted = all_distances(vectors, "euclidean") + np.diag([np.inf] * 16)
    found = find_neighbours(vectors, 1, metric="euclidean")
    assert found.rows[:, 0].tolist() == wanted.argmin(axis=1).tolist()


def test_the_approximate_search_of_a_few_finds_all_others():
    vectors = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    found = find_neighbours(vectors, 11, metric="euclidean", exact_up_to=0)
    exact = find_neighbours(vectors, 11, metric="euclidean")
    assert found.rows.tolist() == exact.rows.tolist()


def test_rows_without_a_vector_have_no_neighbours_and_are_none(digits):
    vectors = digits[:60].copy()
    vectors[7, 3] = np.nan
    vectors[9] = np.inf
    vectors[11] = 0
    found = find_neighbours(vectors, 4)
    assert (found.rows[[7, 9, 11]] == -1).all()
    assert np.isnan(found.distances[[7, 9, 11]]).all()
    assert not np.isin(found.rows[found.rows >= 0], [7, 9, 11]).any()
    assert 11 in find_neighbours(vectors, 57, metric="euclidean").rows


@pytest.mark.parametrize("exact_up_to", [0, 1000])
def test_a_row_is_never_its_own_neighbour_even_among_equal_ones(exact_up_to):
    vectors = np.ones((50, 3), np.float32)
    found = find_neighbours(vectors, 5, exact_up_to=exact_up_to)
    assert not (found.rows == np.arange(50)[:, None]).any()
    assert (found.distances == 0).all()


@pytest.mark.parametrize("metric", METRICS)
def test_the_approximate_search_finds_nearly_all(digits, metric):
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, len(digits), (2, 6000))
    share = rng.uniform(0, 0.5, (6000, 1)).astype(np.float32)
    vectors = (1 - share) * digits[first] + share * digits[second]
    exact = find_neighbours(vectors, 10, metric=metric)
    found = find_neighbours(vectors, 10, metric=metric, exact_up_to=5999)
    assert (exact.is_exact, found.is_exact) == (True, False)
    common = [len(set(a) & set(b)) for a, b in zip(exact.rows, found.rows, strict=True)]
    assert np.mean(common) >= 9.8
    same = found.rows == exact.rows
    assert np.allclose(found.distances[same], exact.distances[same], rtol=1e-5)


@pytest.mark.parametrize("exact_up_to", [0, 1000])
def test_other_vectors_can_be_searched(digits, exact_up_to):
    found = find_neighbours(digits[:5], 1, among=digits[:9], exact_up_to=exact_up_to)
    assert found.rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert np.allclose(found.distances, 0, atol=1e-6)
    single = find_neighbours(digits[:1], 20, among=digits[:9], exact_up_to=exact_up_to)
    assert (single.rows[0] >= 0).sum() == 9


def test_nothing_has_no_neighbours():
    assert find_neighbours(np.empty((0, 3), np.float32), 2).rows.shape == (0, 2)
    assert find_neighbours(np.ones((1, 3), np.float32), 2).rows.tolist() == [[-1, -1]]


def test_what_cannot_be_searched_is_refused(digits):
    with pytest.raises(OptionError, match="k is 0"):
        find_neighbours(digits, 0)
    with pytest.raises(OptionError, match="'manhattan'"):
        find_neighbours(digits, 1, metric="manhattan")
    with pytest.raises(OptionError, match="64 and 3"):
        find_neighbours(digits, 1, among=digits[:, :3])


def test_without_usearch_large_data_name_the_extra(digits, monkeypatch):
    monkeypatch.delitem(sys.modules, "usearch.index", raising=False)
    monkeypatch.setitem(sys.modules, "usearch", None)
    with pytest.raises(MissingExtraError, match=r"search 30 rows.*exact_up_to") as caught:
        find_neighbours(digits[:30], 1, exact_up_to=29)
    assert "opentlc[neighbours]" in str(caught.value)


# Where vectors come from


def test_scores_of_a_table_are_in_the_order_of_its_rows(digits):
    table = table_of(digits[:40])
    scores = nearest_neighbours(table, 3)
    wanted = find_neighbours(digits[:40], 3)
    assert (scores["neighbours"] == wanted.rows).all()
    revision = scores.add_to_table()
    assert revision.table_rows[5]["neighbours"] == wanted.rows[5].tolist()
    assert "approximate" in nearest_neighbours(table, 3, exact_up_to=5).description
    assert embeddings(table.with_transform(len)).table == table


def test_missing_vectors_are_told():
    table = table_of([[1, 2], None, [3, 4], [np.nan, 1], [5, 5]])
    with pytest.warns(TlcWarning, match=r"2 of 5 rows .* no vector in 'vector'.*: 1, 3\."):
        scores = nearest_neighbours(table, 1)
    assert np.isnan(scores["neighbour_distances"][[1, 3]]).all()
    assert (scores["neighbours"][[0, 2, 4], 0] >= 0).all()


def test_columns_of_lists_and_of_numbers_are_vectors_if_they_are_named():
    table = tlc.Table.from_dict({"lists": [[1.0, 2.0], [2.0, 1.0]], "number": [1, 5]})
    assert embeddings(table, column="lists").vectors.tolist() == [[1, 2], [2, 1]]
    assert embeddings(table, column="number").vectors.tolist() == [[1], [5]]
    with pytest.raises(ColumnNotFoundError, match="no column of embeddings"):
        embeddings(table)


def test_a_vector_with_a_missing_number_is_none():
    table = tlc.Table.from_dict({"lists": [[1.0, None], [2.0, 1.0], None]})
    with pytest.warns(TlcWarning, match="2 of 3 rows"):
        found = embeddings(table, column="lists")
    assert np.isnan(found.vectors).tolist() == [[False, True], [False, False], [True, True]]


def test_parts_of_a_column_may_have_no_vector():
    found = stacked([np.empty((2, 0), np.float32), np.ones((1, 3), np.float32)], "a column")
    np.testing.assert_array_equal(found, [[np.nan] * 3, [np.nan] * 3, [1] * 3])


def test_columns_that_hold_no_vectors_are_refused():
    table = tlc.Table.from_dict({"text": ["a", "b"], "ragged": [[1.0], [1.0, 2.0]]})
    with pytest.raises(ColumnError, match="no vectors in column 'text'"):
        embeddings(table, column="text")
    with pytest.raises(ColumnError, match="differ in length"):
        embeddings(table, column="ragged")
    empty = table_of([[1.0, 2.0]]).keep([])
    with pytest.raises(ColumnError, match="no vectors"):
        embeddings(empty)
    with pytest.raises(ColumnError, match=r"shape \(3, 2\) do not fit the 2 rows"):
        Embeddings(table, np.zeros((3, 2)))


def test_one_of_several_columns_must_be_named():
    table = table_of([[1, 2], [3, 4]], other=[[1.0], [2.0]])
    other = EmbeddingSchema(shape=(1,))
    both = tlc.Table.from_dict(
        {"vector": [[1.0, 2.0]], "other": [[1.0]]},
        schema={"vector": EmbeddingSchema(shape=(2,)), "other": other},
    )
    assert embeddings(table).column == "vector"
    with pytest.raises(ColumnError, match="several columns of embeddings: vector, other"):
        embeddings(both)
    assert embeddings(both, column="other").vectors.shape == (1, 1)


def test_options_that_do_not_apply_are_refused(digits, run):
    table = table_of(digits[:4])
    with pytest.raises(OptionError, match=r"no option 'split' of a table.*known: column"):
        nearest_neighbours(table, 1, split="train")
    with pytest.raises(OptionError, match="'methd' of a table"):
        embeddings(table, methd="lof")
    with pytest.raises(OptionError, match=r"'methd' of a run.*column, epoch, split, table"):
        embeddings(run, methd="lof")
    with pytest.raises(OptionError, match="'column' of Embeddings"):
        embeddings(Embeddings(table, digits[:4]), column="vector")
    assert embeddings(table, split=None).column == "vector"


@pytest.fixture
def run():
    return tlc.init("p", "r")


def store(run, table, vectors, number=None, **more):
    schema = {"embeddings_3": EmbeddingSchema(shape=(len(vectors[0]),))}
    constants = {} if number is None else {"epoch": number}
    metrics = {"embeddings_3": np.asarray(vectors, np.float32), **more}
    run.add_metrics(metrics, schema, table, constants=constants)


def test_of_a_run_the_last_epoch_counts(run, digits):
    table = tlc.Table.from_dict({"a": range(20)})
    store(run, table, digits[:20], 0)
    store(run, table, digits[20:40], 2)
    store(run, table, digits[40:60], 1)
    run.add_metrics({"loss": np.zeros(20)}, {}, table, constants={"epoch": 9})
    found = embeddings(run)
    assert (found.vectors == digits[20:40]).all()
    assert found.vectors.flags.writeable
    assert (found.table, found.column) == (table, "embeddings_3")
    assert (embeddings(run, epoch=1).vectors == digits[40:60]).all()
    with pytest.raises(MetricsError, match="epoch 7"):
        embeddings(run, epoch=7)
    assert (
        nearest_neighbours(run, 2)["neighbours"] == find_neighbours(found.vectors, 2).rows
    ).all()


def test_rows_of_a_revision_are_found_and_lost_ones_are_told(run, digits):
    table = tlc.Table.from_dict({"a": range(6)})
    store(run, table, digits[[4, 0, 2]], 1, example_id=[4, 0, 2])
    kept = table.keep([5, 4, 2])
    with pytest.warns(TlcWarning, match="1 of 3 rows"):
        found = embeddings(run, table=kept)
    assert np.isnan(found.vectors[0]).all()
    assert (found.vectors[1:] == digits[[4, 2]]).all()


def test_what_the_last_epoch_lacks_is_not_taken_from_one_before(run, digits):
    table = tlc.Table.from_dict({"a": range(3)})
    store(run, table, digits[:3], 0)
    store(run, table, digits[3:5], 1, example_id=[0, 2])
    with pytest.warns(TlcWarning, match=r"1 of 3 rows .*: 1\."):
        assert np.isnan(embeddings(run).vectors[1]).all()


def test_without_epochs_the_last_value_of_each_row_counts(run, digits):
    table = tlc.Table.from_dict({"a": range(3)})
    store(run, table, digits[:2], example_id=[0, 1])
    store(run, table, digits[10:12], example_id=[1, 2])
    assert (embeddings(run).vectors == digits[[0, 10, 11]]).all()


def test_several_epochs_in_one_metrics_table_are_told_apart(run, digits):
    table = tlc.Table.from_dict({"a": range(3)})
    ids, epochs = [0, 1, 2, 2, 1, 0], [1, 1, 1, 0, 0, 0]
    store(run, table, digits[:6], example_id=ids, epoch=epochs)
    found = embeddings(run).vectors
    assert (found == digits[:3]).all()
    assert found.flags.writeable
    assert (embeddings(run, epoch=0).vectors == digits[[5, 4, 3]]).all()


def test_a_table_must_be_named_if_there_are_several(run, digits):
    one, two = tlc.Table.from_dict({"a": [1, 2]}), tlc.Table.from_dict({"a": [3, 4]})
    store(run, one, digits[:2], 0)
    store(run, two, digits[2:4], 0)
    with pytest.raises(MetricsError, match="about 2 tables"):
        embeddings(run)
    assert (embeddings(run, table=two).vectors == digits[2:4]).all()
    with pytest.raises(ColumnNotFoundError, match="no column of embeddings"):
        embeddings(tlc.init("p", "empty"))


def test_a_run_whose_vectors_are_all_missing_has_none(run):
    table, schema = tlc.Table.from_dict({"a": [1, 2]}), {"v": EmbeddingSchema(shape=(2,))}
    run.add_metrics({"v": [None, None]}, schema, table)
    with pytest.raises(ColumnError, match="no vectors in column 'v'"):
        embeddings(run)
