"""A pass of a trainer over one of its loaders, collected as it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tlc.metrics import Collection, PredictorOutput
from tlc.metrics.batch_ids import BatchIds
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        self._ids = ids or BatchIds(loader)

    def open(self) -> Self:
        """Begin."""
        self.collection.open()
        return self

    def add(self, batch: Any, output: Any) -> None:
        """Take the next batch, and what the model made of it."""
        made = output if isinstance(output, PredictorOutput) else PredictorOutput(output)
        self.collection.add(self._ids.next(), batch, made)

    def finish(self) -> None:
        """Publish the metrics table."""
        self.collection.finalize()

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        self.collection.abort()
