"""Opening whatever lies at a url."""

from __future__ import annotations

import pytest

import tlc
from tlc.errors import CorruptObjectError, ObjectKindError, ObjectNotFoundError
from tlc.format.manifest import MANIFEST
from tlc.objects import ObjectRegistry, open_object


@pytest.fixture
def table():
    return tlc.Table.from_dict({"a": [1]}, project_name="p")


@pytest.fixture
def run():
    return tlc.init("p", "r")


@pytest.fixture(params=[open_object, ObjectRegistry.get_object_from_url])
def opened(request):
    return request.param


def test_tables_and_runs(opened, table, run):
    for each in (table, run):
        for url in (each.url, each.url.to_str(), each.url / MANIFEST):
            assert opened(url) == each
            assert type(opened(url)) is type(each)


def test_a_metrics_table_that_is_not_finished(opened, run):
    writer = tlc.MetricsTableWriter()
    writer.add_row({"loss": 1.0})
    writer.flush()
    assert opened(writer.url).is_partial


def test_nothing(opened, tmp_path):
    with pytest.raises(ObjectNotFoundError) as caught:
        opened(tmp_path / "nothing")
    assert isinstance(caught.value, FileNotFoundError)


def test_something_else(opened, tmp_path):
    (tmp_path / "file.txt").write_text("text")
    for url in (tmp_path, tmp_path / "file.txt"):
        with pytest.raises(ObjectKindError) as caught:
            opened(url)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("kind", ["table", "run"])
def test_damaged(opened, table, run, kind):
    url = {"table": table, "run": run}[kind].url
    content = (url / MANIFEST).read_bytes()
    (url / MANIFEST).write_bytes(content.replace(b'"created": "2', b'"created": "3'))
    with pytest.raises(CorruptObjectError, match="digest"):
        opened(url)


def test_the_active_run_stays(opened, run):
    other = tlc.init("p", "other")
    opened(run.url)
    assert tlc.active_run() is other


def test_there_is_no_cache_to_drop(run):
    ObjectRegistry.drop_cache()
    again = ObjectRegistry.get_object_from_url(run.url)
    run.set_parameters({"a": 1})
    assert again.parameters == {"a": 1}
