"""Collecting metrics in one call."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tlc._optional import require
from tlc.configuration import Configuration
from tlc.errors import MetricsError
from tlc.format.ranks import Ranks
from tlc.metrics._guard import evaluation_mode, random_state_kept
from tlc.metrics._loader import batches, rows_to_collect
from tlc.metrics.collection import Collection, Collectors
from tlc.metrics.predictor import Predictor
from tlc.run.launch import this_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import torch

    from tlc.run import Run
    from tlc.schemas import Schema
    from tlc.table.view import MapDataset
    from tlc.url import Url

__all__ = ["collect_metrics", "reset_dataloader_cache"]


def collect_metrics(
    table: MapDataset,
    metrics_collectors: Collectors,
    predictor: torch.nn.Module | Predictor | Callable[[Any], Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    constants_schemas: Mapping[str, Schema] | None = None,
    run_url: Run | Url | str | None = None,
    collect_aggregates: bool = True,
    split: str = "",
    exclude_zero_weights: bool = False,
    *,
    foreign_table_url: Url | str | None = None,
    dataloader_args: Mapping[str, Any] | None = None,
    distributed: bool | None = None,
) -> None:
    """Run a model over a table once, and write what collectors make of it to one metrics table.

    Rows are read in order, and each row of the metrics table refers to its row by ``example_id``.
    The model is in evaluation mode and builds no gradients; afterwards each of its modules is in
    the mode it was in, and the global random states of Python, NumPy and torch are as they were,
    also after an error. No more than a batch, and what waits to be written, is held in memory. If
    the pass is interrupted, what was flushed stays readable as a metrics table that is marked
    partial.

    In a distributed training each process visits a block of the rows, and the metrics table is one:
    no process waits for another, and the last one completes it. Of a process that is killed, what
    it flushed stays; launched again, it adds what is missing.

    Args:
        table: Table, view, or a torch ``Subset`` of one; or any dataset with a length and samples
            by index, whose sample i is row i of the table at `foreign_table_url`. Give a view
            with augmentation switched off.
        metrics_collectors: Collectors or functions ``(batch, predictor_output) -> {column:
            values}``; one or several.
        predictor: A module, a `Predictor`, a function of the whole batch, or None: then collectors
            get None in place of a `PredictorOutput`.
        constants: Column name to the value that every row gets, such as ``{"epoch": 3}``.
        constants_schemas: What the constants mean. Those left out are inferred.
        run_url: Run, or its url. Default: the active run, else a new one.
        collect_aggregates: Whether to add means over all samples to the run.
        split: Put before the names of the means: ``train_accuracy_avg``.
        exclude_zero_weights: Leave out rows whose weight is 0. Example ids stay row numbers.
        foreign_table_url: Url of the table that example ids refer to. Default: that of `table`.
        dataloader_args: Arguments of ``torch.utils.data.DataLoader``, such as ``batch_size``
            (default 32) or ``num_workers``. Those that would change the order of rows or drop some
            are refused.
        distributed: Whether this process is one of several that all call this, and visits its share
            of the rows only. None for what ``torch.distributed`` or ``torchrun`` say. False where
            only one of them calls it.

    Raises:
        CollectorError: A collector returned something that cannot be stored.
        MetricsError: The table has no url, or another length than the dataset, samples cannot be
            batched, the batch does not fit the model, or an argument of the loader is refused.
        NotPicklableError: Worker processes need to pickle the table or its transform, and cannot.
        WeightError: `exclude_zero_weights` is set, but the table has no weights.
        MissingExtraError: torch is not installed.
    """
    predict = (
        predictor if predictor is None or isinstance(predictor, Predictor) else Predictor(predictor)
    )
    ranks = Ranks(0, 1) if distributed is False else this_rank()
    collection = Collection(
        _checked(table),
        metrics_collectors,
        run=run_url,
        split=split,
        constants=constants,
        constants_schemas=constants_schemas,
        collect_aggregates=collect_aggregates,
        foreign_table_url=foreign_table_url,
        ranks=ranks,
    )
    plan = rows_to_collect(table, exclude_zero_weights=exclude_zero_weights).share(ranks)
    stream = batches(table, plan, dataloader_args or {})
    progress_bar = _progress(plan.count, split, is_shown=ranks.rank == 0)
    with random_state_kept(), collection, progress_bar as progress:
        _collect(collection, stream, predict, progress)


def _collect(
    collection: Collection, stream: Iterator[Any], predict: Predictor | None, progress: Any
) -> None:
    torch = require("torch", extra="torch", purpose="to collect metrics")
    with evaluation_mode(None if predict is None else predict.module):
        # Loading stays outside inference mode: a dataset may keep its tensors for training.
        for ids, batch in stream:
            with torch.inference_mode():
                collection.add(ids, batch, None if predict is None else predict(batch))
            progress.update(len(ids))


def _checked(table: MapDataset) -> MapDataset:
    if hasattr(table, "__getitem__") and hasattr(table, "__len__"):
        return table
    raise MetricsError(
        f"Metrics cannot be collected from {type(table).__name__!r}: no length or no index.",
        hint="give a table, a view, or a map-style dataset.",
    )


def reset_dataloader_cache() -> None:
    """Do nothing: loaders are not kept from one `collect_metrics` to the next.

    It exists for programs written for versions that kept them.
    """


def _progress(count: int, split: str, *, is_shown: bool) -> Any:
    is_shown = is_shown and Configuration.instance().display_progress
    # The automatic one warns in notebooks without widgets, even if it is to show nothing.
    tqdm = importlib.import_module("tqdm.auto" if is_shown else "tqdm").tqdm
    return tqdm(
        total=count,
        desc=f"Collecting metrics {split}".strip(),
        unit="sample",
        leave=False,
        disable=not is_shown,
    )
