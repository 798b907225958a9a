"""Principal components beside those of scikit-learn."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from tests.core.reduction.conftest import clustered, column

from tlc.errors import ColumnError, OptionError, ReductionError
from tlc.reduction import create_reducer, reduce_embeddings
from tlc.reduction.reducer import Pieces
from tlc.reduction.scaling import learn_scale, scaled


def same_but_for_signs(found, wanted, tolerance):
    signs = np.sign((found * wanted).sum(axis=0))
    return np.abs(found * signs - wanted).max() <= tolerance * np.abs(wanted).max()


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(3, 60),
    length=st.integers(2, 40),
    offset=st.sampled_from([0.0, 1000.0]),
    normalize=st.booleans(),
    seed=st.integers(0, 100),
)
def test_components_are_those_of_scikit_learn(count, length, offset, normalize, seed):
    rng = np.random.default_rng(seed)
    scale = 2.0 ** -np.arange(length)  # so that no two components are equally long
    vectors = (rng.normal(size=(count, length)) * np.maximum(scale, 1e-2) + offset).astype("f4")
    wanted_of = vectors.astype(np.float64)
    if normalize:
        wanted_of = StandardScaler().fit_transform(wanted_of)
    pca = PCA(2, svd_solver="full").fit(wanted_of)
    ratios = pca.explained_variance_ratio_
    if ratios[0] / ratios[1] < 1.05 or (length > 2 and ratio_of_next(wanted_of) < 1.05):
        return  # which of two equally long components comes first is left open
    reducer = create_reducer("pca", {"standard_scaler_normalize": normalize})
    found = reducer.fit_transform(vectors)
    assert same_but_for_signs(found, pca.transform(wanted_of), 1e-4)
    np.testing.assert_allclose(reducer.arrays["explained_variance_ratio"], ratios, rtol=1e-4)


def ratio_of_next(vectors):
    values = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False) ** 2
    return values[1] / max(values[2], 1e-12) if len(values) > 2 else np.inf


@pytest.mark.parametrize(("rows", "normalize"), [(40, False), (40, True), (2150, False)])
def test_long_vectors_have_the_same_components(rows, normalize):
    """Of few long vectors they are computed another way."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(rows, 3)) * [9, 5, 2] @ rng.normal(size=(3, 2100))
    vectors = (vectors + rng.normal(size=vectors.shape)).astype(np.float32)
    wanted_of = StandardScaler().fit_transform(vectors) if normalize else vectors
    wanted = PCA(3, svd_solver="full" if rows < 100 else "randomized", random_state=0)
    reducer = create_reducer("pca", {"n_components": 3, "standard_scaler_normalize": normalize})
    assert same_but_for_signs(reducer.fit_transform(vectors), wanted.fit_transform(wanted_of), 1e-3)


def test_pieces_do_not_matter(vectors):
    class Tenths(Pieces):
        length = 8

        def __iter__(self):
            return iter(np.array_split(vectors, 10))

    whole = create_reducer("pca").fit(vectors)
    pieces = create_reducer("pca").fit(Tenths())
    np.testing.assert_allclose(pieces.transform(vectors), whole.transform(vectors), rtol=1e-5)


def test_a_table_is_reduced_as_its_array(table, vectors):
    reduced = reduce_embeddings(table, "pca", n_components=3)
    assert reduced.columns == ["label", "embedding_pca"]
    wanted = PCA(3, svd_solver="full").fit_transform(vectors.astype(np.float64))
    assert same_but_for_signs(column(reduced, "embedding_pca"), wanted, 1e-5)


def test_the_largest_entry_of_a_component_is_positive(vectors):
    components = create_reducer("pca", {"n_components": 5}).fit(vectors).arrays["components"]
    largest = np.abs(components).argmax(axis=1)
    assert (components[range(5), largest] > 0).all()


def test_very_large_numbers_take_part_as_long_as_32_bits_hold_them():
    vectors = np.array([[3e38, 3e38], [1e38, 0], [0, 0], [1e39, 0]])
    reducer = create_reducer("pca", {"n_components": 1}).fit(vectors)
    assert reducer.facts["fitted_on"] == 3
    assert reducer.arrays["mean"][0] == pytest.approx(4e38 / 3)


def test_it_needs_no_other_package(vectors, monkeypatch):
    for name in ("sklearn", "pacmap", "umap", "scipy", "numba"):
        monkeypatch.setitem(sys.modules, name, None)
    assert create_reducer("pca").fit_transform(vectors).shape == (60, 2)


def test_numbers_are_scaled_as_by_scikit_learn(vectors):
    later = vectors[:9] * 3 + 1
    found = scaled(later, learn_scale(vectors))
    assert found.dtype == np.float32
    wanted = StandardScaler().fit(vectors).transform(later)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_numbers_that_never_change_are_not_divided_by_their_deviation():
    vectors = clustered(20, 4)
    vectors[:, 2] = 7
    found = create_reducer("pca", {"standard_scaler_normalize": True}).fit_transform(vectors)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("length", [5, 2100])
def test_vectors_that_differ_in_one_direction_have_one_component(length):
    vectors = np.outer([0, 1, 4, 1], np.random.default_rng(0).normal(size=length)).astype("f4")
    reducer = create_reducer("pca", {"n_components": 3})
    found = reducer.fit_transform(vectors)
    assert np.ptp(found[:, 0]) > 1
    np.testing.assert_allclose(found[:, 1:], 0, atol=1e-3)
    np.testing.assert_allclose(reducer.arrays["explained_variance_ratio"], [1, 0, 0], atol=1e-6)


def test_equal_vectors_are_all_zero():
    reducer = create_reducer("pca")
    assert not reducer.fit_transform(np.ones((5, 3))).any()
    assert not reducer.arrays["explained_variance_ratio"].any()


@pytest.mark.parametrize(
    ("vectors", "components", "message"),
    [
        (np.ones((1, 4)), 1, "2 vectors at least"),
        (np.full((9, 4), np.nan), 1, "from 0 vectors"),
        (np.eye(4), 5, "n_components is 4 at most"),
        (np.eye(3, 8), 4, "n_components is 3 at most"),
    ],
    ids=["one", "none", "short", "few"],
)
def test_what_cannot_be_told_is_refused(vectors, components, message):
    with pytest.raises(ReductionError, match=message):
        create_reducer("pca", {"n_components": components}).fit(vectors)


def test_vectors_must_be_vectors_as_long_as_those_it_was_fitted_on(vectors):
    reducer = create_reducer("pca").fit(vectors)
    with pytest.raises(ColumnError, match=r"7 numbers do not fit.*of 8"):
        reducer.transform(vectors[:, :7])
    for wrong in (vectors[0], np.zeros((3, 0)), [[1, 2], [3]], [["a"]]):
        with pytest.raises(ColumnError, match="ectors"):
            reducer.transform(wrong)
    assert reducer.transform(vectors[:0]).shape == (0, 2)


def test_it_must_be_fitted(vectors):
    with pytest.raises(ReductionError, match="was not fitted"):
        create_reducer("pca").transform(vectors)


def test_it_has_no_arguments_of_its_own():
    with pytest.raises(OptionError, match=r"no argument 'n_neighbors'.*it takes none"):
        create_reducer("pca", {"n_neighbors": 5})
