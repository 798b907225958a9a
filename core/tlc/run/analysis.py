"""Reading the metrics of a run, over all epochs and beside the samples that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import EXAMPLE_ID, FOREIGN_TABLE_ID
from tlc.errors import ColumnError, UrlNotFoundError
from tlc.format.layout import METRICS
from tlc.format.manifest import MANIFEST, OPENED
from tlc.table import Table, TableView
from tlc.table.keys import row_numbers
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa

    from tlc.run.run import Run

SPLIT = "split"


class Metrics(list[dict[str, Any]]):
    """The infos of a run's metrics tables: dicts with ``url``, ``row_count``, ``file_size`` ...

    Called, it reads the tables.
    """

    def __init__(self, run: Run, infos: Iterable[dict[str, Any]]) -> None:
        super().__init__(infos)
        self._run = run

    def __call__(
        self,
        table: Table | TableView | Url | str | None = None,
        split: str | None = None,
        columns: Sequence[str] | None = None,
        join: Sequence[str] = (),
    ) -> pa.Table:
        """Return the rows of all metrics tables, one below the other, as one Arrow table.

        Args:
            table: Only metrics about this table, or about another revision, split or join of the
                same rows; ``example_id`` is then the row number in this table, and rows it does not
                have are left out. None for all metrics, with the ids they were written with.
            split: Only metrics that were collected with this split.
            columns: Metrics columns to return beside ``example_id`` and ``split``; all if None.
                Tables that have none of them are left out.
            join: Columns of the table, to be put beside the metrics of each row.

        Returns:
            ``example_id`` (int64), ``split`` (string), the metrics columns, and the columns of
            `join`. Cells of columns that a metrics table does not have are null. Without any
            metrics: the two first columns, with no rows.

        Raises:
            ColumnError: A column of `join` has the name of a metrics column.
            ColumnNotFoundError: The table does not have a column of `join`.
        """
        import pyarrow as pa

        wanted = _opened(table)
        parts = [_empty()]
        for metrics in self.tables():
            info = metrics.metrics_info
            if info is None or info.foreign_table is None or split not in (None, info.split):
                continue
            about = wanted or Table.from_url(Url(info.foreign_table.url).to_absolute(metrics.url))
            part = _part(metrics, about, columns)
            if part is not None:
                parts.append(_joined(part, about, join))
        return pa.concat_tables(parts, promote_options="permissive").combine_chunks()

    def tables(self) -> Iterator[Table]:
        """Yield the metrics tables in the order they were added, unfinished ones last."""
        return (Table.from_url(url) for url in self.urls())

    def urls(self) -> list[Url]:
        """Return the urls of the metrics tables, absolute; see `tables`."""
        linked = [Url(info["url"]).to_absolute(self._run.url) for info in self]
        return linked + [url for url in _unfinished(self._run.url) if url not in linked]


def _opened(table: Table | TableView | Url | str | None) -> Table | None:
    if isinstance(table, TableView):
        return table.source
    return table if table is None or isinstance(table, Table) else Table.from_url(table)


def _unfinished(run: Url) -> Iterator[Url]:
    try:
        entries = list(UrlAdapterRegistry.list_dir(run / METRICS))
    except UrlNotFoundError:
        return
    for entry in entries:
        url = run / METRICS / entry.name
        if (url / OPENED).exists() and not (url / MANIFEST).exists():
            yield url


def _empty() -> pa.Table:
    import pyarrow as pa

    return pa.table({EXAMPLE_ID: pa.array([], pa.int64()), SPLIT: pa.array([], pa.string())})


def _part(metrics: Table, about: Table, columns: Sequence[str] | None) -> pa.Table | None:
    """Return the rows of one metrics table that are about rows of `about`, numbered as there."""
    import pyarrow as pa

    info = metrics.metrics_info
    assert info is not None
    assert info.foreign_table is not None
    names = [n for n in metrics.columns if n not in (EXAMPLE_ID, FOREIGN_TABLE_ID)]
    if columns is not None:
        names = [name for name in columns if name in names]
    if EXAMPLE_ID not in metrics.columns or (columns is not None and not names):
        return None
    ids = metrics.column(EXAMPLE_ID)
    kept = None
    if info.foreign_table.id != about.id:
        foreign = Table.from_url(Url(info.foreign_table.url).to_absolute(metrics.url))
        mapped = row_numbers(foreign, about)[ids.to_numpy()]
        kept = pa.array(mapped >= 0)
        if not (mapped >= 0).any():
            return None
        ids = pa.array(mapped)
    part = pa.table(
        [ids, pa.repeat(info.split, len(ids)), *(metrics.column(name) for name in names)],
        names=[EXAMPLE_ID, SPLIT, *names],
    )
    return part if kept is None else part.filter(kept)


def _joined(part: pa.Table, about: Table, join: Sequence[str]) -> pa.Table:
    for name in join:
        if name in part.column_names:
            raise ColumnError(
                f"{name!r} is a column of the metrics and of {about.url} too.",
                hint="leave it out of join=, or choose the metrics with columns=.",
            )
        cells = about.column(name).take(part.column(EXAMPLE_ID).combine_chunks())
        part = part.append_column(name, cells)
    return part
