"""One pass over a table: batches in, one metrics table out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeAlias, cast

import numpy as np

from tlc.constants import EPOCH, EXAMPLE_ID, FOREIGN_TABLE_ID, ITERATION
from tlc.errors import CollectorError, MetricsError, WriterStateError
from tlc.metrics._aggregated import aggregated
from tlc.metrics._origin import Origin
from tlc.metrics._seen import SeenIds
from tlc.metrics._tensors import plain, to_array
from tlc.metrics.collectors.functional_metrics_collector import FunctionalMetricsCollector
from tlc.metrics.collectors.metrics_collector_base import MetricsCollector
from tlc.metrics.columns import Column, as_columns
from tlc.run import Run, RunStatus, active_run, init
from tlc.run.launch import inherited_run
from tlc.table import Table, TableView
from tlc.writers import MetricsTableWriter

if TYPE_CHECKING:
    from types import TracebackType

    from tlc.format.ranks import Ranks
    from tlc.metrics.aggregators import Aggregator
    from tlc.metrics.predictor import PredictorOutput
    from tlc.schemas import Schema
    from tlc.url import Url

__all__ = ["Collection", "CollectorLike", "Collectors"]

CollectorLike: TypeAlias = MetricsCollector | Callable[[Any, Any], dict[str, Any]]
"""A collector, or a function of batch and `PredictorOutput` that returns column name to values."""

Collectors: TypeAlias = CollectorLike | Sequence[CollectorLike]

AXES = (EPOCH, ITERATION, "step")
"""Constants that place the aggregates of a collection in time."""


class Collection:
    """Collects metrics of one table, batch by batch, into one metrics table of a run.

    `tlc.collect_metrics` and every adapter drive it. As a context manager it finalizes on leaving;
    if it is left by an exception, what was flushed stays readable, marked partial, and the
    exception goes on. Or call `open`, then `finalize` or `abort`.

    The metrics table has one row per sample: ``example_id``, the constants, and the columns of all
    collectors. It is linked to the run, and the table becomes an input of the run.

    Args:
        table: Table or view that the samples come from, or a torch ``Subset`` of one; or any
            dataset whose sample i is row i of the table at `foreign_table_url`.
        collectors: Collectors or plain functions; one, or several.
        run: Run, or its url. Default: the active run, else a new one in the project of the table.
        split: Put before the names of aggregates: ``train_accuracy_avg``.
        constants: Column name to the value that every row gets, such as ``{"epoch": 3}``.
        constants_schemas: What the constants mean. Those left out are inferred.
        collect_aggregates: Whether to add the collectors' aggregates to the run. They go in one
            dict with the constants ``epoch``, ``iteration`` and ``step``, if there are any.
        foreign_table_url: Url of the table that example ids refer to. Default: that of `table`.
        unique_ids: Keep only the first row of an example id, as when ranks pad their share.
        ranks: Which of several processes this one is that collect one metrics table together, each
            of some rows. They do not wait for each other: the last one that finalizes completes the
            table, and adds the aggregates of all rows to the run.

    Raises:
        CollectorError: Something that is no collector is given.
        MetricsError: It is not known which table the ids refer to, or it has another length than
            the dataset; or a constant is called ``example_id``, or a schema has no constant.
    """

    def __init__(
        self,
        table: Any,
        collectors: Collectors,
        *,
        run: Run | Url | str | None = None,
        split: str = "",
        constants: Mapping[str, Any] | None = None,
        constants_schemas: Mapping[str, Schema] | None = None,
        collect_aggregates: bool = True,
        foreign_table_url: Url | str | None = None,
        unique_ids: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        self.table = table
        self.collectors = _as_collectors(collectors)
        self.split = split
        self.constants = {name: plain(value) for name, value in (constants or {}).items()}
        self.collect_aggregates = collect_aggregates
        self._origin = Origin.of(table)
        self.foreign_table_url = self._origin.url(foreign_table_url)
        self.metrics_table: Table | None = None
        self._constants_schemas = dict(constants_schemas or {})
        self._check_constants()
        self._given_run = run
        self._given_url = foreign_table_url
        self._ranks = ranks if ranks is not None and ranks.count > 1 else None
        self._unique_ids = unique_ids or self._ranks is not None
        self._run: Run | None = None
        self._closed = False
        self._writer: MetricsTableWriter | None = None
        self._aggregators: list[Aggregator | None] = []
        self._seen = SeenIds()
        self._columns: list[frozenset[str]] = []
        self._schemas: dict[str, Schema] = {}

    @property
    def run(self) -> Run:
        """The run that the metrics go to.

        Raises:
            WriterStateError: The collection was not opened yet.
        """
        if self._run is None:
            raise WriterStateError(
                "The collection is not open.", hint="use it in a with statement."
            )
        return self._run

    def open(self) -> Self:
        """Find or make the run, and set its status to collecting, unless it has ended already.

        Raises:
            WriterStateError: The collection was opened before.
        """
        if self._run is not None:
            raise WriterStateError("A collection can be opened only once.", hint="make a new one.")
        self._run = _as_run(self._given_run, self._origin.table)
        self._aggregators = [collector.start_aggregates() for collector in self.collectors]
        if self._ranks is not None:
            about = (self._run.url, self.foreign_table_url, self.split, self.constants)
            self._ranks = self._ranks.begin(*about)
        if self._is_first:
            self._run._note_input_table(self._input_table(), durable=False)
            if not self._run.state.status.is_final:
                self._run.set_status_collecting()
        return self

    def add(
        self, example_ids: Any, batch: Any, predictor_output: PredictorOutput | None = None
    ) -> None:
        """Run every collector on one batch, and write the metrics.

        Args:
            example_ids: Row numbers in the table, or in the ``Subset`` given for it, one per
                sample: a list, an array or a tensor.
            batch: The samples, as collectors expect them.
            predictor_output: What the model made of them, or None.

        Raises:
            CollectorError: A collector returned something other than one value per sample and
                column, or a column that another collector, a constant or ``example_id`` has
                already, or other columns than before.
            RowIndexError: An id is not in the table.
            WriterStateError: The collection is not open.
        """
        if self._run is None or self._closed:
            state = "closed" if self._closed else "not open"
            raise WriterStateError(
                f"The collection is {state}.", hint="add within its with statement."
            )
        ids = self._origin.row_numbers(to_array(example_ids).reshape(-1))
        if predictor_output is not None:
            predictor_output.example_ids = ids
        results = [
            as_columns(
                _called(collector, batch, predictor_output),
                count=len(ids),
                collector=collector.name,
            )
            for collector in self.collectors
        ]
        if self._writer is None:
            self._writer = self._start(results)
        self._check_columns(results)
        columns: dict[str, Column] = {EXAMPLE_ID: ids}
        for result in results:
            columns |= result
        self._writer.add_batch(columns)
        self._aggregate(ids, results)

    def finalize(self) -> Table | None:
        """Publish the metrics table, link it to the run, and add the aggregates to the run.

        Returns:
            The metrics table, which is partial while other ranks are at work on it; None if no
            batch was added, or if the disk is full: then a warning says that the table is finished
            when there is space.
        """
        run = self.run
        if self._closed:
            return self.metrics_table
        try:
            if self._writer is None and self._ranks is not None:
                self._writer = self._open_writer()  # no share is a share, too
            if self._writer is not None:
                self.metrics_table = self._writer.end()
                self._log_aggregates(run, self._writer)
        finally:
            self._close()
        return self.metrics_table

    def abort(self) -> None:
        """Stop. What came in stays readable as a metrics table that is marked partial."""
        if self._run is None or self._closed:
            return
        try:
            if self._writer is not None:
                self._writer.abort()
        finally:
            self._close()

    @property
    def aggregate_values(self) -> dict[str, float]:
        """Aggregates of all collectors so far, with the split before their names."""
        prefix = f"{self.split}_" if self.split else ""
        return {
            f"{prefix}{name}": value
            for aggregator in self._aggregators
            if aggregator is not None
            for name, value in aggregator.aggregate_values.items()
        }

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finalize()
        else:
            self.abort()

    def _log_aggregates(self, run: Run, writer: MetricsTableWriter) -> None:
        if not self.collect_aggregates:
            return
        if self._ranks is not None:
            if self.metrics_table is None or not writer.has_completed:
                return  # the rank that completes the table has all rows
            self._aggregators = aggregated(self.collectors, self._columns, self.metrics_table)
        if values := self.aggregate_values:
            axes = {name: self.constants[name] for name in AXES if name in self.constants}
            run.add_output_value({**axes, **values})

    @property
    def _is_first(self) -> bool:
        return self._ranks is None or self._ranks.rank == 0

    def _close(self) -> None:
        self._closed = True
        if self._is_first and self.run.state.status is RunStatus.COLLECTING:
            self.run.set_status_running()

    def _input_table(self) -> Table | TableView | Url | str:
        table = self._origin.table
        known = self._given_url is None and isinstance(table, Table)
        return table if known else self.foreign_table_url

    def _check_constants(self) -> None:
        if EXAMPLE_ID in self.constants:
            raise MetricsError(f"A constant cannot be called {EXAMPLE_ID!r}: each row has its own.")
        for name in self._constants_schemas:
            if name not in self.constants:
                raise MetricsError(
                    f"constants_schemas has {name!r}, but constants has no such name.",
                    hint=f"there are: {', '.join(map(repr, self.constants)) or 'none'}.",
                )

    def _start(self, results: list[dict[str, Column]]) -> MetricsTableWriter:
        """Open the writer, now that the first batch tells which columns there are."""
        self._columns = [frozenset(result) for result in results]
        self._check_owners()
        for collector, result in zip(self.collectors, results, strict=True):
            schemas = collector.column_schemas
            self._schemas |= {name: schemas[name] for name in result if name in schemas}
        return self._open_writer()

    def _open_writer(self) -> MetricsTableWriter:
        return MetricsTableWriter(
            run_url=self.run,
            foreign_table_url=self.foreign_table_url,
            schema={**self._schemas, **self._constants_schemas},
            constants=self.constants,
            split=self.split,
            unique_ids=self._unique_ids,
            ranks=self._ranks,
        )

    def _aggregate(self, ids: Column, results: list[dict[str, Column]]) -> None:
        """Feed the aggregators with the rows that the writer keeps."""
        fresh = self._seen.first_positions(np.asarray(ids)) if self._unique_ids else None
        for aggregator, result in zip(self._aggregators, results, strict=True):
            if aggregator is None:
                continue
            if fresh is not None:
                result = {name: _taken(values, fresh) for name, values in result.items()}
            aggregator.aggregate_batch(result, self._schemas)

    def _check_owners(self) -> None:
        """Check that no column has two sources."""
        owners = {
            **dict.fromkeys((EXAMPLE_ID, FOREIGN_TABLE_ID), "the collection itself"),
            **dict.fromkeys(self.constants, "a constant"),
        }
        for collector, names in zip(self.collectors, self._columns, strict=True):
            for name in sorted(names):
                if name in owners:
                    raise CollectorError(
                        f"The column {name!r} comes from {collector.name} and from {owners[name]}.",
                        hint="rename one of them.",
                    )
                owners[name] = collector.name

    def _check_columns(self, results: list[dict[str, Column]]) -> None:
        """Check that every collector gives the columns that it gave for the first batch."""
        for collector, before, result in zip(self.collectors, self._columns, results, strict=True):
            if before != result.keys():
                raise CollectorError(
                    f"{collector.name} returned the columns {sorted(result)}, but {sorted(before)}"
                    " for the first batch.",
                    hint="return the same columns for every batch, NaN or None for no value.",
                )


def _called(collector: MetricsCollector, batch: Any, output: PredictorOutput | None) -> Any:
    try:
        return collector(batch, output)
    except (AttributeError, TypeError) as error:
        if output is None and "NoneType" in str(error):
            error.add_note(
                f"{collector.name} got None: no predictor was given. Hint: pass predictor=model."
            )
        raise


def _taken(values: Column, positions: np.ndarray[Any, Any]) -> Column:
    return values[positions] if isinstance(values, np.ndarray) else [values[i] for i in positions]


def _as_collectors(given: Collectors) -> list[MetricsCollector]:
    one = callable(given) or isinstance(given, str) or not isinstance(given, Iterable)
    return [_as_collector(collector) for collector in cast("Any", [given] if one else given)]


def _as_collector(given: CollectorLike) -> MetricsCollector:
    if isinstance(given, MetricsCollector):
        return given
    if isinstance(given, type) or not callable(given):
        what = f"the class {given.__name__}" if isinstance(given, type) else repr(given)
        raise CollectorError(
            f"{what} is not a metrics collector.",
            hint="give an object such as ClassificationMetricsCollector(), or a function of batch"
            " and predictor output.",
        )
    return FunctionalMetricsCollector(given)


def _as_run(given: Run | Url | str | None, table: Any) -> Run:
    if isinstance(given, Run):
        return given
    if given is not None:
        return Run.from_url(given)
    if (active := active_run()) is not None:
        return active
    if inherited := inherited_run():
        return Run.from_url(inherited)
    return init(project_name=getattr(table, "project_name", None))
