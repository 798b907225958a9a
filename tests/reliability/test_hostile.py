"""Objects that somebody made to do harm are refused at little cost; nothing in them is run."""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest
from tests.reliability import hostile, sample_project
from tests.reliability.scale import size

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits of memory and time")

OBJECTS = size(100_000, 1_000_000)
PROCESSES = 2
MOST_MEGABYTES = 700


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A file with all files of a project, and which object needs which."""
    root = tmp_path_factory.mktemp("good")
    sample = sample_project.make(root)

    def relative(path):
        return Path(path).relative_to(root).as_posix()

    files = {relative(path): path.read_bytes() for path in sample_project.files(sample)}
    users = {
        relative(path): sorted(relative(url) for url in urls) for path, urls in sample.users.items()
    }
    pickled = root / "files.pickle"
    pickled.write_bytes(pickle.dumps((files, users)))
    return pickled


class Process:
    """A process that reads hostile objects, until there are no more batches."""

    def __init__(self, good, log, batches, answers):
        self.log = log
        self._answers = answers
        self._batches = batches
        self._process = subprocess.Popen(
            [sys.executable, hostile.__file__, str(good), str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve more than they use
                "TLC_MAX_DECODED_BYTES": str(256 << 20),
            },
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        with self._process as process:
            while True:
                try:
                    batch = self._batches.get_nowait()
                except queue.Empty:
                    return
                try:
                    process.stdin.write(f"{batch}\n")
                    process.stdin.flush()
                    self._answers.append(json.loads(process.stdout.readline()))
                except (OSError, ValueError):
                    process.kill()
                    at = self.log.read_text()
                    self._answers.append({"died": f"at {at}: {process.stderr.read()[-2000:]}"})
                    return


def test_hostile_objects_are_refused_with_our_own_errors(good, tmp_path):
    batches, answers = queue.Queue(), []
    for batch in range(OBJECTS // hostile.BATCH):
        batches.put(batch)
    processes = [
        Process(good, tmp_path / f"log-{number}", batches, answers) for number in range(PROCESSES)
    ]
    for process in processes:
        process.thread.join()
    assert [answer["died"] for answer in answers if "died" in answer] == []
    bad = [text for answer in answers for text in answer["bad"]]
    assert not bad, f"{len(bad)} objects:\n" + "\n".join(sorted(bad, key=len)[:20])
    seen = sum((Counter(answer["seen"]) for answer in answers), Counter())
    assert seen["manifest"] + seen["parquet"] + seen["events"] == OBJECTS
    assert min(seen["read"], seen["refused"]) > OBJECTS / 10
    assert max(answer["peak"] for answer in answers) < MOST_MEGABYTES
