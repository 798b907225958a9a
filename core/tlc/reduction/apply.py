"""Reducing columns of tables: first all is computed, then all is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tlc.errors import ReductionError
from tlc.reduction.foreign import last_about
from tlc.reduction.jobs import (
    Wanted,
    has_path,
    has_sources,
    jobs_for,
    schema_of,
    sources_of,
    wanted_of,
)
from tlc.reduction.vectors import ColumnPieces, parts_at, reduced_cells
from tlc.reduction.writing import Model, Reduced, delete_table, write_reduced
from tlc.schemas.arrow import arrow_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tlc.reduction.jobs import Job
    from tlc.table import Table, TableView
    from tlc.url import Url


@dataclass
class Reduction:
    """Reducers that are fitted on one table and applied to several.

    Args:
        fit: The table to fit on; one of `tables`.
        tables: The tables.
        wanted: What becomes of their columns.
        partial: Whether tables are reduced as far as they have the columns; else they must have
            all of them.
    """

    fit: Table
    tables: Sequence[Table]
    wanted: Sequence[Wanted]
    partial: bool = False
    _jobs: list[Job] = field(default_factory=list, init=False)
    _made: dict[Url, Reduced] = field(default_factory=dict, init=False)

    def compute(self) -> None:
        """Fit the reducers and reduce the columns of all tables; nothing is written.

        Raises:
            ColumnNotFoundError: A table has no such column, or none of embeddings.
            ColumnError: Vectors differ in length, or a column holds none.
            ReductionError: There are too few vectors, or a reducer fails.
        """
        self._jobs = jobs_for(self.fit, self.tables, self.wanted)
        for table in [] if self.partial else self.tables:
            for job in self._jobs:
                sources_of(table, job.source)
        for job in self._jobs:
            _fit(job, self.fit)
        for table in self.tables:
            schema = table.rows_schema
            jobs = [job for job in self._jobs if has_path(schema, job.source)]
            if jobs:
                cells = {job.target: _reduced(job, table) for job in jobs}
                self._made[table.url] = Reduced(table, jobs, cells)

    def write(self, *, standalone: bool) -> dict[Url, Url]:
        """Write the reduced tables; the first one gets the reducers.

        Args:
            standalone: Whether they must not need the files of those they are made from.

        Returns:
            Url of each table to that of what became of it, in the order of the tables.
        """
        model = Model(self.fit.url, self.fit.id, self._jobs)
        made = self._made.items()
        return {url: write_reduced(each, model, standalone=standalone) for url, each in made}


def about_foreign_table(
    tables: Sequence[Table],
    foreign: Table | TableView | Url | str,
    method: str,
    options: Mapping[str, Any],
) -> Reduction:
    """Return what `tlc.reduction.reduce_embeddings_by_foreign_table_url` does, not yet done.

    Raises:
        MetricsError: None of the tables has the columns to reduce and is about that table.
        TlcError: As `tlc.reduction.jobs.wanted_of`.
    """
    wanted = [wanted_of(method, options)]
    having = [table for table in tables if has_sources(table, wanted)]
    return Reduction(last_about(having, foreign), having, wanted, partial=True)


def reduce_all(reductions: Sequence[Reduction], *, delete: bool) -> dict[Url, Url]:
    """Compute all, then write all, and delete the sources if asked to."""
    for each in reductions:
        each.compute()
    written: dict[Url, Url] = {}
    for each in reductions:
        written |= each.write(standalone=delete)
    if delete:
        for url in written:
            delete_table(url)
    return written


def _fit(job: Job, table: Table) -> None:
    try:
        job.reducer.fit(ColumnPieces(table, job.source))
    except ReductionError as error:
        raise ReductionError(
            f"{job.source!r} of {table.url}: {error.message}", hint=error.hint
        ) from error


def _reduced(job: Job, table: Table) -> pa.Array:
    """Return the cells of a new column."""
    start, parts = 0, []
    for cells in parts_at(table, job.source):
        reducer = job.reducer
        parts.append(
            reduced_cells(cells, table, job.source, start, reducer.length, reducer.transform)
        )
        start += len(cells)
    kind = arrow_type(schema_of(job, table.rows_schema.find(job.source)))
    return pa.concat_arrays([pa.nulls(0, kind), *(part.cast(kind) for part in parts)])
