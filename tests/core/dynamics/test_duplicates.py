import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import DBSCAN
from sklearn.datasets import load_digits

import tlc
from tlc.dynamics import distances, duplicates
from tlc.dynamics.duplicates import duplicate_groups, leakage, near_duplicates
from tlc.dynamics.embeddings import Embeddings
from tlc.errors import OptionError, TlcWarning


@pytest.fixture(scope="module")
def digits():
    return load_digits().data.astype(np.float32)


def embedded(vectors):
    return Embeddings(tlc.Table.from_dict({"row": range(len(vectors))}), vectors)


def partition(groups):
    """Return groups as sets of rows, the loners left out."""
    return {frozenset(np.flatnonzero(groups == each).tolist()) for each in set(groups) - {-1}}


def peer(vectors, threshold, metric="euclidean"):
    """Return connected components as scikit-learn has them: clusters of two or more."""
    model = DBSCAN(eps=threshold, min_samples=2, metric=metric, algorithm="brute")
    return model.fit_predict(vectors.astype(np.float64))


@given(
    arrays(np.float32, st.tuples(st.integers(1, 40), st.just(2)), elements=st.integers(-9, 9)),
    st.sampled_from([0, 1, 1.5, 3]),
)
def test_groups_are_connected_components(vectors, threshold):
    # A quarter of whole numbers: no distance is at the limit.
    groups = duplicate_groups(vectors, threshold + 0.01, metric="euclidean")
    wanted = peer(vectors, threshold + 0.01)
    assert partition(groups) == partition(wanted)
    firsts = [int(np.flatnonzero(groups == each)[0]) for each in range(groups.max() + 1)]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("threshold", [0.005, 0.02, 0.05, 0.3])
def test_groups_of_digits(digits, threshold):
    groups = duplicate_groups(digits, threshold)
    assert partition(groups) == partition(peer(digits, threshold, "cosine"))


def test_groups_do_not_depend_on_how_many_pairs_are_looked_at_together(digits, monkeypatch):
    wanted = duplicate_groups(digits[:500], 0.05)
    monkeypatch.setattr(duplicates, "_PAIRS", 3)
    monkeypatch.setattr(distances, "_BLOCK", 500 * 7)
    assert duplicate_groups(digits[:500], 0.05).tolist() == wanted.tolist()


def test_many_equal_rows_are_one_group():
    vectors = np.zeros((3000, 4), np.float32)
    vectors[1500:] = 1
    groups = duplicate_groups(vectors, 0.0, metric="euclidean")
    assert groups.tolist() == [0] * 1500 + [1] * 1500


def test_small_thresholds_are_exact_far_from_the_origin():
    vectors = np.array([[1000, 1000], [1000, 1000.001], [1000, 1000.01], [-9000, 0]], np.float32)
    groups = duplicate_groups(vectors, 0.002, metric="euclidean")
    assert groups.tolist() == [0, 0, -1, -1]


def test_equal_rows_are_found_in_spite_of_the_error_of_products():
    vectors = (np.random.default_rng(0).normal(size=(300, 64)) * 1000).astype(np.float32)
    groups = duplicate_groups(np.concatenate([vectors, vectors]), 0.0, metric="euclidean")
    assert groups.tolist() == [*range(300), *range(300)]


def test_copies_with_a_little_noise_are_found(digits):
    rng = np.random.default_rng(0)
    copies = digits[:20] + rng.normal(0, 0.05, (20, 64)).astype(np.float32)
    scores = near_duplicates(embedded(np.concatenate([digits[:500], copies])), 1e-4)
    assert scores["duplicate_group"][:20].tolist() == list(range(20))
    assert scores["duplicate_group"][500:].tolist() == list(range(20))
    assert scores["nearest"][500:].tolist() == list(range(20))
    assert (scores["nearest_distance"][500:] <= 1e-4).all()
    assert (scores["duplicate_group"][20:500] == -1).all()


def test_the_approximate_search_finds_the_same_copies(digits):
    vectors = np.concatenate([digits, digits[:300], digits[:300]])
    scores = near_duplicates(embedded(vectors), 1e-6, exact_up_to=100)
    found, wanted = partition(scores["duplicate_group"]), partition(duplicate_groups(vectors, 1e-6))
    assert len(found & wanted) >= 0.98 * len(wanted)
    is_near = scores["nearest_distance"] <= np.float32(1e-6)
    groups, nearest = scores["duplicate_group"], scores["nearest"]
    assert (groups[is_near] == groups[nearest[is_near]]).all()
    assert (groups[is_near] >= 0).all()
    assert "approximate" in scores.description
    assert (
        "approximate" in leakage(embedded(vectors), embedded(vectors), 0, exact_up_to=9).description
    )


def test_rows_without_a_vector_are_in_no_group():
    vectors = np.array([[1, 0], [np.nan, 0], [1, 0], [0, 0]], np.float32)
    found = near_duplicates(embedded(vectors), 0.0)
    assert found["duplicate_group"].tolist() == [0, -1, 0, -1]
    assert found["nearest"].tolist() == [2, -1, 0, -1]
    assert np.isnan(found["nearest_distance"]).tolist() == [False, True, False, True]
    assert duplicate_groups(vectors[1:2], 1.0).tolist() == [-1]


def test_scores_become_columns(digits):
    scores = near_duplicates(embedded(np.repeat(digits[:5], 2, axis=0)), 1e-6)
    assert scores.add_to_table().table_rows[3]["duplicate_group"] == 1


def test_leaks_are_rows_that_another_table_has_too(digits):
    train, validation = digits[:600], digits[600:900].copy()
    validation[[3, 50]] = train[[7, 9]] * 1.0001
    scores = leakage(embedded(validation), embedded(train), 1e-6)
    assert np.flatnonzero(scores["leaked"]).tolist() == [3, 50]
    assert scores["nearest"][[3, 50]].tolist() == [7, 9]
    wide = np.linalg.norm(train, axis=1), np.linalg.norm(validation, axis=1)
    wanted = 1 - (validation @ train.T) / wide[1][:, None] / wide[0]
    assert np.allclose(scores["nearest_distance"], wanted.min(axis=1), atol=1e-5)


def test_tables_with_embeddings_can_be_given(digits):
    schema = {"v": tlc.schemas.EmbeddingSchema(shape=(64,))}
    one = tlc.Table.from_dict({"v": digits[:4]}, schema=schema)
    two = tlc.Table.from_dict({"v": [digits[2], None]}, schema=schema)
    with pytest.warns(TlcWarning, match="1 of 2 rows"):
        assert leakage(one, two, 1e-6)["leaked"].tolist() == [False, False, True, False]
    with pytest.warns(TlcWarning, match="1 of 2 rows"):
        assert leakage(two, one, 1e-6)["leaked"].tolist() == [True, False]


@pytest.mark.parametrize("threshold", [-0.1, float("nan")])
def test_thresholds_are_checked(digits, threshold):
    with pytest.raises(OptionError, match="threshold"):
        near_duplicates(embedded(digits[:5]), threshold)
    with pytest.raises(OptionError, match="threshold"):
        leakage(embedded(digits[:5]), embedded(digits[:5]), threshold)
