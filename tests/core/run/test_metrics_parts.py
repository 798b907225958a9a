"""run.metrics.parts: the metrics tables one by one, each read when its turn comes."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pytest

from tlc.errors import DamagedObjectWarning, MetricsError, ObjectNotFoundError
from tlc.writers import MetricsTableWriter


@pytest.fixture
def stored(run, table):
    """Losses of two epochs of a table, and of a smaller revision of it."""
    smaller = table.delete_rows([0, 3])
    for epoch, about in enumerate((table, smaller)):
        losses = [10.0 * epoch + n for n in range(len(about))]
        run.add_metrics({"loss": losses}, foreign_table_url=about, constants={"epoch": epoch})
    return run, table, smaller


def test_together_they_are_what_a_call_returns(stored):
    run, table, _ = stored
    for options in ({}, {"table": table}, {"table": table, "columns": ["loss"], "join": ["label"]}):
        parts = [part.read() for part in run.metrics.parts(**options)]
        assert pa.concat_tables(parts, promote_options="permissive") == run.metrics(**options)


def test_a_part_says_what_it_is_about(stored):
    run, table, smaller = stored
    first, second = run.metrics.parts(table)
    assert (first.table(), second.table()) == (table, smaller)
    assert (first.table_id, second.table_id) == (table.id, smaller.id)
    assert (first.table_url, second.table_url) == (table.url, smaller.url)
    assert first.info.constants == {"epoch": 0}
    assert first.row_numbers() is None
    assert second.row_numbers().tolist() == [1, 2, 4]
    assert [values.tolist() for values in second.numbers("loss")[0]] == [[1, 2, 4], [10, 11, 12]]
    run.add_metrics({"name": ["a"] * 5}, foreign_table_url=table)
    *_, third = run.metrics.parts(table)
    with pytest.raises(MetricsError, match="holds string, not numbers"):
        third.numbers("name")


def test_parts_may_have_none_of_the_rows(stored, make_table):
    run, table, smaller = stored
    other = make_table(name="other")
    assert [part.has_rows() for part in run.metrics.parts(other)] == [False, False]
    assert [part.read() for part in run.metrics.parts(other)] == [None, None]
    only = table.delete_rows([1, 2, 4])
    assert [part.has_rows() for part in run.metrics.parts(only)] == [True, False]
    shutil.rmtree(smaller.url.to_local_path())
    _, gone = run.metrics.parts(table)
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        assert not gone.has_rows()
    with pytest.warns(DamagedObjectWarning, match="passed over"):
        assert gone.read() is None
    with pytest.raises(ObjectNotFoundError):
        gone.table()


def test_an_unfinished_table_that_was_removed_is_not_read(run, table):
    writer = MetricsTableWriter(run, table)
    writer.add_batch({"example_id": [0, 1], "loss": [1.0, 2.0]})
    writer.flush()
    assert [part.metrics.url for part in run.metrics.parts(table)] == [writer.url]
    run.remove_metrics_table(writer.url)
    assert list(run.metrics.parts(table)) == []
