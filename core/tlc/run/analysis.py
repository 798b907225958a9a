"""Reading the metrics of a run, over all epochs and beside the samples that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlc.constants import EXAMPLE_ID
from tlc.errors import ColumnNotFoundError, MetricsError, UrlNotFoundError
from tlc.format.layout import METRICS
from tlc.format.manifest import MANIFEST, OPENED
from tlc.run.metrics_reader import SPLIT, MetricsPart, Reader, info_of, opened, readable
from tlc.run.reduced_metrics import without_repeats
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.run.reducing import Reduction
    from tlc.run.run import Run
    from tlc.table import Table, TableView


class Metrics(list[dict[str, Any]]):
    """The infos of a run's metrics tables: dicts with ``url``, ``row_count``, ``file_size`` ...

    Called, it reads the tables.
    """

    def __init__(
        self, run: Run, infos: Iterable[dict[str, Any]], removed: Iterable[str] = ()
    ) -> None:
        super().__init__(infos)
        self._run = run
        self._removed = frozenset(Url(url).to_absolute(run.url) for url in removed)

    def __call__(
        self,
        table: Table | TableView | Url | str | None = None,
        split: str | None = None,
        columns: Sequence[str] | None = None,
        join: Sequence[str] | Mapping[str, str] = (),
    ) -> pa.Table:
        """Return the rows of all metrics tables, one below the other, as one Arrow table.

        Metrics tables that are about no table, or have no ``example_id``, are left out, and so,
        with a `DamagedObjectWarning`, are those that cannot be read. Where embeddings were reduced,
        each row is that of one table: the one that has most of `columns`, or else the one reduced
        last.

        Args:
            table: Only metrics about this table, or about another revision, split or join of the
                same rows; ``example_id`` is then the row number in this table, and rows it does not
                have are left out. Of rows with one key, as after `unroll`, the first is the first
                there, and so on. None for all metrics, with the ids they were written with.
            split: Only metrics that were collected with this split.
            columns: Metrics columns to return beside ``example_id`` and ``split``; all if None.
                Tables that have none of them are left out.
            join: Columns of the table, to be put beside the metrics of each row; a mapping gives
                them other names there: ``{"label": "given label"}``.

        Returns:
            ``example_id`` (int64), ``split`` (string), the metrics columns, and the columns of
            `join`. Cells of columns that a metrics table does not have are null. Without any
            metrics: the two first columns, with no rows. Metrics with a column ``split`` of their
            own keep that.

        Raises:
            ColumnError: A column of `join` has the name of a metrics column.
            ColumnNotFoundError: The table does not have a column of `join`.
            MetricsError: A column holds values of different kinds in two metrics tables, or the
                example ids of one are no row numbers.
            ObjectNotFoundError: `join` is given but not `table`, and a table that metrics are about
                is no longer there.
        """
        import pyarrow as pa

        found = (part.read() for part in self.parts(table, split, columns, join))
        parts = [_empty(), *(part for part in found if part is not None)]
        try:
            return pa.concat_tables(parts, promote_options="permissive")
        except pa.ArrowException as error:
            raise MetricsError(
                f"The metrics tables of {self._run.url} do not fit together: {error}.",
                hint="choose some of them with table=, split= or columns=.",
            ) from error

    def by_example(
        self,
        column: str,
        table: Table | TableView | Url | str,
        how: Reduction = "mean",
        *,
        split: str | None = None,
    ) -> np.ndarray:
        """Return one number per row of a table: what all its metric rows, of all epochs, come to.

        The 200 samples that were hardest on average:

            losses = run.metrics.by_example("loss", table)
            worst = np.argsort(-losses)[:200]

        Args:
            column: A metrics column of numbers. Metrics tables without it are left out.
            table: The table whose rows are meant; metrics about another revision, split or join of
                the same rows count too.
            how: ``"mean"``, ``"std"``, ``"min"``, ``"max"``, ``"sum"`` or ``"count"``, of the
                values that are not null.
            split: Only metrics that were collected with this split.

        Returns:
            Shape ``(len(table),)``, float64, in the order of the rows. Rows without metrics have
            NaN, which sorts last; for ``"sum"`` and ``"count"`` they have 0.

        Raises:
            ColumnNotFoundError: No metrics about the table have that column.
            MetricsError: It does not hold numbers, or example ids are no row numbers.
            OptionError: There is no such `how`.
        """
        wanted = opened(table)
        assert wanted is not None
        found = [
            part for part in self.parts(wanted, split, [column]) if column in part.metrics.columns
        ]
        if not found:
            raise ColumnNotFoundError(
                f"No metrics of {self._run.url} have a column {column!r}.",
                hint="run.metrics() shows which there are.",
            )
        from tlc.run.reducing import reduce_rows  # late: it needs NumPy, which a run may not

        numbers = (each for part in found for each in part.numbers(column))
        return reduce_rows(numbers, len(wanted), how)

    def parts(
        self,
        table: Table | TableView | Url | str | None = None,
        split: str | None = None,
        columns: Sequence[str] | None = None,
        join: Sequence[str] | Mapping[str, str] = (),
    ) -> Iterator[MetricsPart]:
        """Yield the metrics tables that a call would read, to be read one by one.

        So metrics that do not fit into memory together can be gone through, and in any order.

        Args:
            table: See a call; so are the others.
            split: Only metrics that were collected with this split.
            columns: Metrics columns to read.
            join: Columns of the table, to be put beside them.
        """
        reader = Reader(opened(table), columns, join)
        for metrics in without_repeats(list(self.tables()), columns):
            info = info_of(metrics)
            if info is None or EXAMPLE_ID not in metrics.columns:
                continue
            if split in (None, info.split):
                yield MetricsPart(metrics, info, reader)

    def tables(self) -> Iterator[Table]:
        """Yield the metrics tables in the order they were added, unfinished ones last.

        Unfinished ones without rows are left out, and so, with a `DamagedObjectWarning`, are those
        that cannot be read.
        """
        run = self._run.url
        known = {Url(info["url"]).to_absolute(run) for info in self} | self._removed
        for info in self:
            table = readable(info["url"], run)
            if table is not None:
                yield table
        for url in _unfinished(run):
            table = readable(str(url), run) if url not in known else None
            if table:
                yield table


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
