"""How much memory there is, and whether other processes beside this one want the same."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_SHARE = 4
_CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_NO_LIMIT = 1 << 62


@lru_cache(maxsize=1)
def memory_share() -> int:
    """Return how many bytes the decoded part of one table may take: a quarter of all there are.

    What there is, is the least of the machine's memory, the limit of its container and the limits
    of the process.
    """
    return min(_machine(), _container(), _process()) // _SHARE


def in_worker() -> bool:
    """Return whether this process was started by `multiprocessing`, as loaders' workers are."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def _machine() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on every system
        return 8 << 30


def _container() -> int:
    for file in _CGROUP_FILES:
        with suppress(OSError, ValueError):
            return int(Path(file).read_text())
    return _NO_LIMIT


def _process() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return _NO_LIMIT
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min((limit for limit in limits if limit >= 0), default=_NO_LIMIT)
