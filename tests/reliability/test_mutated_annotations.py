"""Damaged annotation files of all formats give typed errors soon and at little cost, or good rows.

Each file is a number, so that a failure can be had again:
``echo csv 17 18 | python mutants.py FOLDER LOG`` leaves the file in FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

import pytest
from tests.reliability import mutants
from tests.reliability.scale import size

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs limits of memory and time")

MOST_MEGABYTES = 500
# Imports, in `make test` and in `make torture`: an import of YOLO's or of VOC's reads 25 files.
IMPORTS = {
    "coco-detect": (250, 40_000),
    "coco-segment": (250, 40_000),
    "coco-pose": (250, 40_000),
    "yolo-detect": (20, 4_000),
    "yolo-segment": (20, 4_000),
    "yolo-pose": (20, 4_000),
    "yolo-obb": (20, 4_000),
    "yolo-yaml": (250, 100_000),
    "yolo-ndjson": (250, 100_000),
    "voc": (20, 4_000),
    "csv": (250, 100_000),
    "ndjson": (250, 100_000),
    "parquet": (250, 100_000),
    "webdataset": (250, 100_000),
    "label-images": (100, 20_000),
    "hugging-face": (100, 5_000),
}


class Process:
    """A process that reads damaged files; a new one where one has died."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "log"
        self._process = None

    def ask(self, line):
        """Return the answer to a line."""
        if self._process is None:
            self._process = self._started()
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            self._process.kill()
            _, error = self._process.communicate()
            self._process = None
            pytest.fail(f"the process died at {self.log.read_text()}: {error[-2000:]}")

    def end(self):
        if self._process is not None:
            self._process.communicate()

    def _started(self):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve more than they use
            "TLC_DURABILITY": "os",
            "TLC_DEFAULT_ROOT_DIR": str(self.folder / "root"),
            "TLC_DISPLAY_PROGRESS": "false",
        }
        command = [sys.executable, mutants.__file__, str(self.folder), str(self.log)]
        return subprocess.Popen(command, text=True, env=environment, **pipes)


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    found = Process(tmp_path_factory.mktemp("mutants"))
    yield found
    found.end()


@pytest.mark.parametrize("format", IMPORTS)
def test_damaged_files_are_refused_with_our_own_errors(format, process):
    imports = size(*IMPORTS[format])
    answer = process.ask(f"{format} 0 {imports}")
    assert answer["bad"] == []
    assert answer["peak"] < MOST_MEGABYTES
    seen = Counter(answer["seen"])
    assert seen["read"] + seen["refused"] == imports
    assert min(seen["read"], seen["refused"]) > imports / 50  # neither all good nor all broken
    assert seen["rows"] > 0
