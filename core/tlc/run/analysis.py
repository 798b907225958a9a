"""Reading the metrics of a run, over all epochs and beside the samples that they are about."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tlc.constants import (
    EXAMPLE_ID,
    FOREIGN_TABLE_ID,
    FOREIGN_TABLE_URL,
    NUMBER_ROLE_FOREIGN_KEY,
)
from tlc.errors import (
    ColumnError,
    ColumnNotFoundError,
    CorruptObjectError,
    DamagedObjectWarning,
    MetricsError,
    ObjectKindError,
    ObjectNotFoundError,
    TlcError,
    UnsupportedFormatError,
    UrlNotFoundError,
)
from tlc.format.commit import INPUT
from tlc.format.layout import METRICS
from tlc.format.manifest import MANIFEST, OPENED, MetricsInfo, Parent
from tlc.format.plain import combine, is_numeric, numbers_of, validity_of
from tlc.table import Table, TableView
from tlc.table.keys import row_numbers
from tlc.url import Url, UrlAdapterRegistry
from tlc.url.references import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.run.reducing import Part, Reduction
    from tlc.run.run import Run

SPLIT = "split"
_UNREADABLE = (CorruptObjectError, ObjectKindError, UnsupportedFormatError, UrlNotFoundError)


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

        Metrics tables that are about no table are left out, and so, with a `DamagedObjectWarning`,
        are those that cannot be read.

        Args:
            table: Only metrics about this table, or about another revision, split or join of the
                same rows; ``example_id`` is then the row number in this table, and rows it does not
                have are left out. None for all metrics, with the ids they were written with.
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
            MetricsError: A column holds values of different kinds in two metrics tables.
            ObjectNotFoundError: `join` is given but not `table`, and a table that metrics are about
                is no longer there.
        """
        import pyarrow as pa

        reader = _Reader(_opened(table), columns, join)
        parts = [_empty()]
        for metrics in self.tables():
            info = _info(metrics)
            if info is None or split not in (None, info.split):
                continue
            part = reader.part(metrics, info)
            if part is not None:
                parts.append(part)
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
            MetricsError: It does not hold numbers.
            OptionError: There is no such `how`.
        """
        wanted = _opened(table)
        assert wanted is not None
        reader = _Reader(wanted, [column], ())
        found = [
            (metrics, info)
            for metrics in self.tables()
            if (info := _info(metrics)) is not None
            and split in (None, info.split)
            and column in metrics.columns
        ]
        if not found:
            raise ColumnNotFoundError(
                f"No metrics of {self._run.url} have a column {column!r}.",
                hint="run.metrics() shows which there are.",
            )
        from tlc.run.reducing import reduce_rows  # late: it needs NumPy, which a run may not

        return reduce_rows(_numbers(reader, found, column), len(wanted), how)

    def tables(self) -> Iterator[Table]:
        """Yield the metrics tables in the order they were added, unfinished ones last.

        Unfinished ones without rows are left out, and so, with a `DamagedObjectWarning`, are those
        that cannot be read.
        """
        run = self._run.url
        known = {Url(info["url"]).to_absolute(run) for info in self} | self._removed
        for info in self:
            table = _readable(info["url"], run)
            if table is not None:
                yield table
        for url in _unfinished(run):
            table = _readable(str(url), run) if url not in known else None
            if table:
                yield table


class _Reader:
    """Reads metrics tables as parts of the answer."""

    def __init__(
        self,
        wanted: Table | None,
        columns: Sequence[str] | None,
        join: Sequence[str] | Mapping[str, str],
    ) -> None:
        self._wanted = wanted
        self._columns = columns
        self._join = dict(join) if isinstance(join, Mapping) else {name: name for name in join}
        self._foreign: dict[str, Table] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def part(self, metrics: Table, info: MetricsInfo) -> pa.Table | None:
        """Return the rows of one metrics table, numbered and joined; None if none are wanted."""
        about = self._wanted
        if about is None and self._join:
            about = self._foreign_table(metrics, info)
        try:
            part = self._rows(metrics, info)
        except _UNREADABLE as error:
            _passed_over(metrics.url, error)
            return None
        return part if part is None or about is None else _joined(part, about, self._join)

    def _rows(self, metrics: Table, info: MetricsInfo) -> pa.Table | None:
        import pyarrow as pa

        names = self._names(metrics)
        if names is None:
            return None
        ids, *cells = _together(metrics, [EXAMPLE_ID, *names])
        ids = ids.cast(pa.int64())
        if SPLIT not in names:
            names, cells = [SPLIT, *names], [pa.repeat(info.split, len(ids)), *cells]
        numbers = self._row_numbers(metrics, info)
        if numbers is None:
            return pa.table([ids, *cells], names=[EXAMPLE_ID, *names])
        mapped = numbers[numbers_of(combine(ids))]
        kept = mapped >= 0
        if not kept.any():
            return None
        return pa.table([pa.array(mapped), *cells], names=[EXAMPLE_ID, *names]).filter(
            pa.array(kept)
        )

    def values(self, metrics: Table, info: MetricsInfo, column: str) -> list[Part]:
        """Return the rows of the wanted table that the metrics are about, and a column's numbers.

        Raises:
            MetricsError: The column does not hold numbers.
        """
        mapped = self._row_numbers(metrics, info)
        found = []
        for part in metrics.column_parts([EXAMPLE_ID, column]):
            cells = part[column]
            if not is_numeric(cells.type):
                raise MetricsError(
                    f"Column {column!r} of {metrics.url} holds {cells.type}, not numbers.",
                    hint="run.metrics(...) reads columns of any kind.",
                )
            rows, values, valid = (
                numbers_of(part[EXAMPLE_ID]),
                numbers_of(cells),
                validity_of(cells),
            )
            if mapped is not None:
                rows = mapped[rows]
                valid = rows >= 0 if valid is None else valid & (rows >= 0)
            found.append((rows, values) if valid is None else (rows[valid], values[valid]))
        return found

    def _names(self, metrics: Table) -> list[str] | None:
        """Return the columns to read beside the example id; None to leave the table out."""
        if EXAMPLE_ID not in metrics.columns:
            return None
        there = [name for name in metrics.columns if name not in (EXAMPLE_ID, FOREIGN_TABLE_ID)]
        if self._columns is None:
            return there
        names = [name for name in dict.fromkeys(self._columns) if name in there]
        return names if names or set(self._columns) <= {EXAMPLE_ID, SPLIT} else None

    def _row_numbers(self, metrics: Table, info: MetricsInfo) -> np.ndarray | None:
        """Return the row in the wanted table for each row of the foreign one; None if the same."""
        assert info.foreign_table is not None
        identity = info.foreign_table.id
        if self._wanted is None or identity == self._wanted.id:
            return None
        if identity not in self._numbers:
            foreign = self._foreign_table(metrics, info)
            self._numbers[identity] = row_numbers(foreign, self._wanted)
        return self._numbers[identity]

    def _foreign_table(self, metrics: Table, info: MetricsInfo) -> Table:
        assert info.foreign_table is not None
        identity = info.foreign_table.id
        if identity not in self._foreign:
            url = follow(info.foreign_table.url, metrics.url)
            foreign = Table.from_url(url)
            if foreign.id != identity:
                raise ObjectNotFoundError(
                    f"The table that {metrics.url} is about is no longer at {url}: there is "
                    "another one of that name."
                )
            self._foreign[identity] = foreign
        return self._foreign[identity]


def _together(metrics: Table, names: Sequence[str]) -> list[pa.ChunkedArray]:
    """Return columns, read at the same time."""
    import pyarrow as pa

    parts = list(metrics.column_parts(names))
    if not parts:
        return [pa.chunked_array([metrics.column(name)]) for name in names]
    return [pa.chunked_array([part[name] for part in parts]) for name in names]


def _numbers(
    reader: _Reader, found: Sequence[tuple[Table, MetricsInfo]], column: str
) -> Iterator[Part]:
    """Yield the numbers of metrics tables, of each all or, if it is damaged, none."""
    for metrics, info in found:
        try:
            parts = reader.values(metrics, info, column)
        except _UNREADABLE as error:
            _passed_over(metrics.url, error)
            continue
        yield from parts


def _opened(table: Table | TableView | Url | str | None) -> Table | None:
    if isinstance(table, TableView):
        return table.source
    return table if table is None or isinstance(table, Table) else Table.from_url(table)


def _readable(reference: str, owner: Url) -> Table | None:
    try:
        return Table.from_url(follow(reference, owner))
    except TlcError as error:
        _passed_over(Url(reference).to_absolute(owner), error)
        return None


def _passed_over(url: Url, error: Exception) -> None:
    warnings.warn(
        f"The metrics table {url} cannot be read and was passed over: {error}",
        DamagedObjectWarning,
        stacklevel=4,
    )


def _info(metrics: Table) -> MetricsInfo | None:
    """Return which table the metrics are about, from a foreign key if need be; None if neither."""
    info = metrics.metrics_info
    if info is not None and info.foreign_table is not None:
        return info
    for part in metrics.rows_schema.values.values():
        where = part.metadata.get(FOREIGN_TABLE_URL)
        is_key = getattr(part.value, "number_role", "") == NUMBER_ROLE_FOREIGN_KEY
        if is_key and where and isinstance(where, str):
            foreign = _readable(where, metrics.url)
            if foreign is not None:
                split = info.split if info else ""
                return MetricsInfo(Parent(where, foreign.id, INPUT), len(foreign), split)
    return None


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


def _joined(part: pa.Table, about: Table, join: Mapping[str, str]) -> pa.Table:
    import numpy as np

    ids = combine(part.column(EXAMPLE_ID))
    # After a pass over the table the rows are there as they are wanted.
    in_order = len(ids) == len(about) and bool((numbers_of(ids) == np.arange(len(ids))).all())
    for column, name in join.items():
        if name in part.column_names:
            raise ColumnError(
                f"{name!r} is a column of the metrics and of {about.url} too.",
                hint='give it another name: join={"label": "given label"}.',
            )
        cells = about.column(column)
        part = part.append_column(name, cells if in_order else cells.take(ids))
    return part
