"""Doing many things at once that wait for a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["REQUESTS_AT_ONCE", "in_parallel"]

Item = TypeVar("Item")
Result = TypeVar("Result")

REQUESTS_AT_ONCE = 16


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Return what a function says of each item, in their order; a few items are at work at once.

    The threads end with the call, so that none is missing in a process that is forked later.

    Raises:
        Exception: What the function raised first; items that have not begun are left out.
    """
    items = list(items)
    if len(items) < 2:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # late: most processes start no thread

    pool = ThreadPoolExecutor(min(REQUESTS_AT_ONCE, len(items)))
    try:
        try:
            results = pool.map(function, items)
        except RuntimeError:  # the process ends, and lets no more threads begin
            results = map(function, items)
        return list(results)
    finally:
        pool.shutdown(cancel_futures=True)
