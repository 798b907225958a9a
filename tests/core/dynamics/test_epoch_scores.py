"""Scores over epochs against their formulas, computed on whole matrices with NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.dynamics import aum, cartography, el2n, forgetting, loss_trajectory
from tlc.errors import ColumnNotFoundError, MetricsError
from tlc.run import Run
from tlc.table import Table

FORMS = ["constant", "column", "together"]
random_epochs = given(
    seed=st.integers(0, 2**32), epochs=st.integers(1, 5), form=st.sampled_from(FORMS)
)
few = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
nan = np.nan


def by_row(values, compute):
    """Apply a function to the values of each row that are there; NaN for rows without any."""
    columns = [column[~np.isnan(column)] for column in values.T]
    return np.array([compute(column) if len(column) else nan for column in columns])


def counts(values):
    return (~np.isnan(values)).sum(axis=0)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@few
@random_epochs
def test_cartography(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    found = cartography(stored.run)
    probability = stored.values["label_prob"]
    close(found["confidence"], by_row(probability, np.mean))
    close(found["variability"], by_row(probability, np.std))
    close(found["correctness"], by_row(stored.values["accuracy"], np.mean))
    assert found["cartography_epochs"].tolist() == counts(probability).tolist()


@few
@random_epochs
def test_aum(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    found = aum(stored.run)
    margins = stored.values["label_logit"] - stored.values["max_other_logit"]
    close(found["aum"], by_row(margins, np.mean))
    assert found["aum_epochs"].tolist() == counts(margins).tolist()


@few
@random_epochs
def test_el2n_is_of_the_first_epochs(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    is_label = np.arange(3) == stored.labels[:, None]
    lengths = np.linalg.norm(stored.values["probabilities"] - is_label, axis=2)
    close(el2n(stored.run)["el2n"], by_row(lengths, np.mean))
    found = el2n(stored.run, epochs=2)
    close(found["el2n"], by_row(lengths[:2], np.mean))
    assert found["el2n_epochs"].tolist() == counts(lengths[:2]).tolist()


def test_el2n_is_of_the_first_ten_epochs_if_none_are_named(store):
    stored = store(rows=4, epochs=12, missing=0.0)
    assert el2n(stored.run)["el2n_epochs"].tolist() == [10] * 4
    close(el2n(stored.run)["el2n"], stored.values["el2n"][:10].mean(axis=0))


def forgotten(course):
    """Count by hand how often 1 is followed by 0."""
    return sum(before == 1 and after == 0 for before, after in itertools.pairwise(course))


@few
@random_epochs
def test_forgetting(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    found = forgetting(stored.run)
    right = stored.values["accuracy"]
    events = by_row(right, forgotten)
    close(found["forgetting_events"], events)
    first = [
        next((n for n, hit in zip(stored.numbers, column, strict=True) if hit == 1), nan)
        for column in right.T
    ]
    close(found["first_learnt"], first)
    is_there = counts(right) > 0
    assert found["never_learnt"].tolist() == (is_there & np.isnan(first)).tolist()
    assert found["unforgettable"].tolist() == (~np.isnan(first) & (events == 0)).tolist()
    assert found["forgetting_epochs"].tolist() == counts(right).tolist()


@few
@random_epochs
def test_loss_trajectory(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    found = loss_trajectory(stored.run)
    for row, losses in enumerate(stored.values["loss"].T):
        is_there = ~np.isnan(losses)
        x, y = np.array(stored.numbers)[is_there], losses[is_there]
        expected = dict.fromkeys(found, nan) | {"loss_epochs": len(x)}
        if len(x):
            expected["loss_mean"], expected["loss_change"] = y.mean(), y[-1] - y[0]
            expected["loss_area"] = np.trapezoid(y, x)
            expected["best_epoch"] = x[y.argmin()]
        if len(x) > 1:
            expected["loss_slope"] = np.polyfit(x, y, 1)[0]
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-4, atol=1e-5, err_msg=name)


# Edge cases by hand


@pytest.fixture
def table():
    return Table.from_dict({"n": [0, 1]}, table_name="two")


@pytest.fixture
def run():
    return Run.create("project", "run")


def add(run, table, **columns):
    """Store epochs 0, 1 ... of a table of two rows; each column is (epochs, 2)."""
    for epoch in range(len(next(iter(columns.values())))):
        metrics = {name: values[epoch] for name, values in columns.items()}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})


def test_cartography_of_samples_without_label(run, table):
    add(run, table, label_prob=[[0.5, nan], [1.0, nan]], correct=[[False, False], [True, False]])
    found = cartography(run, correct="correct")
    np.testing.assert_array_equal(found["confidence"], np.float32([0.75, nan]))
    np.testing.assert_array_equal(found["variability"], np.float32([0.25, nan]))
    np.testing.assert_array_equal(found["correctness"], np.float32([0.5, nan]))
    assert found["cartography_epochs"].tolist() == [2, 0]


def test_close_probabilities_keep_their_spread(run, table):
    step = np.float32(1) - np.nextafter(np.float32(1), np.float32(0))
    low = [1 - step, 1 - step]
    add(run, table, label_prob=np.float32([[1, 1], low]), accuracy=np.ones((2, 2), np.float32))
    np.testing.assert_allclose(cartography(run)["variability"], [step / 2] * 2, rtol=1e-6)


def test_gaps_are_no_forgetting(run, table):
    course = [[1.0, 0.0], [nan, nan], [0.0, nan], [0.0, 0.0], [1.0, 0.0], [nan, 0.0], [0.0, 0.0]]
    add(run, table, accuracy=course)
    found = forgetting(run)
    assert found["forgetting_events"].tolist() == [2, 0]
    np.testing.assert_array_equal(found["first_learnt"], [0, nan])
    assert found["never_learnt"].tolist() == [False, True]
    assert found["unforgettable"].tolist() == [False, False]
    assert found["forgetting_epochs"].tolist() == [5, 5]


def test_an_infinite_margin_or_loss_stays_visible(run, table):
    inf = np.inf
    add(run, table, label_logit=[[-inf, 1.0], [1.0, 1.0]], max_other_logit=[[0.0, 0.0]] * 2)
    assert aum(run)["aum"].tolist() == [-inf, 1]
    add(run, table, loss=[[inf, 1.0], [1.0, 3.0]])
    found = loss_trajectory(run)
    assert found["loss_mean"].tolist() == [inf, 2]
    assert np.isnan(found["loss_slope"]).tolist() == [True, False]
    assert found["best_epoch"].tolist() == [1, 0]


def test_of_equal_losses_the_first_epoch_is_the_best(run, table):
    add(run, table, loss=[[3.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert loss_trajectory(run)["best_epoch"].tolist() == [1, 0]


def test_late_epochs_do_not_blur_the_slope(run, table):
    for epoch in (10**8, 10**8 + 1):
        metrics = {"loss": [float(epoch % 2), 1.0]}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})
    assert loss_trajectory(run)["loss_slope"].tolist() == [1, 0]


def test_a_late_start_after_an_early_epoch_of_others_does_not_blur_the_slope(run, table):
    losses = {0: ([0], [1.0]), 10**9: ([1], [3.0]), 10**9 + 1: ([1], [1.0])}
    for epoch, (rows, values) in losses.items():
        metrics = {"example_id": rows, "loss": values}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": epoch})
    found = loss_trajectory(run)
    np.testing.assert_array_equal(found["loss_slope"], [nan, -2])
    assert found["best_epoch"].tolist() == [0, 10**9 + 1]


def test_losses_that_stay_infinite_do_not_change(run, table):
    add(run, table, loss=[[np.inf, 1.0], [np.inf, 2.0], [-np.inf, 3.0]])
    found = loss_trajectory(run, epochs=2)
    assert found["loss_mean"].tolist() == [np.inf, 1.5]
    np.testing.assert_array_equal(found["loss_change"], [nan, 1])
    np.testing.assert_array_equal(loss_trajectory(run)["loss_mean"], [nan, 2])


def test_numbers_of_epochs_are_exact(run, table):
    for step in (2**24, 2**24 + 1):
        metrics = {"loss": [-float(step)] * 2, "accuracy": [float(step % 2)] * 2}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": step})
    assert loss_trajectory(run)["best_epoch"].tolist() == [2**24 + 1] * 2
    assert forgetting(run)["first_learnt"].tolist() == [2**24 + 1] * 2


@pytest.mark.parametrize("score", [cartography, aum, el2n, forgetting, loss_trajectory])
def test_metrics_about_none_of_the_rows_are_an_error(store, score):
    stored = store(rows=3, epochs=1, missing=1.0, form="column")  # of row 0 alone
    with pytest.raises(MetricsError, match="No metrics about rows of"):
        score(stored.run, stored.table.delete_rows([0]))


@pytest.mark.parametrize("score", [cartography, aum, el2n, forgetting, loss_trajectory])
def test_a_run_without_such_metrics_is_an_error(run, table, score):
    with pytest.raises(ColumnNotFoundError, match="No metrics table of"):
        score(run, table)


@pytest.mark.parametrize("score", [cartography, aum, el2n, forgetting, loss_trajectory])
def test_rows_without_metrics_are_nan(store, score):
    stored = store(rows=4, missing=0.0)
    larger = Table.join_tables([stored.table, store(rows=1).table])
    found = score(stored.run, larger)
    for name, values in found.items():
        assert len(values) == 5, name
        expected = values.dtype.kind != "f" and values[4] == 0
        assert expected or np.isnan(values[4]), name
        np.testing.assert_array_equal(values[:4], score(stored.run)[name])
    assert found.table == larger
