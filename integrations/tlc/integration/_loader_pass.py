"""A pass of a trainer over one of its loaders, collected as it happens."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

from tlc._optional import require
from tlc.errors import TlcWarning
from tlc.metrics import Collection, PredictorOutput
from tlc.metrics._guard import random_state_kept
from tlc.metrics.batch_ids import BatchIds
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tlc.metrics.collection import Collectors
    from tlc.run import Run


class LoaderPass:
    """Collects metrics of the batches that a trainer takes from a loader.

    Args:
        loader: The loader; its dataset is a table, a view, or a torch ``Subset`` of one.
        collectors: Collectors or functions.
        run: Where the metrics go.
        split: Put before the names of aggregates.
        constants: Column name to the value that every row gets.
        ids: What notes the rows of the loader's batches; made here if None, for a pass that has not
            begun.

    Raises:
        MetricsError: The rows that batches are made of cannot be known.
    """

    def __init__(
        self,
        loader: Any,
        collectors: Collectors,
        run: Run,
        split: str,
        constants: Mapping[str, Any],
        *,
        ids: BatchIds | None = None,
    ) -> None:
        # What pads the share of a rank repeats rows: the first of each counts.
        self.collection = Collection(
            loader.dataset,
            collectors,
            run=run,
            split=split,
            constants=constants,
            unique_ids=True,
            ranks=this_rank(),
        )
        self._loader = loader
        self._ids = ids or BatchIds(loader)

    def open(self) -> Self:
        """Begin."""
        self.collection.open()
        return self

    def add(self, batch: Any, output: Any) -> None:
        """Take the next batch, and what the model made of it."""
        self._add(self._ids.next(), batch, output)

    def add_dropped(self, predict: Callable[[Any], Any]) -> None:
        """Take the rows that the loader left out, as they do not fill a batch.

        Args:
            predict: Gets these rows as a batch, and returns what the model makes of it.
        """
        rows = self._ids.dropped
        if not rows:
            return
        with random_state_kept():
            try:
                batch = _load(self._loader, rows)
                output = predict(batch)
            except Exception as error:  # noqa: BLE001 - the trainer's own pass had no such batch
                _warn(len(rows), error)
                return
            self._add(rows, batch, output)

    def finish(self) -> None:
        """Publish the metrics table."""
        self.collection.finalize()

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        self.collection.abort()

    def _add(self, rows: list[int], batch: Any, output: Any) -> None:
        made = output if isinstance(output, PredictorOutput) else PredictorOutput(output)
        self.collection.add(rows, batch, made)


def _load(loader: Any, rows: list[int]) -> Any:
    data = require("torch.utils.data", extra="torch", purpose="to load batches")
    (batch,) = data.DataLoader(loader.dataset, batch_sampler=[rows], collate_fn=loader.collate_fn)
    return batch


def _warn(count: int, error: Exception) -> None:
    warnings.warn(
        f"Metrics of {count} rows are missing. The loader leaves them out, as they do not fill a "
        f"batch, and a batch of them alone met {type(error).__name__}: {error} Let the loader have "
        "drop_last=False, or give predict_fn=lambda module, batch: ...",
        TlcWarning,
        stacklevel=2,
    )
