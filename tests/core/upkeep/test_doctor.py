"""`examine`: every damage is named, with what it affects and what can be done."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from tests.core.upkeep.conftest import contents, files_below, images, make_run, make_table, quietly

import tlc
from tlc.errors import ObjectKindError, ObjectNotFoundError
from tlc.format.layout import bulk_folder
from tlc.format.manifest import Parent, TableManifest, encode, read
from tlc.run.events import EVENTS, EventLog
from tlc.upkeep import examine
from tlc.url import Url


@pytest.fixture
def table(root):
    return make_table(root)


@pytest.fixture
def run(root, table):
    return make_run(root, table)


@pytest.fixture
def project(root, table, run):
    table.set_values("n", [0], [7])
    return root / "p"


def flip(path, position=None):
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2 if position is None else position] ^= 1
    Path(path).write_bytes(data)


def only(findings):
    assert len(findings) == 1
    return findings[0]


def test_a_sound_project(project):
    report = examine(project)
    assert report.findings == []
    assert (report.tables, report.runs) == (3, 1)
    assert report.files == 3 + 3  # the data of three tables, and three images
    sizes = [p.stat().st_size for p in files_below(project) if p.suffix in (".parquet", ".png")]
    assert report.size == sum(sizes)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty, os.unlink], ids=lambda d: d.__name__)
@pytest.mark.parametrize("what", ["data", "bulk", "metrics"])
def test_a_damaged_file_is_named_with_the_tables_that_need_it(project, table, run, what, damage):
    folders = {
        "data": table.url / "data",
        "bulk": bulk_folder(table.url),
        "metrics": run.metrics_tables[0].url / "rank-0",
    }
    path = files_below(folders[what])[0]
    damage(path)
    finding = only(examine(project).damages)
    assert str(finding.url) == str(path)
    assert "restore the file" in finding.remedy
    users = {"metrics": [run.metrics_tables[0].url]}.get(what, [table.url, Url(f"{table.url}-r1")])
    assert finding.affects.partition(" in ")[2] == ", ".join(map(str, users))


def test_files_that_were_swapped(project, table):
    one, two, _ = files_below(bulk_folder(table.url))
    one.rename(f"{one}.x")
    two.rename(one)
    Path(f"{one}.x").rename(two)
    assert [str(f.url) for f in examine(project).damages] == [str(one), str(two)]


@pytest.mark.parametrize("damage", [flip, cut, empty], ids=lambda d: d.__name__)
def test_a_damaged_manifest(project, table, run, damage):
    damage(Path(str(table.url)) / "manifest.json")
    finding = only(quietly(examine, project).damages)
    assert finding.url == table.url
    assert "its digest does not fit" in finding.fault
    assert re.search(r"rm -r \S*/tables/t$", finding.remedy)
    assert "tlc gc" in finding.affects


def test_a_damaged_manifest_of_a_run_or_a_metrics_table(project, run):
    metrics = run.metrics_tables[0]
    empty(Path(str(run.url)) / "manifest.json")
    assert only(examine(project).damages).url == run.url
    empty(Path(str(metrics.url)) / "manifest.json")
    assert [f.url for f in examine(project).damages] == [run.url, metrics.url]


def test_a_damaged_segment_of_a_partial_metrics_table(root, table):
    run = tlc.init("p", "r", root_url=root)
    writer = tlc.MetricsTableWriter(run, table)
    writer.add_batch({"example_id": [0, 1], "loss": [0.5, 0.25]})
    writer.flush()
    assert examine(root / "p").damages == []
    path = files_below(writer.url / "rank-0")[0]
    flip(path)
    assert str(only(examine(root / "p").damages).url) == str(path)


def test_a_damaged_line_of_events(project, run):
    path = files_below(run.url / EVENTS)[0]
    flip(path, 10)
    finding = only(examine(project).damages)
    assert f"{path}, line 1 is damaged" in finding.fault
    assert finding.url == run.url / EVENTS / run.id


def test_metrics_that_the_run_does_not_know_of_are_linked(root, table, run):
    lost = tlc.MetricsTableWriter(run, table)
    lost.add_batch({"example_id": [0, 1], "loss": [0.5, 0.25]})
    lost.finalize()
    finding = only(examine(run.url).findings)
    assert (finding.url, finding.is_damage) == (lost.url, False)
    assert len(run.metrics_tables) == 1
    assert examine(root / "p", repair=True).repaired == [f"linked {lost.url} to its run"]
    assert [each.url for each in run.metrics_tables][-1] == lost.url
    assert examine(root / "p").findings == []


def test_a_metrics_table_that_was_deleted(project, run):
    table = run.metrics_tables[0]
    shutil.rmtree(str(table.url))
    finding = only(examine(project).damages)
    assert finding.url == run.url
    assert str(table.url) in finding.fault


def test_a_table_that_was_deleted(project, table, run):
    shutil.rmtree(str(table.url))
    report = examine(project)
    revision = Url(f"{table.url}-r1")
    assert {f.url for f in report.notes} >= {revision, run.url, run.metrics_tables[0].url}
    assert [str(f.url) for f in report.damages] == [str(files_name(revision))]
    assert "it is missing" in report.damages[0].fault


def files_name(revision):
    entry = tlc.Table.from_url(revision)._manifest.stack.layers[0].files[0]
    return Url(entry.path).to_absolute(revision)


def test_another_table_in_the_place_of_the_one_that_was_meant(root, table):
    revision = table.set_values("n", [0], [7])
    make_run(root, table)
    make_table(root, rows=4)
    notes = examine(root / "p").notes
    assert [f.url for f in notes if "another table is there" in f.fault] == [
        revision.url,
        root / "p/runs/r",
        root / "p/runs/r/metrics/metrics_0000",
    ]


def test_a_run_that_was_killed(root):
    code = (
        "import os, sys, tlc\n"
        "tlc.init('p', 'r', root_url=sys.argv[1]).log({'loss': 1.0})\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
    finding = only(examine(root / "p").notes)
    assert finding.url == root / "p/runs/r"
    assert "it has crashed" in finding.fault


def test_what_a_writer_left(root, table):
    writer = tlc.TableWriter("unfinished", "d", "p", root_url=root)
    writer.add_row({"image": images(1)[0]})
    writer._builder.flush()
    finding = only(examine(root / "p").notes)
    assert finding.url == root / "p/datasets/d/tables/unfinished"
    assert "did not finish" in finding.fault


def test_temporary_files_are_removed_if_asked(root, table):
    temp = Path(str(table.url)) / ".tlc-tmp-00000000-1-0123"
    temp.write_bytes(b"x")
    os.utime(temp, (0, 0))
    examine(root / "p")
    assert temp.exists()
    assert examine(root / "p", repair=True).repaired == [f"removed {temp}"]
    assert not temp.exists()


def test_garbage_is_told_with_the_command_that_deletes_it(root, elsewhere):
    make_table(root)
    make_table(root)
    for path in files_below(root):
        os.utime(path, (0, 0))
    finding = only(examine(root / "p").notes)
    assert finding.fault.startswith("4 files (")
    assert finding.remedy == f"tlc gc 'p' --root '{root}' --delete"


def test_one_object(project, table, run):
    for url in (table.url, run.metrics_tables[0].url):
        assert examine(url).tables == 1
    assert (examine(run.url).runs, examine(run.url).tables) == (1, 1)
    with pytest.raises(ObjectNotFoundError):
        examine(project / "nowhere")
    with pytest.raises(ObjectKindError):
        examine(project / "datasets")


def test_looking_changes_nothing(project, root):
    before, files = contents(root), {p: p.stat() for p in files_below(root)}
    examine(project)
    assert {p: p.stat() for p in files_below(root)} == files
    assert contents(root) == before


def test_on_any_adapter():
    root = Url("memory://doctor")
    table = make_table(root)
    make_run(root, table)
    assert examine(root / "p").findings == []
    path = Url(table._manifest.stack.layers[0].files[0].path).to_absolute(table.url)
    path.write_bytes(path.read_bytes()[:-1])
    finding = only(examine(root / "p").damages)
    assert finding.url == path
    assert f"delete the folder {table.url}" in finding.remedy


def test_a_column_that_no_file_holds(project, table):
    manifest = read(table.url, TableManifest)
    values = {**manifest.rows_schema["values"], "more": {"value": {"type": "int8"}}}
    changed = msgspec.structs.replace(manifest, rows_schema={"values": values})
    (table.url / "manifest.json").write_bytes(encode(changed))
    finding = only(examine(table.url).damages)
    assert finding.fault == "no file holds the column 'more'"


def test_a_manifest_that_fits_its_digest_but_makes_no_sense(project, table):
    manifest = read(table.url, TableManifest)
    changed = msgspec.structs.replace(manifest, created="x")
    content = encode(changed).replace(b'"type": "int64"', b'"type": 64')
    body = content[: content.rindex(b',\n  "digest"')]
    digest = hashlib.sha256(body).hexdigest().encode()
    (table.url / "manifest.json").write_bytes(body + b',\n  "digest": "sha256:%s"\n}\n' % digest)
    finding = only(examine(table.url).damages)
    assert finding.url == table.url


def test_references_to_web_servers_are_not_followed(root, table):
    manifest = read(table.url, TableManifest)
    parents = (Parent("http://127.0.0.1:9/t", "id", "input"),)
    (table.url / "manifest.json").write_bytes(
        encode(msgspec.structs.replace(manifest, parents=parents))
    )
    assert examine(table.url).findings == []


def test_a_log_that_cannot_be_read(project, run):
    path = files_below(run.url / EVENTS)[0]
    path.unlink()
    os.mkfifo(path)
    finding = only(examine(run.url).damages)
    assert finding.url == run.url / EVENTS / run.id


def test_metrics_that_were_taken_from_a_run_are_not_missed(root, table, run):
    url = run.metrics_tables[0].url
    log = EventLog(run.url, run.id)
    log.append("metrics_removed", {"url": url.to_relative(run.url).to_str()})
    assert examine(run.url).findings == []
