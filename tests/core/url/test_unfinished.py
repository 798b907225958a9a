"""Files that a writer began and that nobody finishes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tlc.url import Url, UrlAdapterRegistry
from tlc.url.unfinished import GRACE_SECONDS, TEMP_PREFIX, temp_name

BEGIN = """
import sys
from pathlib import Path
from tlc.url.unfinished import temp_name

path = Path(sys.argv[1]) / temp_name()
path.touch()
print(path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def begun(tmp_path):
    """A process at work, and the file that it has begun."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def sweep(folder, **options):
    adapter, url = UrlAdapterRegistry.resolve(Url(folder))
    return adapter.sweep_unfinished(url, **options)


def make_older(path, seconds):
    changed = time.time() - seconds
    os.utime(path, (changed, changed))


@pytest.mark.skipif(os.name == "nt", reason="cannot ask whether a process is alive")
def test_the_file_of_a_live_process_stays_however_old_it_is(tmp_path, begun):
    process, path = begun
    make_older(path, 10 * GRACE_SECONDS)
    assert sweep(tmp_path, older_than_seconds=0) == []
    process.kill()
    process.wait()
    assert sweep(tmp_path, older_than_seconds=0) == [path]
    assert not os.path.exists(path)


def test_the_file_of_a_dead_process_goes_when_it_is_old(tmp_path, begun):
    process, path = begun
    process.kill()
    process.wait()
    assert sweep(tmp_path) == []
    make_older(path, GRACE_SECONDS - 60)
    assert sweep(tmp_path) == []
    make_older(path, GRACE_SECONDS + 60)
    assert sweep(tmp_path) == [path]


def test_of_other_machines_only_the_age_is_known(tmp_path):
    machine, process, _ = temp_name().removeprefix(TEMP_PREFIX).split("-")
    for name in (f"00000000-{process}-x", "1-2", "", f"{machine}-no number-x"):
        path = tmp_path / f"{TEMP_PREFIX}{name}"
        path.touch()
        assert sweep(tmp_path) == []
        make_older(path, GRACE_SECONDS + 60)
        assert sweep(tmp_path) == [str(path)]


def test_nothing_else_is_removed(tmp_path):
    others = ["manifest.json", "a.tlc-tmp-1", ".hidden"]
    for name in others:
        (tmp_path / name).touch()
    (tmp_path / f"{TEMP_PREFIX}folder").mkdir()
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent)
    assert sweep(tmp_path, older_than_seconds=0) == []
    assert sorted(os.listdir(tmp_path)) == sorted([*others, f"{TEMP_PREFIX}folder", "elsewhere"])


def test_there_is_nothing_to_sweep_where_nothing_is(tmp_path):
    assert sweep(tmp_path / "missing", older_than_seconds=0) == []
    assert sweep("memory://nothing", older_than_seconds=0) == []


def test_names_differ(tmp_path):
    assert len({temp_name() for _ in range(1000)}) == 1000
