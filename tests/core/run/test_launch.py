"""Processes that were launched together share a run."""

from __future__ import annotations

import os

import pytest
import torch
import torch.distributed as dist

import tlc
from tlc.catalog import list_runs
from tlc.errors import TlcWarning
from tlc.helpers import ProjectLayout
from tlc.run.launch import inherited_run, this_rank

WORLD = 3


def in_a_group(rank, folder):
    """Start two runs, as each rank of a script does, and note which they are."""
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=WORLD
    )
    assert (this_rank().rank, this_rank().count) == (rank, WORLD)
    urls = [str(tlc.init("ranks", parameters={"lr": 1}).url) for _ in range(2)]
    (folder / f"{rank}.txt").write_text("\n".join(urls))
    tlc.close()
    dist.barrier()
    dist.destroy_process_group()


def inherited(_, folder):
    (folder / "child.txt").write_text(inherited_run() or "")


def runs():
    return [entry.url for entry in list_runs(ProjectLayout.project_url(project_name="ranks"))]


def spawn(function, folder, count):
    torch.multiprocessing.start_processes(function, (folder,), count, start_method="spawn")


def test_all_ranks_get_the_runs_of_the_first(tmp_path):
    spawn(in_a_group, tmp_path, WORLD)
    told = [(tmp_path / f"{rank}.txt").read_text().split() for rank in range(WORLD)]
    assert told[0] == told[1] == told[2]
    assert sorted(told[0]) == sorted(map(str, runs()))
    assert len(set(told[0])) == 2
    last = tlc.Run.from_url(told[0][1])
    assert (last.status_name, last.parameters) == ("completed", {"lr": 1})


def test_a_process_that_is_started_knows_the_run_that_was_active(tmp_path):
    run = tlc.init("ranks")
    spawn(inherited, tmp_path, 1)
    assert (tmp_path / "child.txt").read_text() == str(run.url)
    assert inherited_run() is None  # this one was started by nobody
    tlc.close()
    spawn(inherited, tmp_path, 1)
    assert (tmp_path / "child.txt").read_text() == ""


def test_a_rank_that_cannot_ask_warns_and_starts_its_own(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.warns(TlcWarning, match="init_process_group"):
        run = tlc.init("ranks")
    assert runs() == [run.url]


def test_a_run_that_all_name_is_found_without_asking(monkeypatch):
    first = tlc.init("ranks", "named", if_exists="reuse")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert tlc.init("ranks", "named", if_exists="reuse") == first
    tlc.close()
    assert not first.state.status.is_final  # that is for the first rank
    monkeypatch.setenv("RANK", "0")
    tlc.set_active_run(first)
    tlc.close()
    assert first.status_name == "completed"


def test_a_rank_started_by_the_first_finds_its_run(monkeypatch):
    run = tlc.init("ranks")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert tlc.init("ranks") == run
    assert len(runs()) == 1
    assert os.environ["TLC_INHERITED_RUN_URL"] == str(run.url)
