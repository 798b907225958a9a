import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

import tlc
from tlc.dynamics.embeddings import Embeddings
from tlc.dynamics.outliers import outlier_scores, outliers
from tlc.errors import ColumnNotFoundError, OptionError

METRICS = ["cosine", "euclidean"]


@pytest.fixture(scope="module")
def digits():
    loaded = load_digits()
    return loaded.data[:800].astype(np.float32), loaded.target[:800]


def distances(vectors, k, metric):
    model = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric)
    return model.fit(vectors.astype(np.float64)).kneighbors()[0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 7])
def test_scores_by_distance(digits, metric, k):
    wanted = distances(digits[0], k, metric)
    mean = outlier_scores(digits[0], k, metric=metric)
    last = outlier_scores(digits[0], k, method="kth", metric=metric)
    assert np.allclose(mean, wanted.mean(axis=1), rtol=1e-4, atol=1e-6)
    assert np.allclose(last, wanted[:, -1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [5, 20])
def test_the_local_outlier_factor_is_that_of_scikit_learn(metric, k):
    # No two distances are equal here: each vector has exactly k neighbours for both.
    vectors = np.random.default_rng(k).normal(size=(300, 6)).astype(np.float32)
    model = LocalOutlierFactor(n_neighbors=k, algorithm="brute", metric=metric)
    wanted = -model.fit(vectors.astype(np.float64)).negative_outlier_factor_
    assert np.allclose(outlier_scores(vectors, k, method="lof", metric=metric), wanted, rtol=1e-4)


@pytest.mark.parametrize("method", ["mean", "kth", "lof"])
def test_what_lies_apart_comes_first(method):
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(0, 1, (200, 3)), rng.normal(50, 1, (200, 3))])
    vectors[17] = [0, 30, 0]
    table = tlc.Table.from_dict({"row": range(400)})
    scores = outliers(Embeddings(table, vectors), 10, method=method, metric="euclidean")
    assert scores.rows("outlier_score", 1).tolist() == [17]


def test_within_classes_a_wrong_label_stands_out(digits):
    vectors, labels = digits[0], digits[1].copy()
    wrong = np.random.default_rng(3).choice(len(labels), 15, replace=False)
    labels[wrong] = (labels[wrong] + 4) % 10
    table = tlc.Table.from_dict({"label": labels.tolist()})
    scores = outliers(Embeddings(table, vectors), 10, by="label")
    assert np.isin(scores.rows("outlier_score", 15), wrong).sum() >= 12
    alone = outliers(Embeddings(table, vectors), 10)
    assert np.isin(alone.rows("outlier_score", 15), wrong).sum() < 5
    chosen = np.flatnonzero(labels == 2)
    assert np.allclose(
        scores["outlier_score"][chosen],
        distances(vectors[chosen], 10, "cosine").mean(axis=1),
        atol=1e-6,
    )
    assert scores.description.endswith("for each label")


def test_where_there_are_few_others_all_count():
    table = tlc.Table.from_dict({"label": ["a", "a", "a", "b", "c", "c"]})
    vectors = np.array([[0], [1], [3], [9], [np.nan], [2]], np.float32)
    scores = outliers(Embeddings(table, vectors), 5, by="label", metric="euclidean")
    assert scores["outlier_score"][:3].tolist() == [2.0, 1.5, 2.5]
    assert np.isnan(scores["outlier_score"][3:]).all()


@pytest.mark.parametrize("method", ["mean", "lof"])
def test_rows_without_a_vector_have_no_score_and_change_no_other(digits, method):
    vectors = digits[0][:60].copy()
    wanted = outlier_scores(np.delete(vectors, [4, 30], axis=0), 5, method=method)
    vectors[4, 1], vectors[30] = np.nan, 0
    found = outlier_scores(vectors, 5, method=method)
    assert np.isnan(found[[4, 30]]).all()
    assert np.allclose(np.delete(found, [4, 30]), wanted, rtol=1e-6)


def test_equal_vectors_are_no_outliers():
    assert np.allclose(outlier_scores(np.ones((9, 2), np.float32), 3, method="lof"), 1)


def test_what_is_unknown_is_refused(digits):
    with pytest.raises(OptionError, match="'iforest'"):
        outlier_scores(digits[0], method="iforest")
    table = tlc.Table.from_dict({"a": [1]})
    with pytest.raises(ColumnNotFoundError):
        outliers(Embeddings(table, np.ones((1, 2))), by="label")
