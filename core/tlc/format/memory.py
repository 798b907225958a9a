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

    What there is, is the least of the machine's memory, the limit of its container, and what the
    limits of this process left when this was asked for the first time.
    """
    return min(_machine(), _container(), _process()) // _SHARE


def in_worker() -> bool:
    """Return whether this process was started by `multiprocessing`, as loaders' workers are."""
    module = sys.modules.get("multiprocessing.process")
    return module is not None and module.parent_process() is not None


def release_memory() -> None:
    """Give back to the system what Arrow has kept for its next arrays."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


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
    """Return what the limits of the process leave of addresses and of memory of its own."""
    try:
        import resource
    except ImportError:  # Windows
        return _NO_LIMIT
    used = _used()
    left = _NO_LIMIT
    for kind, taken in zip((resource.RLIMIT_AS, resource.RLIMIT_DATA), used, strict=True):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            left = min(left, max(0, limit - taken))
    return left


def _used() -> tuple[int, int]:
    """Return the addresses that this process has, and its own memory; 0 where nobody tells."""
    with suppress(OSError, ValueError):
        pages = [int(field) for field in Path("/proc/self/statm").read_text().split()]
        size = os.sysconf("SC_PAGE_SIZE")
        return pages[0] * size, pages[5] * size
    return 0, 0
