"""Epochs come in order, whole, and from whichever metrics tables hold them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlc.dynamics.epochs import Epochs
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    DamagedObjectWarning,
    MetricsError,
    OptionError,
)
from tlc.run import Run
from tlc.schemas import Float32Schema
from tlc.table import Table

ROWS = 5
FORMS = ["constant", "column", "together"]


@pytest.fixture
def table():
    return Table.from_dict({"n": list(range(ROWS))}, table_name="train")


@pytest.fixture
def run():
    return Run.create("project", "run")


def add(run, table, values, epoch=None, ids=None, split=""):
    metrics = {"loss": values} if ids is None else {"example_id": ids, "loss": values}
    constants = {} if epoch is None else {"epoch": epoch}
    run.add_metrics(metrics, foreign_table_url=table, constants=constants, split=split)


def losses(run, table=None, **options):
    found = Epochs(run, table, ["loss"], **options)
    return {each.number: each.values["loss"].tolist() for each in found}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), epochs=st.integers(1, 4), form=st.sampled_from(FORMS))
def test_epochs_are_those_that_were_stored_in_rising_order(store, seed, epochs, form):
    stored = store(seed, epochs=epochs, form=form)
    names = ["predicted", "label_prob"]
    for table in (None, stored.table):
        found = Epochs(stored.run, table, names)
        assert found.numbers == stored.numbers
        for place, each in enumerate(found):
            assert each.number == stored.numbers[place]
            for name in names:
                np.testing.assert_array_equal(each.values[name], stored.values[name][place])


def test_the_last_collection_of_a_row_and_epoch_counts(run, table):
    add(run, table, [1.0] * ROWS, epoch=0)
    add(run, table, [2.0, 3.0], epoch=0, ids=[4, 1])
    assert losses(run) == {0: [1, 3, 1, 1, 2]}


def test_a_later_nan_counts_too(run, table):
    add(run, table, [1.0] * ROWS, epoch=0)
    add(run, table, [np.nan], epoch=0, ids=[2])
    np.testing.assert_array_equal(losses(run)[0], [1, 1, np.nan, 1, 1])


def test_null_is_nan(run, table):
    add(run, table, [None, 1, 2, 3, 4], epoch=0)
    np.testing.assert_array_equal(losses(run)[0], [np.nan, 1, 2, 3, 4])


def test_metrics_without_epochs_are_one_each_in_the_order_of_writing(run, table):
    for value in (3.0, 1.0, 2.0):
        add(run, table, [value] * ROWS)
    assert losses(run) == {0: [3] * ROWS, 1: [1] * ROWS, 2: [2] * ROWS}


def test_metrics_with_and_without_epochs_are_refused_together(run, table):
    add(run, table, [1.0] * ROWS, epoch=0)
    add(run, table, [1.0] * ROWS)
    with pytest.raises(MetricsError, match=r"metrics_0001 has no 'epoch', but .*metrics_0000 has"):
        losses(run)


@pytest.mark.parametrize(
    ("epochs", "numbers"),
    [(None, [2, 4, 6]), (2, [2, 4]), (9, [2, 4, 6]), (slice(-1, None), [6]), (slice(1, 2), [4])],
)
def test_epochs_can_be_chosen(run, table, epochs, numbers):
    for epoch in (6, 2, 4):
        add(run, table, [float(epoch)] * ROWS, epoch=epoch)
    assert losses(run, epochs=epochs) == {n: [n] * ROWS for n in numbers}


def test_epochs_that_are_none(run, table):
    add(run, table, [1.0] * ROWS, epoch=0)
    with pytest.raises(OptionError, match="epochs=0"):
        losses(run, epochs=0)
    with pytest.raises(MetricsError, match=r"no such epochs.*it has 1"):
        losses(run, epochs=slice(3, None))
    for epochs in ([0], range(2), 1.5, -1, np.int64(0)):
        with pytest.raises(OptionError, match="or a slice"):
            losses(run, epochs=epochs)
    assert list(losses(run, epochs=np.int64(1))) == [0]


def test_another_column_can_number_the_epochs(run, table):
    for step in (200, 100):
        metrics = {"loss": [float(step)] * ROWS}
        run.add_metrics(metrics, foreign_table_url=table, constants={"iteration": step})
    assert list(losses(run, epoch="iteration")) == [100, 200]


@pytest.mark.parametrize("epoch", ["first", True, float("nan")])
def test_an_epoch_is_a_number(run, table, epoch):
    metrics = {"loss": [1.0] * ROWS}
    run.add_metrics(metrics, foreign_table_url=table, constants={"when": epoch})
    with pytest.raises(MetricsError, match="'when'"):
        losses(run, epoch="when")


def test_rows_without_an_epoch_are_an_error(run, table):
    for epochs in ([0, 0, None, 1, 1], [0.0, 0.0, float("nan"), 1.0, 1.0], [0, 0, None, 0, 0]):
        metrics = {"loss": [1.0] * ROWS, "when": epochs}
        run.add_metrics(metrics, foreign_table_url=table)
        with pytest.raises(MetricsError, match="have no 'when'"):
            losses(run, epoch="when")
        run.remove_metrics_table(run.metrics_tables[-1])


def test_metrics_of_other_revisions_are_found_by_the_keys_of_rows(run, table):
    smaller = table.delete_rows([0, 3])
    add(run, table, [0.0, 1, 2, 3, 4], epoch=0)
    add(run, smaller, [10.0, 20, 40], epoch=1)
    assert losses(run, smaller) == {0: [1, 2, 4], 1: [10, 20, 40]}
    nan = np.nan
    np.testing.assert_array_equal(
        list(losses(run, table).values()), [[0, 1, 2, 3, 4], [nan, 10, 20, nan, 40]]
    )


def test_of_several_tables_one_must_be_named(run, table):
    other = Table.from_dict({"n": [0, 1]}, table_name="other")
    add(run, table, [1.0] * ROWS, epoch=0, split="train")
    add(run, other, [5.0] * 2, epoch=7, split="val")
    with pytest.raises(MetricsError, match=r"about 2 tables: .*train, .*other.*table="):
        losses(run)
    assert losses(run, split="val") == {7: [5, 5]}
    assert losses(run, other) == {7: [5, 5]}
    assert losses(run, other.url.to_str()) == {7: [5, 5]}


def test_metrics_tables_without_the_column_do_not_count(run, table):
    add(run, table, [1.0] * ROWS, epoch=0)
    other = Table.from_dict({"n": [0, 1]}, table_name="other")
    run.add_metrics({"iou": [1.0] * 2}, foreign_table_url=other)
    assert losses(run) == {0: [1] * ROWS}


def test_what_cannot_be_answered_says_why(run, table):
    with pytest.raises(ColumnNotFoundError, match=r"has 'loss'.*collect metrics first"):
        losses(run)
    run.add_metrics({"name": ["a"] * ROWS}, foreign_table_url=table, constants={"epoch": 0})
    with pytest.raises(ColumnNotFoundError, match=r"split 'val', has 'loss'"):
        losses(run, split="val")
    with pytest.raises(MetricsError, match=r"'name' of .* holds string"):
        list(Epochs(run, None, ["name"]))
    with pytest.raises(MetricsError, match="not about the rows of"):
        list(Epochs(run, Table.from_dict({"n": [1]}, table_name="other"), ["name"]))


def test_damaged_metrics_are_passed_over_with_a_warning(run, table):
    for epoch in (0, 1):
        add(run, table, [float(epoch)] * ROWS, epoch=epoch)
    files = sorted((run.url / "metrics").to_local_path().glob("*/rank-*/*.parquet"))
    files[0].write_bytes(b"PAR1")
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        assert losses(run) == {1: [1] * ROWS}
    files[1].write_bytes(b"PAR1")
    with pytest.warns(DamagedObjectWarning), pytest.raises(MetricsError, match="can be read"):
        losses(run)


def test_damaged_metrics_with_a_column_of_epochs(run, table):
    for epoch in (0, 1):
        metrics = {"loss": [float(epoch)] * ROWS, "epoch": [epoch] * ROWS}
        run.add_metrics(metrics, foreign_table_url=table)
    files = sorted((run.url / "metrics").to_local_path().glob("*/rank-*/*.parquet"))
    files[0].write_bytes(b"PAR1")
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        assert losses(run) == {1: [1] * ROWS}
    files[1].write_bytes(b"PAR1")
    with pytest.warns(DamagedObjectWarning), pytest.raises(MetricsError, match="can be read"):
        losses(run)


@pytest.mark.parametrize("form", ["constant", "column"])
def test_metrics_about_none_of_the_rows_that_are_left(run, table, form):
    metrics = {"example_id": [0], "loss": [1.0]}
    if form == "column":
        run.add_metrics({**metrics, "epoch": [0]}, foreign_table_url=table)
    else:
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": 0})
    with pytest.raises(MetricsError, match="No metrics about rows of"):
        losses(run, table.delete_rows([0]))


def test_an_integer_column_with_some_rows_only(run, table):
    run.add_metrics({"loss": range(ROWS)}, foreign_table_url=table, constants={"epoch": 0})
    add(run, table, [7.5], epoch=0, ids=[3])
    assert losses(run) == {0: [0, 1, 2, 7.5, 4]}


def test_metrics_about_a_table_that_is_gone_are_passed_over(run, table):
    import shutil

    smaller = table.delete_rows([0])
    add(run, smaller, [1.0] * 4, epoch=0)
    add(run, table, [2.0] * ROWS, epoch=1)
    shutil.rmtree(smaller.url.to_local_path())
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        assert losses(run, table) == {1: [2] * ROWS}


def test_parts_are_those_of_the_chosen_epochs(run, table):
    for epoch in (2, 0, 1):
        add(run, table, [0.0] * ROWS, epoch=epoch)
    found = Epochs(run, table, ["loss"], epochs=2)
    assert [part.info.constants["epoch"] for part in found.parts] == [0, 1]
    found = Epochs(run, table, ["loss"], epochs=slice(1, None))
    assert [part.info.constants["epoch"] for part in found.parts] == [2, 1]


def test_vectors_that_are_all_missing_have_any_length(run, table):
    schema = {"p": Float32Schema(shape=(2,))}
    for ids, vectors in (
        ([0, 1], [[1, 2], [3, 4]]),
        ([1, 2], [None, None]),
        ([3], [[5, 6]]),
    ):
        metrics = {"example_id": ids, "p": vectors}
        run.add_metrics(metrics, schema, table, constants={"epoch": 0})
    (found,) = Epochs(run, None, ["p"], vectors=True)
    gone = [np.nan] * 2
    np.testing.assert_array_equal(found.values["p"], [[1, 2], gone, gone, [5, 6], gone])


def test_vectors_have_one_length(run, table):
    for epoch, width in enumerate([2, 3]):
        vectors = np.full((2, width), epoch, np.float32)
        metrics = {"example_id": [0, 1], "p": vectors}
        run.add_metrics(metrics, foreign_table_url=table, constants={"epoch": 0})
    with pytest.raises(ColumnError, match="'p' differ in length"):
        list(Epochs(run, None, ["p"], vectors=True))
