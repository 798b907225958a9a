from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def fast_folder(tmp_path):
    """A folder in memory, where there is such a place, for tests that count on no disk."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="tlc-", dir="/dev/shm") as folder:
        yield Path(folder)
