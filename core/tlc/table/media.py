"""Fetching the remote files that a batch of samples is made of, all at once."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tlc.sample_types.content import fetched_content
from tlc.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import numpy as np

    from tlc.table.store import BlockStore


def fetched_media(
    store: BlockStore, names: Sequence[str], rows: np.ndarray
) -> AbstractContextManager[None]:
    """Return a block in which the files of some rows are at hand.

    Where the first file of a column is on this machine the others are taken to be, too: they are
    then read one by one.

    Args:
        store: The rows.
        names: Columns whose samples are made of files.
        rows: Row numbers.
    """
    if not names or not len(rows):
        return nullcontext()
    ordered = sorted(rows.tolist())  # so that no block is loaded twice
    urls = [Url(text) for name in names for text in _remote(store, name, ordered)]
    return fetched_content(urls) if urls else nullcontext()


def _remote(store: BlockStore, name: str, rows: list[int]) -> Iterator[str]:
    is_first = True
    for row in rows:
        block = store.load(row, [name])
        for text in _texts(block.reader(name).one(row - block.first)):
            if is_first and text.startswith("/"):
                return
            is_first = False
            yield text


def _texts(cell: Any) -> Iterator[str]:
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, list):
        for item in cell:
            yield from _texts(item)
