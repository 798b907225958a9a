"""Writing metrics from a loop of one's own."""

from __future__ import annotations

import os
import warnings
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from tlc.errors import (
    MetricsError,
    RunStateError,
    StorageFullError,
    StorageFullWarning,
    WriterStateError,
)
from tlc.run import Run, active_run
from tlc.table import Table, TableView
from tlc.writers.open_writer import OpenWriter, check_owner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tlc.format.metrics import ForeignTable, MetricsBuilder
    from tlc.format.ranks import Ranks
    from tlc.schemas import Schema
    from tlc.url import Url


class MetricsTableWriter:
    """Writes a metrics table of a run, batch by batch, with flat memory.

    As a context manager it links the table to the run at the end, see `end`; after an error it
    keeps what was written, as a partial table. By hand, call `finalize` and then
    ``run.add_metrics_table``. Rows are on disk after five seconds at most, and when the process
    ends, unless it is killed. While the disk is full they wait in memory, with a warning.

    Args:
        run_url: The run; the active one if None.
        foreign_table_url: The table that the metrics are about. Then every batch needs
            ``example_id``: row numbers of that table, from 0.
        foreign_table_display_name: Name to show for that table.
        schema: Column name to schema; the others are inferred.
        constants: Further columns with one value for all rows, such as ``{"epoch": 3}``.
        split: Name of the part of the data, such as ``"val"``.
        unique_ids: Keep the first row of each example id and count the others; rows come back in
            the order of their ids. For one collection over a table.
        ranks: Which of several processes this one is that write one table together, each some of
            its rows; ids are unique then. They do not wait for each other: the last one that ends
            completes the table.

    Raises:
        RunStateError: `run_url` is None and there is no active run.
        ObjectNotFoundError: There is no such run or table.
        MetricsError: `unique_ids` or `ranks` is set, but there is no foreign table.
    """

    def __init__(
        self,
        run_url: Url | str | Run | None = None,
        foreign_table_url: Url | str | Table | TableView | None = "",
        foreign_table_display_name: str = "",
        schema: Mapping[str, Schema] | None = None,
        *,
        constants: Mapping[str, Any] | None = None,
        split: str | None = "",
        unique_ids: bool = False,
        ranks: Ranks | None = None,
    ) -> None:
        from tlc.run.metrics_file import foreign_table  # late: it needs NumPy

        self._run = _run(run_url)
        self._foreign = foreign_table(foreign_table_url)
        self._display_name = foreign_table_display_name
        about = {"schema": schema or {}, "constants": constants or {}, "split": split}
        self._builder = _builder(self._run.url, self._foreign, about, unique_ids, ranks)
        self._ended = ""
        self._owner = os.getpid()
        self._table: Table | None = None
        self._open = OpenWriter(self._builder)
        weakref.finalize(self, self._open.drop).atexit = False
        self._run._attend()

    @property
    def url(self) -> Url:
        """Where the metrics table lies."""
        return self._builder.url

    @property
    def row_count(self) -> int:
        """Number of rows taken so far."""
        return self._builder.row_count

    @property
    def has_completed(self) -> bool:
        """Whether this writer has completed the table; of several ranks one has."""
        return self._builder.is_published

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row; see `add_batch`."""
        self._check_open()
        with self._open.gate:
            self._builder.add_row(row)

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length: lists, arrays or tensors.

        Raises:
            MetricsError: ``example_id`` is missing although there is a foreign table.
            RowIndexError: An example id is no row of the foreign table.
            ColumnError: A column is missing, unknown, or a single value.
            ColumnLengthError: The columns differ in length.
            CellError: A value does not fit its schema; the message names row and column.
            WriterStateError: The writer has ended, or was made in another process.
        """
        self._check_open()
        with self._open.gate:
            self._builder.add_batch(batch)

    def flush(self) -> None:
        """Write all rows that have come in, so that they can be read and survive a crash.

        Raises:
            StorageFullError: There is no space left; the rows are kept.
            WriterStateError: The writer was made in another process.
        """
        self._check_owner()
        self._builder.flush()

    def finalize(self) -> Table:
        """Write what is left and return the metrics table, which no run knows of yet.

        Raises:
            WriterStateError: The writer has ended.
        """
        return self._finalize(linked=False)

    def finalize_and_link(self) -> Table:
        """Write what is left, link the metrics table to the run and return it.

        Raises:
            WriterStateError: The writer has ended.
        """
        table = self._finalize(linked=True)
        if not table.is_partial:  # other ranks may be at work
            self._run._note_metrics_table(table, durable=False)  # the table says so too
        return table

    def end(self) -> Table | None:
        """Do as `finalize_and_link`, or, if the disk is full, have that done when there is space.

        A training is not worth less because its metrics have to wait: so this warns and goes on.

        Returns:
            The metrics table; None if it is to come.

        Raises:
            WriterStateError: The writer has ended.
        """
        try:
            return self.finalize_and_link()
        except StorageFullError as error:
            text = f"{error} The metrics table is finished as soon as there is space."
            warnings.warn(text, StorageFullWarning, stacklevel=3)
        self._ended = "finalized"
        self._open.finish_later(partial(self._builder.finish, linked=True))
        return None

    def abort(self) -> None:
        """End without completing the table; what has come in stays readable, marked as partial.

        What cannot be written now, with a warning, is tried again until the process ends.
        """
        if self._ended or self._owner != os.getpid():
            return
        self._ended = "aborted"
        if self._builder.row_count:
            self._open.close()
        else:
            self._open.release()
            self._builder.discard()

    def get_written_metrics_infos(self) -> list[dict[str, Any]]:
        """Return one dict about the table, for `Run.update_metrics`; none before `finalize`."""
        if self._table is None:
            return []
        return [
            {
                "url": self._table.url.to_str(),
                "row_count": len(self._table),
                "file_size": self._table.file_size,
                "stream_name": "default_stream",
            }
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.abort()
        elif not self._ended and self._owner == os.getpid():
            if self._foreign is not None:
                self._run._note_input(self._foreign.url, self._foreign.id, durable=False)
            self.end()

    def _finalize(self, *, linked: bool) -> Table:
        self._check_open()
        self._table = Table.from_url(self._builder.finish(linked=linked))
        self._ended = "finalized"
        self._open.release()
        return self._table

    def _check_owner(self) -> None:
        check_owner(self._owner, f"MetricsTableWriter for {self._builder.url}")

    def _check_open(self) -> None:
        if self._ended or self._owner != os.getpid():
            self._check_owner()
            raise WriterStateError(
                f"This MetricsTableWriter for {self._builder.url} was {self._ended} already.",
                hint="make a new one.",
            )


def _builder(
    run: Url,
    foreign: ForeignTable | None,
    about: dict[str, Any],
    unique_ids: bool,
    ranks: Ranks | None,
) -> MetricsBuilder:
    if ranks is None or ranks.count == 1:
        from tlc.format.metrics import MetricsBuilder

        return MetricsBuilder(run, foreign, **about, unique_ids=unique_ids)
    from tlc.format.shared_metrics import SharedMetricsBuilder

    if foreign is None:
        raise MetricsError(
            "Ranks can share only metrics about a table.", hint="pass foreign_table_url=."
        )
    turn = ranks.begin(run, foreign.id, about["split"], about["constants"])
    return SharedMetricsBuilder(run, foreign, turn, **about)


def _run(run: Url | str | Run | None) -> Run:
    if isinstance(run, Run):
        return run
    if run is not None:
        return Run.from_url(run)
    active = active_run()
    if active is None:
        raise RunStateError(
            "There is no active run to write metrics to.",
            hint="start one with tlc.init(), or pass run_url=.",
        )
    return active
