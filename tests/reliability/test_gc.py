"""Garbage collection beside readers, and writers that are killed: nothing needed goes missing."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.reliability import keeper
from tests.reliability.scale import size

import tlc
from tlc.catalog import list_tables
from tlc.format.manifest import file_entries
from tlc.upkeep import collect_garbage, examine
from tlc.url import Url

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

SECONDS = size(15, 90)
HOUR = 3600


class Process:
    """A keeper, and what it said."""

    def __init__(self, role, root, seed, skew=0):
        environment = {**os.environ, "TLC_DURABILITY": "os"}
        self.role = role
        self.said = Counter()
        self.lost = []
        self.has_ended = False
        self._heard = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, keeper.__file__, role, str(root), str(seed), str(skew)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self):
        for line in self._process.stdout:
            try:
                told = json.loads(line)
            except ValueError:  # it was killed while it spoke
                continue
            with self._heard:
                for word, value in told.items():
                    self.said[word] += value if isinstance(value, int) else 1
                    if word == "lost":
                        self.lost.append(value)
                self._heard.notify_all()
        with self._heard:
            self.has_ended = True
            self._heard.notify_all()

    def wait_for(self, word, count):
        """Wait until the process has said that it did something so many times."""
        with self._heard:
            self._heard.wait_for(lambda: self.has_ended or self.said[word] >= count)
        assert not self.has_ended, f"the {self.role} died"

    def kill(self):
        self._process.kill()
        self._wait()

    def end(self):
        self._process.stdin.close()
        assert self._wait() == 0, self.role

    def _wait(self):
        self._thread.join()
        self._process.stdin.close()
        self._process.stdout.close()
        return self._process.wait()


def files_below(root):
    return {path for path in Path(str(root)).rglob("*") if path.is_file()}


def needed_data(root):
    """Return the files of data that tables need, told by their manifests."""
    tables = [tlc.Table.from_url(e.url) for e in list_tables(Url(root) / keeper.PROJECT)]
    return {
        Path(str(Url(file.path).to_absolute(table.url)))
        for table in tables
        for file in file_entries(table._manifest.stack)
    }


def writer_of(path):
    return "-".join(path.name.split("-")[:2])


def test_nothing_that_is_needed_is_ever_deleted(tmp_path):
    root = tmp_path / "root"
    writers = {seed: Process("writer", root, seed) for seed in range(2)}
    others = [Process("reader", root, 0)]
    others += [Process("collector", root, 0, skew) for skew in (-HOUR, HOUR)]
    ended, generator = [], random.Random(1)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until or not all(each.said for each in others):
        seed = generator.choice(list(writers))
        writers[seed].wait_for("did", generator.randint(2, 30))
        threading.Event().wait(generator.uniform(0, 0.1))
        writers[seed].kill()
        ended.append(writers[seed])
        writers[seed] = Process("writer", root, seed)
    for process in [*writers.values(), *others]:
        process.end()
    ended += writers.values()
    assert [lost for process in others for lost in process.lost] == []
    reads, deleted = others[0].said["read"], sum(each.said["deleted"] for each in others[1:])
    assert min(reads, deleted, sum(each.said["did"] for each in ended)) > 0

    report = examine(root / keeper.PROJECT)
    assert [finding.fault for finding in report.damages] == []
    collect_garbage(keeper.PROJECT, root, delete=True, grace_seconds=0)
    for entry in list_tables(Url(root) / keeper.PROJECT):
        keeper.check(tlc.Table.from_url(entry.url))
    left = files_below(root / keeper.PROJECT / "datasets")
    needed = needed_data(root)
    assert {path for path in left if path.suffix == ".parquet"} == needed
    images = [path for path in left if path.suffix == ".png"]
    assert {writer_of(path) for path in images} <= {writer_of(path) for path in needed}
