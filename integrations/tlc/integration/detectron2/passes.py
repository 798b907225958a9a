"""Passes of a model over a dataset, with metrics of each row."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.constants import EXAMPLE_ID
from tlc.errors import MetricsError
from tlc.integration.detectron2._package import detectron2
from tlc.integration.detectron2.collectors import comparing_with
from tlc.metrics import Collection, Predictor
from tlc.metrics._guard import evaluation_mode, random_state_kept
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tlc.metrics import PredictorOutput
    from tlc.metrics.collection import Collectors
    from tlc.run import Run
    from tlc.table import Table

__all__ = ["DatasetPass", "as_predictor", "collect", "rows_of", "with_batch_size"]


class DatasetPass:
    """One pass over a dataset, which is collected batch by batch.

    Args:
        table: The table of the dataset.
        collectors: Collectors or functions.
        run: Where the metrics go.
        split: Put before the names of aggregates.
        constants: Column name to the value that every row gets.
    """

    def __init__(
        self,
        table: Table,
        collectors: Collectors,
        run: Run,
        split: str,
        constants: Mapping[str, Any],
    ) -> None:
        # A mapper that cannot read a row has another one repeated: the first of each counts.
        self.collection = Collection(
            table,
            collectors,
            run=run,
            split=split,
            constants=constants,
            unique_ids=True,
            ranks=this_rank(),
        )
        self._table = table
        self._bound = ExitStack()

    def open(self) -> None:
        """Begin."""
        self._bound.enter_context(comparing_with(self.collection.collectors, self._table))
        self.collection.open()

    def add(self, rows: list[int], batch: Any, output: PredictorOutput) -> None:
        """Take a batch, with the number of the row of each sample, and what a model made of it."""
        self.collection.add(rows, batch, output)

    def finish(self) -> None:
        """Publish the metrics table."""
        self._bound.close()
        self.collection.finalize()

    def abort(self) -> None:
        """Stop; what came in stays readable, marked partial."""
        self._bound.close()
        self.collection.abort()


def collect(opened: DatasetPass, loader: Iterable[Any], predictor: Predictor) -> None:
    """Run a model over all batches of a loader, and leave model and random states as they were.

    Args:
        opened: What takes them; it is opened and finished here.
        loader: Gives lists of dictionaries, each with its ``example_id``.
        predictor: The model.
    """
    torch = require("torch", extra="torch", purpose="to collect metrics")
    with random_state_kept(), evaluation_mode(predictor.module):
        opened.open()
        try:
            for batch in loader:
                rows = rows_of(batch)
                with torch.no_grad():  # as Detectron2: models may keep tensors for training
                    opened.add(rows, batch, predictor(batch))
        except BaseException:
            opened.abort()
            raise
        opened.finish()


def rows_of(batch: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the row numbers of samples.

    Raises:
        MetricsError: They do not have them.
    """
    try:
        return [each[EXAMPLE_ID] for each in batch]
    except (KeyError, TypeError) as error:
        raise MetricsError(
            f"A sample does not say which row it is: it has no {EXAMPLE_ID!r}.",
            hint=f"have the mapper pass {EXAMPLE_ID!r} on, as DatasetMapper does.",
        ) from error


def as_predictor(given: Any, model: Any) -> Predictor:
    """Return what to call with batches: what was given, or else the model of the trainer."""
    if isinstance(given, Predictor):
        return given
    chosen = model if given is None else given
    parallel = require("torch.nn.parallel", extra="torch", purpose="to collect metrics")
    if isinstance(chosen, parallel.DistributedDataParallel):
        chosen = chosen.module  # ranks do not have equally many batches to go through together
    return Predictor(chosen, preprocess=_whole)


def with_batch_size(loader: Any, size: int) -> Any:
    """Return a loader of the same samples with batches of a size; they are shared by ranks."""
    data = require("torch.utils.data", extra="torch", purpose="to load batches")
    if isinstance(loader.dataset, data.IterableDataset):
        return loader
    return detectron2("data").build_detection_test_loader(
        dataset=loader.dataset,
        mapper=None,
        batch_size=size,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
    )


def _whole(batch: Any) -> tuple[Any]:
    return (batch,)
