"""How much memory of its own a worker process takes while it reads."""

from __future__ import annotations

import gc
import os
from typing import Any

from torch.utils.data import DataLoader, Dataset

BATCH = 1024


def growth(view: Any, context: str) -> float:
    """Return by how many megabytes a worker's private memory grows over an epoch, at most.

    Args:
        view: The dataset, of which nothing was read yet.
        context: ``"fork"`` or ``"spawn"``.
    """
    watched = _Watched(view)
    loader = DataLoader(
        watched,
        batch_size=BATCH,
        shuffle=True,
        num_workers=2,
        multiprocessing_context=context,
        collate_fn=_memory,
    )
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    for process, start, now in loader:
        before[process], after[process] = start, now
    return max(after[process] - before[process] for process in before)


class _Watched(Dataset[Any]):
    """Passes on what the view gives, and notes the memory before it gave anything."""

    def __init__(self, view: Any) -> None:
        self.view = view
        self.before: float | None = None

    def __len__(self) -> int:
        return len(self.view)

    def __getitems__(self, indices: list[int]) -> float:
        if self.before is None:
            import tlc.format.column_cache  # noqa: F401 - imports are not what is measured

            gc.collect()
            self.before = _private()
        self.view.__getitems__(indices)
        return self.before


def _memory(before: float) -> tuple[int, float, float]:
    return os.getpid(), before, _private()


def _private() -> float:
    """Return the megabytes that no other process shares and no file stands behind."""
    with open("/proc/self/smaps_rollup") as file:
        kilobytes = next(int(line.split()[1]) for line in file if line.startswith("Private_Dirty:"))
    return kilobytes / 1024
