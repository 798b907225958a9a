"""Processes that write metrics tables into one run, and are killed."""

from __future__ import annotations

import pytest

import tlc


@pytest.fixture
def table(make_table):
    return make_table(rows=3000)


def arguments(run, table, **others):
    return {"url": run.url.to_str(), "table": table.url.to_str(), **others}


def test_each_process_gets_a_table_of_its_own(run, table, crew):
    for epoch, worker in enumerate(crew):
        worker.start("write_metrics", **arguments(run, table, epoch=epoch, batches=4))
    urls = [set(worker.answers()) for worker in crew]
    assert all(len(each) == 1 for each in urls)
    assert len(set().union(*urls)) == 8
    assert {t.url.to_str() for t in run.metrics_tables} == set().union(*urls)
    assert {t.name for t in run.metrics_tables} == {f"metrics_{i:04d}" for i in range(8)}
    assert not any(t.is_partial for t in run.metrics_tables)
    found = run.metrics(table)
    assert found.num_rows == 8 * 12
    assert sorted(zip(found["epoch"].to_pylist(), found["loss"].to_pylist(), strict=True)) == [
        (epoch, float(i)) for epoch in range(8) for i in range(12)
    ]
    assert run.input_tables == [table.url]


@pytest.mark.parametrize("acknowledged", [1, 9])
@pytest.mark.parametrize("unique_ids", [False, True])
def test_flushed_rows_survive_a_kill(run, table, victim, acknowledged, unique_ids):
    run.add_metrics({"loss": [0.0] * 3000}, foreign_table_url=table)
    options = arguments(run, table, epoch=5, batches=1000, unique_ids=unique_ids)
    victim.start("write_metrics", **options)
    seen = [victim.answer() for _ in range(acknowledged)]
    seen += victim.kill()
    finished, partial = run.metrics_tables
    assert not finished.is_partial
    assert partial.is_partial
    assert partial.url.to_str() == seen[0]
    rows = len(partial)
    assert 3 * len(seen) <= rows <= 3 * len(seen) + 3
    assert partial.column("example_id").to_pylist() == list(range(rows))
    assert partial[rows - 1] == {"example_id": rows - 1, "loss": float(rows - 1), "epoch": 5}
    assert run.metrics(table, columns=["epoch"])["epoch"].to_pylist() == [5] * rows
    run.add_metrics({"loss": [0.0] * 3000}, foreign_table_url=table)
    assert [t.is_partial for t in run.metrics_tables] == [False, False, True]
    assert len({t.url for t in run.metrics_tables}) == 3


def test_two_handles_in_one_process(run, table):
    other = tlc.Run.from_url(run.url)
    with (
        tlc.MetricsTableWriter(run, table) as first,
        tlc.MetricsTableWriter(other, table) as second,
    ):
        first.add_row({"example_id": 0, "loss": 1.0})
        second.add_row({"example_id": 1, "loss": 2.0})
    assert sorted(run.metrics()["loss"].to_pylist()) == [1.0, 2.0]
    assert run.metrics == other.metrics
