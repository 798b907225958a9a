"""Metrics tables that are finished, and that no event of their run tells of."""

from __future__ import annotations

import pytest

import tlc
from tlc.errors import DamagedObjectWarning
from tlc.format.manifest import MANIFEST


@pytest.fixture
def cut_short(run, table, monkeypatch):
    """A metrics table whose writer was killed after publishing it, before it told the run."""

    def killed(*arguments, **options):
        raise KeyboardInterrupt

    writer = tlc.MetricsTableWriter(run, table, constants={"epoch": 0})
    writer.add_batch({"example_id": [0, 2], "loss": [0.5, 1.5]})
    with monkeypatch.context() as patches:
        patches.setattr(tlc.Run, "_note_metrics_table", killed)
        with pytest.raises(KeyboardInterrupt), writer:
            pass
    return tlc.Table.from_url(writer.url)


def test_it_is_listed_and_read(run, table, cut_short):
    assert run.state.metrics == []
    assert not cut_short.is_partial
    for each in (run, tlc.Run.from_url(run.url)):
        assert each.metrics_tables == [cut_short]
        (info,) = each.metrics
        assert info["url"] == "metrics/metrics_0000"
        assert info["row_count"] == 2
        assert info["file_size"] == cut_short.file_size
        assert each.metrics(table)["loss"].to_pylist() == [0.5, 1.5]
    assert run.input_tables == [table.url]


def test_it_is_listed_once_when_it_is_linked_later(run, cut_short):
    run.add_metrics_table(cut_short, stream_name="mine")
    assert [info["stream_name"] for info in run.metrics] == ["mine"]
    assert run.metrics_tables == [cut_short]


def test_those_that_were_told_of_come_first(run, table, cut_short):
    run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
    assert [each.name for each in run.metrics_tables] == ["metrics_0001", "metrics_0000"]


def test_it_is_not_listed_when_its_link_was_removed(run, cut_short):
    run._events.append("metrics_removed", {"url": "metrics/metrics_0000"})
    assert run.metrics == run.metrics_tables == []


def test_a_copy_lists_it_too(run, cut_short, tmp_path):
    copied = run.copy(destination_url=tmp_path / "copy")
    assert [each.name for each in copied.metrics_tables] == [cut_short.name]


def test_a_damaged_one_is_named_and_hides_no_other(run, table, cut_short):
    (cut_short.url / MANIFEST).write_bytes(b"{}")
    run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
    with pytest.warns(DamagedObjectWarning, match="metrics_0000"):
        assert [each.name for each in run.metrics_tables] == ["metrics_0001"]


def test_add_metrics_is_safe_as_well(run, table, monkeypatch):
    def killed(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patches:
        patches.setattr(tlc.Run, "_note_metrics_table", killed)
        with pytest.raises(KeyboardInterrupt):
            run.add_metrics({"loss": [0.0] * 5}, foreign_table_url=table)
    assert run.metrics(table)["loss"].to_pylist() == [0.0] * 5
