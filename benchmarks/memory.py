"""Memory that a piece of work takes, in a process of its own that can import the benchmarks."""

from __future__ import annotations

import os
import sys
from tempfile import mkdtemp

from benchmarks.processes import fresh


def added_megabytes(code: str, *, setup: str, environment: dict[str, str] | None = None) -> float:
    """Return how many megabytes `code` takes at its peak, over what was taken after `setup`."""
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "TLC_DEFAULT_ROOT_DIR": mkdtemp()}
    return fresh(code, setup=setup, environment={**own, **(environment or {})}).added_mb
