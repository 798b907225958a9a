"""PaCMAP and UMAP: real ones, on small data."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np
import pacmap
import pytest
from sklearn.metrics import silhouette_score
from tests.core.reduction.conftest import clustered

from tlc.errors import BrokenExtraError, MissingExtraError, OptionError, ReductionError
from tlc.reduction import create_reducer

METHODS = ["pacmap", "umap"]
pytestmark = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def fitted():
    """Return reducers fitted on 60 vectors of 8 numbers, by method."""
    return {method: create_reducer(method).fit(clustered(60, 8)) for method in METHODS}


def test_clouds_stay_apart_and_so_do_those_that_come_later(method, fitted, vectors):
    rng = np.random.default_rng(1)
    later = (vectors[:30] + rng.normal(0, 0.1, (30, 8))).astype(np.float32)
    for each in (vectors, later):
        reduced = fitted[method].transform(each)
        assert reduced.dtype == np.float32
        assert reduced.shape == (len(each), {"pacmap": 2, "umap": 3}[method])
        assert silhouette_score(reduced, np.arange(len(each)) % 3) > 0.6


def test_equal_seeds_give_equal_results(method, fitted, vectors):
    again = create_reducer(method, {"seed": 0}).fit(vectors)
    other = create_reducer(method, {"random_state": 1}).fit(vectors)
    later = vectors[:10] + 0.1
    np.testing.assert_array_equal(again.transform(later), fitted[method].transform(later))
    assert np.abs(other.transform(vectors) - again.transform(vectors)).max() > 0.01


def test_without_a_seed_it_works_too(method, vectors):
    reducer = create_reducer(method, {"seed": None}).fit(vectors)
    assert silhouette_score(reducer.transform(vectors + 0.01), np.arange(60) % 3) > 0.6


def test_a_vector_it_was_fitted_on_lies_where_it_did(method, fitted, vectors):
    mixed = np.concatenate([vectors[::-1] + 0.5, vectors[7:9], vectors[7:8] * 1, -vectors[:3]])
    reduced = fitted[method].transform(mixed)
    embedding = fitted[method].arrays["embedding"]
    np.testing.assert_array_equal(reduced[60:63], embedding[[7, 8, 7]])
    assert np.abs(reduced[:60] - embedding[::-1]).max() > 0
    np.testing.assert_array_equal(fitted[method].transform(vectors), embedding)


def test_the_caller_may_change_the_array_afterwards(method, vectors):
    mine = vectors.copy()
    reducer = create_reducer(method).fit(mine)
    mine[:] = 0
    np.testing.assert_array_equal(reducer.transform(vectors), reducer.arrays["embedding"])


def test_reducers_fitted_at_once_keep_their_seeds(method, vectors):
    """PaCMAP has one seed for the whole process."""

    def fitted_with(seed):
        return create_reducer(method, {"seed": seed}).fit_transform(vectors)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fitted_with, range(4)))
    for seed, found in enumerate(together):
        np.testing.assert_array_equal(found, fitted_with(seed))


def test_zeros_of_both_signs_are_equal(method):
    vectors = clustered(30, 4)
    vectors[5, 1] = 0.0
    reducer = create_reducer(method, {"n_components": 2}).fit(vectors)
    negative = vectors[5:6].copy()
    negative[0, 1] = -0.0
    np.testing.assert_array_equal(reducer.transform(negative)[0], reducer.arrays["embedding"][5])


def test_vectors_with_nan_and_infinity_are_left_out(method, vectors):
    bad = vectors.copy()
    bad[3, 0], bad[11, 5], bad[20] = np.nan, np.inf, -np.inf
    good = np.delete(bad, [3, 11, 20], axis=0)
    found = create_reducer(method).fit_transform(bad)
    assert np.isnan(found[[3, 11, 20]]).all()
    wanted = create_reducer(method).fit_transform(good)
    np.testing.assert_array_equal(np.delete(found, [3, 11, 20], axis=0), wanted)


def test_a_number_much_larger_than_the_others_can_be_brought_to_their_size(method):
    vectors = clustered(60, 8)
    noisy = vectors.copy()
    noisy[:, 0] = 1e6 * np.random.default_rng(0).normal(size=60)
    labels = np.arange(60) % 3
    plain = create_reducer(method).fit_transform(noisy)
    even = create_reducer(method, {"standard_scaler_normalize": True}).fit(noisy)
    assert silhouette_score(plain, labels) < 0.2
    assert silhouette_score(even.transform(noisy), labels) > 0.5
    assert silhouette_score(even.transform(noisy * 1.001), labels) > 0.5


@pytest.mark.parametrize(
    "arguments", [{"n_components": 1}, {"n_components": 3, "n_neighbors": 5}], ids=str
)
def test_arguments_reach_the_package(method, arguments, vectors):
    reducer = create_reducer(method, arguments).fit(vectors)
    assert reducer.transform(vectors).shape == (60, arguments["n_components"])
    usual = {"pacmap": 10, "umap": 15}[method]
    assert reducer.facts["n_neighbors"] == arguments.get("n_neighbors", usual)


def test_numbers_of_numpy_are_numbers(method, vectors):
    reducer = create_reducer(method, {"n_neighbors": np.int64(5), "n_components": np.int8(2)})
    assert type(reducer.settings.arguments["n_neighbors"]) is int
    assert reducer.fit_transform(vectors).shape == (60, 2)


def test_long_vectors_are_projected_first(method):
    vectors = clustered(150, 120)
    reducer = create_reducer(method).fit(vectors)
    later = reducer.transform(vectors[:60] + np.float32(0.01))
    assert silhouette_score(later, np.arange(60) % 3) > 0.6


def test_of_many_vectors_there_are_more_neighbours_where_the_package_has_it_so(method):
    reducer = create_reducer(method)
    found = [reducer._neighbours(count) for count in (10_000, 20_000, 100_000)]
    assert found == {"pacmap": [10, 15, 25], "umap": [15, 15, 15]}[method]


def test_few_vectors_have_fewer_neighbours(method):
    for count in (5, 8, 12):
        reducer = create_reducer(method, {"n_components": 2}).fit(clustered(count, 4))
        assert 1 <= reducer.facts["n_neighbors"] < count
        assert np.isfinite(reducer.transform(clustered(9, 4, seed=1))).all()


@pytest.mark.parametrize(
    ("arguments", "count", "message"),
    [
        ({}, 3, "cannot be fitted on 3 vectors"),
        ({"n_neighbors": 40}, 30, "cannot be fitted on 30 vectors.*smaller n_neighbors"),
        ({"n_components": 9}, 30, "n_components is 8 at most"),
    ],
    ids=["rows", "neighbours", "components"],
)
def test_what_cannot_be_fitted_is_refused(method, arguments, count, message):
    with pytest.raises(ReductionError, match=message):
        create_reducer(method, arguments).fit(clustered(count, 8))


def test_equal_vectors_cannot_be_told_apart(method):
    with pytest.raises(ReductionError, match="All 40 vectors are equal"):
        create_reducer(method).fit(np.ones((40, 4)))


def test_a_failure_of_the_package_names_it_and_what_it_said(method, vectors):
    wrong = {"pacmap": {"lr": "fast"}, "umap": {"metric": "crow"}}[method]
    distribution = {"pacmap": "pacmap", "umap": "umap-learn"}[method]
    with pytest.raises(ReductionError, match=rf"'{method}' \({distribution} [\d.]+.*Error: "):
        create_reducer(method, wrong).fit(vectors)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_neighbours": 5}, "no argument 'n_neighbours'.*did you mean 'n_neighbors'"),
        ({"verbose": True}, "no argument 'verbose'"),
        ({"n_components": 0}, "n_components=0"),
        ({"n_components": 2.5}, "n_components=2.5"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": 2**31}, "seed=2147483648"),
        ({"seed": 1, "random_state": 2}, "have different values"),
        ({"standard_scaler_normalize": "yes"}, "neither True nor False"),
        ({"n_epochs": len, "num_iters": len}, "cannot be stored"),
        ({"n_neighbors": 0}, "n_neighbors=0"),
        ({"n_neighbors": 2.5}, "n_neighbors=2.5"),
        ({"n_neighbors": True}, "n_neighbors=True"),
    ],
    ids=str,
)
def test_impossible_arguments_are_refused(method, arguments, message):
    with pytest.raises(OptionError, match=message):
        create_reducer(method, arguments)


def test_a_package_that_is_not_installed_is_named_with_the_extra(method, monkeypatch):
    for name in ("pacmap", "pacmap.pacmap", "umap"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=rf"{method}.*opentlc\[reduction\]"):
        create_reducer(method)


def test_a_package_without_one_of_its_parts_is_broken_and_not_missing(method):
    """As PaCMAP 0.9 was without the package that finds neighbours."""
    part = {"pacmap": "faiss", "umap": "pynndescent"}[method]
    code = f"""
import sys
sys.modules[{part!r}] = None
from tlc.errors import BrokenExtraError
from tlc.reduction import create_reducer
try:
    create_reducer({method!r})
except BrokenExtraError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"The method {method!r} needs" in found.stdout
    assert part in found.stdout
    assert issubclass(BrokenExtraError, ImportError)


def test_nobody_else_is_changed(method, vectors, capfd, caplog):
    faiss.omp_set_num_threads(2)
    module = pacmap.pacmap
    state = np.random.get_state()[1].tolist()
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        reducer = create_reducer(method, {"n_components": 3}).fit(vectors)
        reducer.transform(vectors + 1)
    assert capfd.readouterr() == ("", "")
    assert not [each for each in caplog.records if each.name.startswith(("pacmap", "umap"))]
    assert module._RANDOM_STATE is None
    assert faiss.omp_get_max_threads() == 2
    assert np.random.get_state()[1].tolist() == state
