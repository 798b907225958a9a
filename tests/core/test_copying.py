from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image

import tlc
from tlc.copying import copy_table
from tlc.errors import (
    CorruptObjectError,
    ObjectExistsError,
    ObjectKindError,
    ObjectNotFoundError,
    OptionError,
)
from tlc.schemas import ImageSchema
from tlc.testing import Fault, FaultyUrlAdapter
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.memory import MemoryUrlAdapter


def image(value):
    return Image.fromarray(np.full((3, 4, 3), value, np.uint8))


def rows(table):
    return [
        {**sample, "image": int(np.asarray(sample["image"])[0, 0, 0])}
        if "image" in sample
        else sample
        for sample in table
    ]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "projects"


@pytest.fixture
def newest(root, tmp_path):
    """The third of a lineage, with images of tlc's own and one of somebody else's."""
    Url(tmp_path / "elsewhere.png").write_bytes(b"")
    image(9).save(tmp_path / "elsewhere.png")
    first = tlc.Table.from_dict(
        {"image": [image(0), image(1), str(tmp_path / "elsewhere.png")], "label": [0, 1, 2]},
        schema={"image": ImageSchema()},
        table_name="first",
        dataset_name="d",
        project_name="p",
        root_url=str(root),
    )
    return first.set_values("label", [0], [5]).delete_rows([1])


@pytest.fixture(params=["disk", "memory", "s3"])
def there(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("s3_root")
    return Url(
        {"disk": f"{tmp_path}/there", "memory": f"memory://there/{tmp_path.name}"}[request.param]
    )


def test_a_copy_stands_alone(newest, there, root, tmp_path):
    expected = [(table.id, table.name, rows(table)) for table in newest.history()]
    report = copy_table(newest.url, there)
    assert report.table == there / "p" / "datasets" / "d" / "tables" / newest.name
    assert (report.tables, report.skipped) == (3, 0)
    shutil.rmtree(root)
    copy = tlc.Table.from_url(report.table)
    assert [(table.id, table.name, rows(table)) for table in copy.history()] == expected
    assert copy.history()[0].latest() == copy
    urls = [row["image"] for row in copy.table_rows]
    assert Url(urls[0]).exists()
    assert urls[0].startswith(str(there))
    assert urls[1] == str(tmp_path / "elsewhere.png")
    assert rows(copy.set_values("label", [0], [7]).latest())[0]["label"] == 7


def test_a_second_copy_writes_nothing(newest, there):
    first = copy_table(newest.url, there)
    second = copy_table(newest.url, there)
    assert (second.files, second.size) == (0, 0)
    assert second.skipped == first.files


def failing_after(limit):
    requests = iter(range(limit))
    return lambda *_: Fault.FAIL_BEFORE if next(requests, None) is None else Fault.NONE


def test_an_interrupted_copy_is_finished(newest, tmp_path, monkeypatch):
    """Whatever request the store stops answering at, nothing is there by halves."""
    monkeypatch.setattr(UrlAdapterRegistry, "_adapters", dict(UrlAdapterRegistry._adapters))
    monkeypatch.setattr("tlc.copying.in_parallel", lambda act, jobs: [act(job) for job in jobs])
    expected = rows(newest)
    for limit in range(100):
        memory = MemoryUrlAdapter()
        UrlAdapterRegistry.register(FaultyUrlAdapter(memory, "weak", failing_after(limit)))
        try:
            copy_table(newest.url, "weak://there")
        except OSError:
            ended = False
        else:
            ended = True
        UrlAdapterRegistry.register(FaultyUrlAdapter(memory, "weak", lambda *_: Fault.NONE))
        url = Url("weak://there/p/datasets/d/tables") / newest.name
        if (url / "manifest.json").exists():
            assert rows(tlc.Table.from_url(url)) == expected
        report = copy_table(newest.url, "weak://there")
        assert rows(tlc.Table.from_url(report.table)) == expected
        if ended:
            break
    assert limit > 10


def test_tables_it_was_joined_from_give_their_files(newest, root, tmp_path):
    others = [
        tlc.Table.from_dict(
            {"image": [image(value)], "label": [value]},
            schema={"image": ImageSchema()},
            table_name="first",
            dataset_name=f"other {value}",
            project_name="p",
            root_url=str(place),
        )
        for value, place in ((20, root), (21, tmp_path / "another root"))
    ]
    joined = tlc.Table.join_tables(
        [newest, *others], "joined", dataset_name="d", project_name="p", root_url=str(root)
    )
    expected, inputs = rows(joined), joined.input_tables
    copy = tlc.Table.from_url(copy_table(joined.url, tmp_path / "there").table)
    assert copy.input_tables == inputs
    shutil.rmtree(root)
    shutil.rmtree(tmp_path / "another root")
    assert rows(tlc.Table.from_url(copy.url)) == expected


def test_the_copy_may_have_another_name_and_place(newest, tmp_path):
    place = tmp_path / "q" / "datasets" / "e" / "tables" / "renamed"
    report = copy_table(newest.url, place)
    assert report.table == Url(place)
    copy = tlc.Table.from_url(place)
    assert (copy.id, rows(copy)) == (newest.id, rows(newest))
    assert [table.name for table in copy.history()] == ["first", "first-r1", "renamed"]


def test_a_table_outside_of_projects(tmp_path, newest):
    alone = newest.revise(table_url=tmp_path / "alone")
    with tlc.TableWriter(schema={"image": ImageSchema()}, table_url=tmp_path / "own") as writer:
        writer.add_row({"image": image(3)})
    for url in (alone.url, Url(tmp_path / "own")):
        copy = tlc.Table.from_url(copy_table(url, tmp_path / "copies" / url.name).table)
        assert rows(copy) == rows(tlc.Table.from_url(url))
        assert copy.url == Url(tmp_path / "copies" / url.name)


def test_what_cannot_be_copied_is_refused(newest, tmp_path, root):
    with pytest.raises(ObjectNotFoundError):
        copy_table(tmp_path / "missing", tmp_path / "there")
    with pytest.raises(OptionError, match="neither a folder"):
        copy_table(newest.url, tmp_path / "p" / "datasets" / "d")
    run = tlc.init("p", "run", root_url=str(root))
    run.add_metrics({"loss": [1.0]})
    with pytest.raises(ObjectKindError, match="metrics"):
        copy_table(run.metrics_tables[0].url, tmp_path / "there")
    other = tlc.Table.from_dict(
        {"x": [1]},
        table_name="first",
        dataset_name="d",
        project_name="p",
        root_url=tmp_path / "there",
    )
    with pytest.raises(ObjectExistsError, match="first"):
        copy_table(newest.url, tmp_path / "there")
    assert rows(tlc.Table.from_url(other.url)) == [{"x": 1}]


@pytest.mark.parametrize("kind", ["data", "image"])
def test_damage_is_not_copied(newest, tmp_path, root, kind):
    pattern = {"data": "first/data/*.parquet", "image": "bulk_data/**/*.png"}[kind]
    file = sorted(root.rglob(pattern))[0]
    file.write_bytes(file.read_bytes()[:-20] + bytes(20))
    with pytest.raises(CorruptObjectError, match=file.name):
        copy_table(newest.url, tmp_path / "there")
    assert not list((tmp_path / "there").rglob("manifest.json"))


def test_the_command(newest, tmp_path, capsys, monkeypatch):
    from tlc.cli import main

    monkeypatch.setattr("sys.argv", ["tlc", "copy", str(newest.url), str(tmp_path / "there")])
    with pytest.raises(SystemExit) as info:
        main()
    assert not info.value.code
    assert "3 tables" in capsys.readouterr().out
