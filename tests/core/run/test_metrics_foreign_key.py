"""Linked tables that only a foreign key says the subject of."""

from __future__ import annotations

import pytest

import tlc
from tlc.errors import ColumnNotFoundError, DamagedObjectWarning, MetricsError
from tlc.schemas import ForeignTableIdSchema


def linked(run, url, **columns):
    """Link a table about the first two rows of the one at `url`, or with other columns."""
    columns = columns or {"example_id": [0, 1]}
    metrics = tlc.Table.from_dict(
        {**columns, "metric": [1.0, 2.0], "input_table_id": [0, 0]},
        schema={"input_table_id": ForeignTableIdSchema(url)},
        project_name="project",
        table_name="about",
    )
    run.add_metrics_table(metrics)
    return metrics


@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_they_are_read(run, table, make_table, form):
    here = tlc.Url("../table") if form == "relative" else table.url
    metrics = linked(run, here.to_str())
    assert here.to_absolute(metrics.url) == table.url
    for found in (run.metrics(table), run.metrics(), run.metrics(table, split="")):
        assert found["metric"].to_pylist() == [1.0, 2.0]
        assert found["split"].to_pylist() == ["", ""]
    assert run.metrics(join=["label"])["label"].to_pylist() == ["table-0", "table-1"]
    assert run.metrics(make_table(name="other")).num_rows == 0
    assert run.metrics(table, split="val").num_rows == 0


def test_without_one_they_are_left_out(run, table):
    run.add_metrics_table(tlc.Table.from_dict({"example_id": [0], "metric": [1.0]}))
    linked(run, "")
    assert run.metrics(table).num_rows == 0


def test_of_a_table_that_is_gone(run, table):
    linked(run, (table.url / "nothing").to_str())
    with pytest.warns(DamagedObjectWarning):
        assert run.metrics(table).num_rows == 0


@pytest.mark.parametrize("make", [tlc.Run.create, tlc.init])
def test_no_description(make):
    run = make("project", "plain", description=None)
    assert not run.description
    assert tlc.Run.from_url(run.url).id == run.id


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        ([0, 5], "they go from 0 to 5"),
        ([-1, 0], "they go from -1 to 0"),
        ([None, 1], "some are missing"),
        ([0.5, 1.0], "0.5"),
        (["a", "b"], "'b'"),
    ],
)
def test_ids_that_are_no_row_numbers_are_refused(run, table, ids, reason):
    linked(run, table.url.to_str(), example_id=ids)
    message = f"'example_id' of .*about does not hold row numbers of .*table, .* 5 rows: .*{reason}"
    for about in (table, table.set_values("number", [0], [1])):
        with pytest.raises(MetricsError, match=message):
            run.metrics(about)
        with pytest.raises(MetricsError, match=message):
            run.metrics.by_example("metric", about)


def test_ids_may_be_whole_floats(run, table):
    linked(run, table.url.to_str(), example_id=[3.0, 1.0])
    assert run.metrics(table)["example_id"].to_pylist() == [3, 1]
    revision = table.delete_rows([0])
    assert run.metrics.by_example("metric", revision, "sum").tolist() == [2.0, 0.0, 1.0, 0.0]


def test_without_ids_they_are_left_out(run, table):
    linked(run, table.url.to_str(), other=[0, 1])
    assert run.metrics(table).num_rows == 0
    assert list(run.metrics.parts(table)) == []
    with pytest.raises(ColumnNotFoundError, match="'metric'"):
        run.metrics.by_example("metric", table)
