"""Noting what loaders draw before Lightning takes the first batches of them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from tlc.errors import MetricsError
from tlc.metrics.batch_ids import BatchIds


class NotedLoaders:
    """Notes the rows of the batches of every loader that a trainer prepares.

    A trainer takes the first batches before any hook says that a pass begins; so this looks on as
    its strategy gets the loaders, which is the last thing that is done to them.

    Args:
        strategy: The strategy of the trainer.
    """

    def __init__(self, strategy: Any) -> None:
        self._strategy = strategy
        self._process = strategy.process_dataloader
        self._found: WeakKeyDictionary[Any, BatchIds] = WeakKeyDictionary()
        strategy.process_dataloader = self._noted

    def ids_of(self, loader: Any) -> BatchIds:
        """Return what notes the rows of a loader.

        Raises:
            MetricsError: They cannot be known.
        """
        return self._found.get(loader) or BatchIds(loader)

    def close(self) -> None:
        """Leave the strategy as it was."""
        del self._strategy.process_dataloader

    def _noted(self, loader: Any) -> Any:
        made = self._process(loader)
        with suppress(MetricsError, TypeError):  # told if its rows are asked for
            self._found[made] = BatchIds(made)
        return made
