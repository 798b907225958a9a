"""`collect_garbage`: what goes, what stays, and why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.core.upkeep.conftest import (
    collect,
    contents,
    files_below,
    images,
    make_older,
    make_run,
    make_table,
)

import tlc
from tlc.errors import ObjectNotFoundError
from tlc.format.layout import bulk_folder
from tlc.format.writer_name import may_be_running, new_writer
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.memory import MemoryUrlAdapter

HOUR = 3600.0


def empty_folders(root):
    below = [path for path in Path(str(root)).rglob("*") if path.is_dir()]
    return [path for path in below if not any(path.iterdir())]


@pytest.fixture
def littered(root, elsewhere):
    """A project with garbage of every kind, and the files that are garbage."""
    needed = make_table(root, "kept")
    revision = needed.set_values("n", [0], [9])
    overwritten = make_table(root)
    garbage = files_below(overwritten.url / "data") + files_below(bulk_folder(overwritten.url))
    make_table(root, rows=6)
    writer = tlc.TableWriter("unfinished", "d", "p", root_url=root)
    writer.add_row({"image": images(1)[0]})
    writer._builder.flush()
    garbage += files_below(root / "p/datasets/d/tables/unfinished")
    garbage += files_below(root / "p/datasets/d/bulk_data/unfinished")
    with pytest.raises(tlc.errors.TlcError):
        needed.revise(*[tlc.table.AddColumn("more", [1, 2, 3])] * 2, name="x")
    garbage += files_below(root / "p/datasets/d/tables/x")
    run = make_run(root, revision)
    old_events = files_below(run.url / "events")
    run = make_run(root, revision, if_exists="overwrite")
    for path in old_events:  # as of a process that went on after its run was overwritten
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return [str(path) for path in garbage + old_events]


def test_what_nobody_needs_goes_and_everything_reads_as_before(root, littered):
    before = contents(root)
    dry = collect(root, delete=False)
    assert sorted(str(url) for files in dry.files.values() for url, _ in files) == sorted(littered)
    assert dry.deleted == 0
    assert dry.size == sum(os.path.getsize(path) for path in littered)
    assert collect(root).deleted == len(littered)
    assert not any(map(os.path.exists, littered))
    assert contents(root) == before
    while collect(root).folders:  # one that held only an empty one is empty the next time
        pass
    assert empty_folders(root) == []
    assert collect(root).count == 0


def test_the_grace_period_is_measured_by_the_clock_of_the_store(root, littered, monkeypatch):
    for skew in (-HOUR, HOUR):
        monkeypatch.setattr(time, "time", lambda skew=skew, real=time.time: real() + skew)
        kept = collect(root, grace_seconds=60)
        assert (kept.count, kept.deleted) == (0, 0)
        assert kept.young == len(littered)
        monkeypatch.undo()
    make_older(root, 120)
    assert collect(root, grace_seconds=60).deleted == len(littered)


def test_a_file_of_an_overwritten_table_is_as_old_as_the_table_that_replaced_it(root, elsewhere):
    make_table(root)
    make_older(root, 10 * HOUR)
    make_table(root)
    assert collect(root, grace_seconds=HOUR).young == 4
    make_older(root, 2 * HOUR)
    assert collect(root, grace_seconds=HOUR).deleted == 4


def test_one_fresh_file_keeps_all_of_its_writer(root, elsewhere):
    writer = tlc.TableWriter("t", "d", "p", root_url=root)
    writer.add_row({"image": images(1)[0]})
    make_older(root, 10 * HOUR)
    writer.add_row({"image": images(1)[0]})
    assert collect(root, grace_seconds=HOUR).young == 2
    assert len(writer.finalize()) == 2


def test_what_a_process_that_still_runs_has_written_stays(root):
    writer = tlc.TableWriter("t", "d", "p", root_url=root)
    writer.add_row({"image": images(1)[0]})
    kept = collect(root)
    assert (kept.deleted, kept.running) == (0, 1)
    table = writer.finalize()
    assert table[0]["image"].size == (4, 4)
    collect(root)
    assert table.table_rows[0] == tlc.Table.from_url(table.url).table_rows[0]


def test_what_a_process_that_has_ended_has_written_goes(root):
    code = (
        "import sys, tlc; from PIL import Image\n"
        "w = tlc.TableWriter('t', 'd', 'p', root_url=sys.argv[1])\n"
        "w.add_row({'image': Image.new('RGB', (4, 4))}); w._builder.flush()"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], check=True)
    assert collect(root).deleted == 2
    assert files_below(root) == []


def test_whether_a_process_runs():
    assert may_be_running(new_writer(), 0)
    assert not may_be_running("1f3e5a7c", 0)
    assert not may_be_running("1f3e5a7c-0000p1", 0)
    machine = new_writer().split("-")[1].partition("p")[0]
    assert not may_be_running(f"1f3e5a7c-{machine}p{2**40:x}", 0)
    if sys.platform == "linux":
        # The process has the number now, but the file is older than the process.
        assert not may_be_running(new_writer(), 10 * 365 * 24 * HOUR)
        assert may_be_running(f"1f3e5a7c-{machine}p1", 0)


# What is not ours


def test_files_and_folders_of_others_stay(root, elsewhere):
    table = make_table(root)
    tables = root / "p/datasets/d/tables"
    mine = [
        table.url / "notes.txt",
        table.url / "data/mine.parquet",
        table.url / "data/deep/0123abcd-00000.parquet",
        root / "p/0123abcd-00000.parquet",
        root / "p/data/0123abcd-00000.parquet",
        tables / "0123abcd-00000.parquet",
        tables / "mine/other/0123abcd-00000.parquet",
        root / "p/datasets/d/bulk_data/t/image/photo.png",
        root / "p/datasets/d/bulk_data/0123abcd-0000000.png",
        root / "p/runs/r/checkpoints/0123abcd-00000.parquet",
        root / "q/0123abcd-00000.parquet",
    ]
    for url in mine:
        url.write_bytes(b"mine")
    (root / "p/datasets/d/tables/mine/data/0123abcd-00000.parquet").write_bytes(b"garbage")
    assert collect(root).deleted == 1
    assert all(url.read_bytes() == b"mine" for url in mine)


@pytest.mark.skipif(sys.platform == "win32", reason="needs links")
def test_links_are_not_followed(root, elsewhere, tmp_path):
    make_table(root)
    target = tmp_path / "target"
    (target / "data").mkdir(parents=True)
    file = target / "data/0123abcd-00000.parquet"
    file.write_bytes(b"mine")
    tables = Path(str(root)) / "p/datasets/d/tables"
    (tables / "linked").symlink_to(target)
    (tables / "half").mkdir()
    (tables / "half/data").symlink_to(target / "data")
    (tables / "file/data").mkdir(parents=True)
    (tables / "file/data/89abcdef-00000.parquet").symlink_to(file)
    (Path(str(root)) / "p/loop").symlink_to(Path(str(root)))
    assert collect(root).deleted == 0
    assert file.read_bytes() == b"mine"
    assert (tables / "file/data/89abcdef-00000.parquet").is_symlink()


def test_partial_metrics_stay(root, elsewhere):
    table = make_table(root)
    run = tlc.init("p", "r", root_url=root)
    writer = tlc.MetricsTableWriter(run, table)
    writer.add_batch({"example_id": [0, 1], "loss": [0.5, 0.25]})
    writer.flush()
    tlc.close()
    before = contents(root)
    collect(root)
    assert contents(root) == before
    assert len(tlc.Table.from_url(writer.url)) == 2


def test_a_project_that_is_not_there(root):
    with pytest.raises(ObjectNotFoundError, match="nowhere"):
        collect(root, "nowhere")


def test_all_projects_of_a_root(root, elsewhere):
    for project in ("p", "q"):
        make_table(root, project=project)
        make_table(root, project=project)
    assert collect(root, None).deleted == 8


# While others write


class Interrupting(MemoryUrlAdapter):
    """Lets somebody act when manifests are read for the second time, just before the deletion."""

    def __init__(self):
        super().__init__()
        self.act = None
        self.listed = 0

    def schemes(self):
        return ["memory"]

    def list_dir(self, url):
        self.listed += url == Url("memory://root")
        if self.act and self.listed == 2:
            act, self.act = self.act, None
            act()
        return super().list_dir(url)

    def delete_url(self, url):
        if "gc-probe" in url.name:  # it comes before the manifests are read
            self.listed = 0
        super().delete_url(url)


@pytest.fixture
def interrupting():
    UrlAdapterRegistry.register(Interrupting, override=True)
    yield UrlAdapterRegistry.find("memory")
    UrlAdapterRegistry.register(MemoryUrlAdapter, override=True)


def test_on_any_adapter_an_object_published_in_between_rescues_what_it_needs(
    interrupting, elsewhere
):
    root = Url("memory://root")
    table = make_table(root)
    make_table(root, rows=6)
    revisions = []
    interrupting.act = lambda: revisions.append(table.set_values("n", [0], [7]))
    garbage = collect(root)
    assert (garbage.count, garbage.deleted) == (4, 0)
    revision = tlc.Table.from_url(revisions[0].url)
    assert [sample["n"] for sample in revision] == [7, 1, 2]
    assert revision[2]["image"].size == (4, 4)
    UrlAdapterRegistry.delete_tree(revision.url)
    assert collect(root).deleted == 4


def test_without_leave_to_write_it_can_be_listed_all_the_same(root, littered, monkeypatch):
    shutil.copytree(str(root), f"{root}-copy")
    monkeypatch.setattr(
        "tlc.url.local.LocalUrlAdapter.create_binary_content_at_url",
        lambda self, url, content: (_ for _ in ()).throw(PermissionError("read-only")),
    )
    assert collect(root, delete=False).count == len(littered)
    with pytest.raises(PermissionError):
        collect(root)
