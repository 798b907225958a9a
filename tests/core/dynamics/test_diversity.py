import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import tlc
from tlc.dynamics.diversity import distances_to_means, diversity
from tlc.dynamics.embeddings import Embeddings
from tlc.errors import OptionError


def cosine(vector, mean):
    return 1 - vector @ mean / np.linalg.norm(vector) / np.linalg.norm(mean)


@given(
    arrays(np.float32, (25, 3), elements=st.floats(1, 100, width=32)),
    arrays(np.int64, 25, elements=st.integers(0, 3)),
    st.sampled_from(["cosine", "euclidean"]),
)
def test_distances_to_the_means_of_classes(vectors, classes, metric):
    own, mean = distances_to_means(vectors, classes, metric=metric)
    wide = vectors.astype(np.float64)
    for row, number in enumerate(classes):
        members = wide[classes == number]
        if metric == "cosine":
            directions = members / np.linalg.norm(members, axis=1, keepdims=True)
            center = directions.mean(axis=0)
            wanted = [cosine(each, center) for each in members]
            here = cosine(wide[row], center)
        else:
            wanted = np.linalg.norm(members - members.mean(axis=0), axis=1)
            here = np.linalg.norm(wide[row] - members.mean(axis=0))
        assert np.isclose(own[row], here, rtol=1e-3, atol=1e-4)
        assert np.isclose(mean[row], np.mean(wanted), rtol=1e-3, atol=1e-4)


def test_the_wide_class_and_the_odd_row_are_seen():
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(0, 1, (50, 4)), rng.normal(30, 5, (50, 4))
    narrow[7] += 20
    table = tlc.Table.from_dict({"label": ["n"] * 50 + ["w"] * 50})
    vectors = np.concatenate([narrow, wide])
    scores = diversity(Embeddings(table, vectors), metric="euclidean")
    assert scores.rows("diversity", 1).tolist() == [7]
    assert scores["class_diversity"][99] > 2 * scores["class_diversity"][0]
    assert np.isclose(scores["diversity"][:50].mean(), 1)
    assert np.isclose(scores["diversity"][50:].mean(), 1)


def test_without_classes_all_rows_are_one():
    table = tlc.Table.from_dict({"row": range(3)})
    scores = diversity(Embeddings(table, np.array([[0], [1], [5]])), None, metric="euclidean")
    assert np.allclose(scores["diversity"], [1, 0.5, 1.5])
    assert np.allclose(scores["class_diversity"], 2)


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_equal_rows_and_missing_vectors(metric):
    table = tlc.Table.from_dict({"label": [0, 0, 1, 1]})
    nothing = [0, 0] if metric == "cosine" else [np.inf, 0]
    vectors = np.array([[2, 0], [2, 0], [np.nan, 0], nothing], np.float32)
    scores = diversity(Embeddings(table, vectors), metric=metric)
    assert scores["diversity"][:2].tolist() == [1, 1]
    assert np.allclose(scores["class_diversity"][:2], 0, atol=1e-6)
    assert np.isnan(scores["diversity"][2:]).all()
    assert np.isnan(scores["class_diversity"][2:]).all()


def test_rows_of_one_direction_are_in_one_place():
    vectors = np.outer([1, 2, 3, 5, 7, 11], [0.1, 0.2, 0.3]).astype(np.float32)
    table = tlc.Table.from_dict({"row": range(6)})
    assert diversity(Embeddings(table, vectors), None)["diversity"].tolist() == [1] * 6


def test_many_equal_rows_are_at_their_mean():
    vectors = np.full((200_000, 2), 0.1, np.float32)
    own, mean = distances_to_means(vectors, np.zeros(len(vectors), int), metric="euclidean")
    assert own.max() == mean.max() == 0


def test_small_angles_count():
    vectors = np.array([[0.6, 0.8, 0]] * 5 + [[0.6, 0.8, 1e-3]], np.float32)
    own, mean = distances_to_means(vectors, np.zeros(6, int))
    angle = np.array([1 / 6] * 5 + [5 / 6]) * 1e-3
    assert np.allclose(own, angle**2 / 2, rtol=1e-3, atol=0)
    assert np.allclose(mean, np.mean(angle**2 / 2), rtol=1e-3, atol=0)


def test_opposite_directions_have_no_mean():
    own, _ = distances_to_means(np.array([[1, 0], [-1, 0]], np.float32), np.zeros(2, int))
    assert own.tolist() == [1, 1]


def test_metrics_are_checked():
    with pytest.raises(OptionError, match="'l1'"):
        distances_to_means(np.ones((2, 2), np.float32), np.zeros(2, int), metric="l1")
