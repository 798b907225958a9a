"""Which rows the batches of a loader are made of, whatever its sampler, workers and collation."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from tlc._optional import loaded
from tlc.errors import MetricsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BatchIds"]

_MOST_WAITING = 4096
"""So many batches are noted in advance: more than loaders fetch before they are asked."""


class BatchIds:
    """Notes which samples a ``torch.utils.data.DataLoader`` draws.

    A loader draws the numbers of samples in the process that asks for batches, and gives batches in
    the same order. So the numbers are known without being in the samples, and transforms, collation
    and worker processes may do what they like. Call `next` for each batch, in order::

        ids = BatchIds(loader)
        for batch in loader:
            rows = ids.next()

    Args:
        loader: A loader of a map-style dataset. Only a pass that begins later is noted.

    Raises:
        MetricsError: It is no such loader, or gives batches in any order.
    """

    def __init__(self, loader: Any) -> None:
        _check(loader)
        self._waiting: deque[list[int]] = deque(maxlen=_MOST_WAITING)
        loader = getattr(loader, "base_dataloader", loader)  # of accelerate
        # As torch calls it: single numbers are drawn where it does not make the batches.
        name = "sampler" if loader.batch_sampler is None else "batch_sampler"
        draws = getattr(loader, name)
        if isinstance(draws, _Noted):
            draws = draws.draws
        # Not by setattr, which a loader refuses.
        self._noted = vars(loader)[name] = _Noted(draws, self._waiting)

    @property
    def dropped(self) -> list[int]:
        """Numbers of the samples that a whole pass left out, as they do not fill a batch.

        Nothing where the pass is not over, or batches are made by something else than a
        ``torch.utils.data.BatchSampler``.
        """
        return [] if self._waiting else self._noted.dropped

    def next(self) -> list[int]:
        """Return the numbers of the samples of the next batch.

        Raises:
            MetricsError: The loader has given no batch since.
        """
        if not self._waiting or len(self._waiting) == _MOST_WAITING:  # then some are forgotten
            raise MetricsError(
                "It is not known which samples the batch is made of: the loader drew none.",
                hint="call next once for each batch of a pass that began afterwards.",
            )
        return self._waiting.popleft()


class _Noted:
    """What a loader draws, noted in a queue that is emptied when a pass begins."""

    def __init__(self, draws: Any, waiting: deque[list[int]]) -> None:
        self.draws = draws
        self._waiting = waiting
        self._rest: Iterator[Any] = iter(())
        self._short: list[int] = []
        self._given = 0
        self._size = draws.batch_size if _drops_samples(draws) else 0

    def __iter__(self) -> Iterator[Any]:
        self._waiting.clear()
        self._short, self._given = [], 0
        # Draws the same, and in the same order: only what is left over is given, too.
        self._rest = iter(_all_of(self.draws) if self._size else self.draws)
        for drawn in self._rest:
            numbers = [drawn] if isinstance(drawn, int) else list(drawn)
            if len(numbers) < self._size:
                self._short = numbers
                return
            self._waiting.append(numbers)
            self._given += 1
            yield drawn

    @property
    def dropped(self) -> list[int]:
        """What was left over at the end; nothing, if the pass ended before."""
        # Who knows the number of batches does not ask for one more.
        if self._size and not self._short and self._given == len(self):
            self._short = list(next(self._rest, []))
        return self._short

    def __len__(self) -> int:
        return len(self.draws)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.draws, name)  # such as set_epoch


def _drops_samples(draws: Any) -> bool:
    torch = loaded("torch")
    is_known = torch is not None and type(draws) is torch.utils.data.BatchSampler
    return is_known and draws.drop_last and hasattr(draws.sampler, "__len__")


def _all_of(draws: Any) -> Any:
    """Return the same batches and what they leave out."""
    return type(draws)(draws.sampler, draws.batch_size, drop_last=False)


def _check(loader: Any) -> None:
    if not hasattr(loader, "batch_sampler") or not hasattr(loader, "dataset"):
        raise MetricsError(
            f"{type(loader).__name__!r} does not tell which samples its batches are made of.",
            hint="give a torch.utils.data.DataLoader.",
        )
    if not hasattr(loader.dataset, "__getitem__") or not hasattr(loader.dataset, "__len__"):
        raise MetricsError(
            f"{type(loader.dataset).__name__!r} is a stream: its samples have no numbers.",
            hint="load a table, a view of one, or another map-style dataset.",
        )
    if getattr(loader, "in_order", True) is False:
        raise MetricsError(
            "The loader gives batches in any order, so they cannot be told apart.",
            hint="leave in_order out.",
        )
