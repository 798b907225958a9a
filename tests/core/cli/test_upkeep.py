"""The commands ``tlc doctor`` and ``tlc gc``: what they print, and how they end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.core.upkeep.conftest import make_older

import tlc
from tlc.cli import main
from tlc.format import writer_name


@pytest.fixture
def command(capsys, monkeypatch):
    """Run a command and return its exit code, and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tlc", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return run


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A root with one table that was overwritten, by a process that nobody can see."""
    monkeypatch.setattr(writer_name, "_process", lambda: "0000p1")
    for rows in (1, 2):
        tlc.Table.from_dict(
            {"image": [Image.new("L", (2, 2))] * rows},
            {"image": tlc.schemas.ImageSchema()},
            table_name="t",
            project_name="p",
            root_url=tmp_path / "root",
            if_exists="overwrite",
        )
    make_older(tmp_path / "root", 25 * 3600)
    return tmp_path / "root"


def table_folder(root):
    return next(root.rglob("tables/t"))


def test_gc_lists_and_deletes_only_if_told(command, root):
    code, out, _ = command("gc", "--root", root)
    assert code == 0
    assert out.splitlines()[1].split() == ["bulk", "data", "1", "files", "71", "bytes"]
    assert out.splitlines()[2].split()[:3] == ["data", "1", "files"]
    assert "nothing was deleted; `tlc gc --delete`" in out
    assert "deleted: 2 files" in command("gc", "p", "--root", root, "--delete")[1]
    assert "nothing that nobody needs\nnothing to delete" in command("gc", "--root", root)[1]


def test_gc_says_what_it_keeps_and_why(command, root):
    assert (
        "kept: 2 files that are not 2d old yet" in command("gc", "--root", root, "--grace", "2d")[1]
    )
    (table_folder(root) / "manifest.json").write_bytes(b"")
    out = command("gc", "--root", root, "--grace", "0")[1]
    assert "kept: 5 files that these may refer to, which are damaged:" in out
    assert f"{table_folder(root)}/manifest.json: The manifest of" in out
    assert "`tlc doctor` says what can be done" in out


def test_gc_keeps_files_of_processes_that_run(command, tmp_path):
    writer = tlc.TableWriter("t", project_name="p", root_url=tmp_path)
    writer.add_row({"image": Image.new("L", (2, 2))})
    out = command("gc", "--root", tmp_path, "--grace", "0s", "--delete")[1]
    assert "kept: 1 files of processes that still run" in out
    assert "deleted: 0 files" in out
    assert len(writer.finalize()) == 1


@pytest.mark.parametrize("grace", ["soon", "-1h", "", "1w", "h"])
def test_gc_wants_a_length_of_time(command, root, grace):
    code, _, err = command("gc", "--root", root, "--grace", grace)
    assert (code, "is no length of time" in err) == (1, True)


def test_gc_wants_a_project_that_is_there(command, root):
    code, _, err = command("gc", "nowhere", "--root", root)
    assert (code, "There is no project 'nowhere'" in err) == (1, True)


def test_gc_looks_at_tables_elsewhere_if_told(command, root, tmp_path):
    outside = tlc.Table.from_url(table_folder(root)).revise(table_url=tmp_path / "other/t")
    tlc.Table.from_dict(
        {"n": [1]}, table_name="t", project_name="p", root_url=root, if_exists="overwrite"
    )
    command(*("gc", "--root", root, "--grace", "0", "--delete"), *("--also", tmp_path / "other"))
    assert tlc.Table.from_url(outside.url)[1]["image"].size == (2, 2)
    command("gc", "--root", root, "--grace", "0", "--delete")
    with pytest.raises(tlc.errors.CorruptObjectError):
        tlc.Table.from_url(outside.url)[1]


def test_doctor_says_that_all_is_well(command, root):
    code, out, _ = command("doctor", "--root", root)
    assert code == 0
    assert out.startswith(f"{root}: 1 tables, 0 runs, 3 files, ")
    assert out.endswith("nothing is damaged\n")
    assert "notes" in out
    assert "2 files (" in out
    assert f"what to do: tlc gc 'p' --root '{root}' --delete" in out


def test_doctor_names_damage_and_ends_with_1(command, root):
    for path in table_folder(root).glob("data/*"):
        path.write_bytes(path.read_bytes()[:-1])
    code, out, _ = command("doctor", table_folder(root))
    assert code == 1
    lines = out.splitlines()
    assert lines[1] == "damaged"
    assert Path(lines[2].strip()) in set(table_folder(root).glob("data/*"))
    assert lines[3].startswith("    it has ")
    assert lines[4].startswith("    affects: 2 rows of some columns in ")
    assert f"rm -r {table_folder(root)}" in lines[5]


def test_doctor_repairs_what_is_safe(command, root):
    table = tlc.Table.from_url(table_folder(root))
    run = tlc.Run.create("p", "r", root_url=root)
    lost = tlc.MetricsTableWriter(run, table)
    lost.add_batch({"example_id": [0, 1], "loss": [0.5, 0.25]})
    lost.finalize()
    code, out, _ = command("doctor", run.url, "--fix")
    assert code == 0
    assert f"done\n  linked {lost.url} to its run" in out
    assert len(run.metrics_tables) == 1


def test_doctor_wants_something_that_is_there(command, root):
    code, _, err = command("doctor", root / "nowhere")
    assert (code, "There is nothing at" in err) == (1, True)
