"""Processes that start a run of one name at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.reliability import racers
from tests.reliability.scale import size

import tlc
from tlc.catalog import list_runs

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

RACERS = 16
RACES = size(1, 50)


def race(root, mode):
    """Return what each racer was given, and what it was warned of."""
    command = [sys.executable, racers.__file__, str(root), mode, str(RACERS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    given, warned = {}, {}
    for line in process.stdout:
        said = json.loads(line)
        if "warned" in said:
            warned.setdefault(said["number"], []).append(said["warned"])
        else:
            given[said["number"]] = said
            process.stdin.write(b"\n")
            process.stdin.flush()
    process.communicate()
    assert process.returncode == 0
    assert len(given) == RACERS
    return given, warned


def runs_of(root):
    """Return the runs on disk; all of them can be read."""
    entries = list_runs(tlc.Url(root) / "project")
    assert [entry.fault for entry in entries if entry.fault] == []
    return {run.id: run for run in (tlc.Run.from_url(entry.url) for entry in entries)}


def logged_by(run):
    return sorted(output["by"] for output in run.state.outputs)


@pytest.mark.parametrize("number", range(RACES))
class TestRaces:
    def test_rename_gives_each_its_own(self, number, tmp_path):
        given, warned = race(tmp_path, "rename")
        runs = runs_of(tmp_path)
        assert {run.name for run in runs.values()} == {
            "run",
            *(f"run_{i:04d}" for i in range(RACERS - 1)),
        }
        for racer, each in given.items():
            run = runs[each["id"]]
            assert run.url.to_str() == each["url"]
            assert run.parameters == {"of": racer}
            assert logged_by(run) == [racer]
            assert run.status_name == "completed"
        assert warned == {}

    def test_raise_lets_one_start(self, number, tmp_path):
        given, warned = race(tmp_path, "raise")
        (run,) = runs_of(tmp_path).values()
        (winner,) = [racer for racer, each in given.items() if "id" in each]
        assert [each["error"] for each in given.values() if "error" in each] == [
            "ObjectExistsError"
        ] * (RACERS - 1)
        assert given[winner]["id"] == run.id
        assert run.parameters == {"of": winner}
        assert logged_by(run) == [winner]
        assert warned == {}

    def test_reuse_gives_all_the_same(self, number, tmp_path):
        given, warned = race(tmp_path, "reuse")
        (run,) = runs_of(tmp_path).values()
        assert {each["id"] for each in given.values()} == {run.id}
        assert run.parameters["of"] in given
        assert logged_by(run) == list(range(RACERS))
        assert run.status_name == "completed"
        assert warned == {}

    def test_overwrite_leaves_one_and_tells_the_others(self, number, tmp_path):
        given, warned = race(tmp_path, "overwrite")
        (run,) = runs_of(tmp_path).values()
        (winner,) = [racer for racer, each in given.items() if each["id"] == run.id]
        assert run.parameters == {"of": winner}
        assert logged_by(run) == [winner]
        assert run.status_name == "completed"
        losers = set(range(RACERS)) - {winner}
        assert warned == {racer: ["OverwrittenRunWarning"] for racer in losers}
