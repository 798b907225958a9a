"""The memory that collecting needs does not grow with the number of samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.integrations import hugging_face_memory

FEW, MANY = 20_000, 200_000


def test_memory_is_constant_in_the_number_of_samples(tmp_path):
    command = [sys.executable, hugging_face_memory.__file__, str(tmp_path), str(FEW), str(MANY)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    (before, few), (after, all_of_them) = json.loads(done.stdout.splitlines()[-1])
    assert (few, all_of_them) == (2 * FEW, 2 * FEW + 2 * MANY)
    assert after - before < 24 << 20, f"{(after - before) >> 20} MiB more"
