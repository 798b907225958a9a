"""The active run of the process, kept below all layers so that each of them can ask for it.

Process-wide rather than per thread: callbacks and loggers of training frameworks run in threads of
their own and must find the run that the main thread started.
"""

from __future__ import annotations

import os
import threading
from typing import Protocol

INHERITED_RUN = "TLC_INHERITED_RUN_URL"
"""Variable by which processes that this one starts can know which run was active."""


class ActiveRun(Protocol):
    """What lower layers may know of a run: where it lives."""

    @property
    def url(self) -> object:
        """Its folder."""
        ...

    @property
    def project_name(self) -> str:
        """Name of the project that the run belongs to."""
        ...

    @property
    def root_url(self) -> object:
        """Url of the folder that holds the project."""
        ...


_lock = threading.Lock()
_active: ActiveRun | None = None


def get_active() -> ActiveRun | None:
    """Return the active run, or None."""
    return _active


def set_active(run: ActiveRun | None) -> None:
    """Make `run` the active one; None for no run."""
    global _active
    with _lock:
        _active = run
        if run is None:
            os.environ.pop(INHERITED_RUN, None)
        else:
            os.environ[INHERITED_RUN] = str(run.url)
