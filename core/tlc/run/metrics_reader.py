"""Reading metrics tables, with their rows numbered as those of the table that they are about."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tlc.constants import (
    EXAMPLE_ID,
    FOREIGN_TABLE_ID,
    FOREIGN_TABLE_URL,
    NUMBER_ROLE_FOREIGN_KEY,
)
from tlc.errors import (
    ColumnError,
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
from tlc.format.manifest import MetricsInfo, Parent
from tlc.format.plain import combine, is_numeric, numbers_of, validity_of
from tlc.table import Table, TableView
from tlc.table.keys import row_numbers
from tlc.url import Url
from tlc.url.references import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pyarrow as pa

    from tlc.run.reducing import Part

SPLIT = "split"
_UNREADABLE = (CorruptObjectError, ObjectKindError, UnsupportedFormatError, UrlNotFoundError)


@dataclass(frozen=True, eq=False)
class MetricsPart:
    """One metrics table of a run that can be read when its turn comes.

    Attributes:
        metrics: The metrics table.
        info: What it is about.
    """

    metrics: Table
    info: MetricsInfo
    _reader: Reader

    @property
    def table_id(self) -> str:
        """Identity of the table that the metrics are about."""
        assert self.info.foreign_table is not None
        return self.info.foreign_table.id

    @property
    def table_url(self) -> Url:
        """Url of the table that the metrics are about, absolute; there may be none any more."""
        assert self.info.foreign_table is not None
        return Url(self.info.foreign_table.url).to_absolute(self.metrics.url)

    def table(self) -> Table:
        """Return the table that the metrics are about.

        Raises:
            ObjectNotFoundError: It is no longer there.
        """
        return self._reader.foreign_table(self.metrics, self.info)

    def row_numbers(self) -> np.ndarray | None:
        """Return the row in the table asked for of each row of `table`, -1 for none.

        Returns:
            int64 of shape ``(len(table()),)``; None if they are the same table.
        """
        return self._reader.row_numbers(self.metrics, self.info)

    def has_rows(self) -> bool:
        """Return whether the metrics are about any row of the table asked for.

        They are not, with a `DamagedObjectWarning`, if the table that they are about is gone.
        """
        try:
            rows = self.row_numbers()
        except _UNREADABLE as error:
            passed_over(self.metrics.url, error)
            return False
        return rows is None or bool((rows >= 0).any())

    def read(self) -> pa.Table | None:
        """Return the rows and columns asked for, as `Metrics` returns them; None if there are none.

        So it is, with a `DamagedObjectWarning`, if they cannot be read.

        Raises:
            MetricsError: The example ids are no row numbers of the table the metrics are about.
        """
        return self._reader.part(self.metrics, self.info)

    def numbers(self, column: str) -> list[Part]:
        """Return the rows of the table asked for that the metrics are about, and their numbers.

        Nothing, with a `DamagedObjectWarning`, if they cannot be read.

        Raises:
            MetricsError: The column does not hold numbers, or the example ids are no row numbers.
        """
        try:
            return self._reader.values(self.metrics, self.info, column)
        except _UNREADABLE as error:
            passed_over(self.metrics.url, error)
            return []


def renumbered(parts: Iterable[MetricsPart], table: Table) -> list[MetricsPart]:
    """Return the same metrics with their rows numbered as those of another table."""
    reader = Reader(table, None, ())
    return [replace(part, _reader=reader) for part in parts]


class Reader:
    """Reads metrics tables as parts of an answer.

    Args:
        wanted: The table whose rows are to be numbered; None for the ids as they were written.
        columns: Metrics columns to read; None for all.
        join: Columns of the table, to be put beside them; a mapping gives them other names.
    """

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
            about = self.foreign_table(metrics, info)
        try:
            part = self._rows(metrics, info)
        except _UNREADABLE as error:
            passed_over(metrics.url, error)
            return None
        return part if part is None or about is None else _joined(part, about, self._join)

    def _rows(self, metrics: Table, info: MetricsInfo) -> pa.Table | None:
        import pyarrow as pa

        names = self._names(metrics)
        if names is None:
            return None
        ids, *cells = _together(metrics, [EXAMPLE_ID, *names])
        chunks = [_checked_ids(chunk, metrics, info) for chunk in ids.chunks]
        ids = pa.chunked_array(chunks, pa.int64())
        if SPLIT not in names:
            names, cells = [SPLIT, *names], [pa.repeat(info.split, len(ids)), *cells]
        numbers = self.row_numbers(metrics, info)
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
            MetricsError: The column does not hold numbers, or the example ids are no row numbers.
        """
        mapped = self.row_numbers(metrics, info)
        found = []
        for part in metrics.column_parts([EXAMPLE_ID, column]):
            cells = part[column]
            if not is_numeric(cells.type):
                raise MetricsError(
                    f"Column {column!r} of {metrics.url} holds {cells.type}, not numbers.",
                    hint="run.metrics(...) reads columns of any kind.",
                )
            rows = numbers_of(_checked_ids(part[EXAMPLE_ID], metrics, info))
            values, valid = numbers_of(cells), validity_of(cells)
            if mapped is not None:
                rows = mapped[rows]
                valid = rows >= 0 if valid is None else valid & (rows >= 0)
            found.append((rows, values) if valid is None else (rows[valid], values[valid]))
        return found

    def _names(self, metrics: Table) -> list[str] | None:
        """Return the columns to read beside the example id; None to leave the table out."""
        there = [name for name in metrics.columns if name not in (EXAMPLE_ID, FOREIGN_TABLE_ID)]
        if self._columns is None:
            return there
        names = [name for name in dict.fromkeys(self._columns) if name in there]
        return names if names or set(self._columns) <= {EXAMPLE_ID, SPLIT} else None

    def row_numbers(self, metrics: Table, info: MetricsInfo) -> np.ndarray | None:
        """Return the row in the wanted table for each row of the foreign one; None if the same."""
        assert info.foreign_table is not None
        identity = info.foreign_table.id
        if self._wanted is None or identity == self._wanted.id:
            return None
        if identity not in self._numbers:
            foreign = self.foreign_table(metrics, info)
            self._numbers[identity] = row_numbers(foreign, self._wanted)
        return self._numbers[identity]

    def foreign_table(self, metrics: Table, info: MetricsInfo) -> Table:
        """Return the table that metrics are about.

        Raises:
            ObjectNotFoundError: It is no longer there.
        """
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


def _checked_ids(cells: pa.Array, metrics: Table, info: MetricsInfo) -> pa.Array:
    """Return example ids as int64; writers check theirs, but a run can list tables of any making.

    Raises:
        MetricsError: They are not row numbers of the table that the metrics are about.
    """
    import pyarrow as pa

    try:
        ids = cells if cells.type == pa.int64() else cells.cast(pa.int64())
    except pa.ArrowException as error:
        raise _no_rows(metrics, info, str(error)) from error
    numbers = numbers_of(ids)
    if ids.null_count:
        raise _no_rows(metrics, info, "some are missing")
    if len(numbers) and (numbers.min() < 0 or numbers.max() >= (info.foreign_table_rows or 0)):
        raise _no_rows(metrics, info, f"they go from {numbers.min()} to {numbers.max()}")
    return ids


def _no_rows(metrics: Table, info: MetricsInfo, reason: str) -> MetricsError:
    assert info.foreign_table is not None
    url = Url(info.foreign_table.url).to_absolute(metrics.url)
    return MetricsError(
        f"The column {EXAMPLE_ID!r} of {metrics.url} does not hold row numbers of {url}, which has "
        f"{info.foreign_table_rows} rows: {reason}.",
        hint="link the table that the metrics are about, or remove these metrics from the run.",
    )


def opened(table: Table | TableView | Url | str | None) -> Table | None:
    """Return the table that is meant; None for none."""
    if isinstance(table, TableView):
        return table.source
    return table if table is None or isinstance(table, Table) else Table.from_url(table)


def readable(reference: str, owner: Url) -> Table | None:
    """Return the table at a url as `owner` writes it; None, with a warning, if it is unreadable."""
    try:
        return Table.from_url(follow(reference, owner))
    except TlcError as error:
        passed_over(Url(reference).to_absolute(owner), error)
        return None


def passed_over(url: Url, error: Exception) -> None:
    """Warn that a metrics table cannot be read."""
    warnings.warn(
        f"The metrics table {url} cannot be read and was passed over: {error}",
        DamagedObjectWarning,
        stacklevel=4,
    )


def info_of(metrics: Table) -> MetricsInfo | None:
    """Return which table the metrics are about, from a foreign key if need be; None if neither."""
    info = metrics.metrics_info
    if info is not None and info.foreign_table is not None:
        return info
    for part in metrics.rows_schema.values.values():
        where = part.metadata.get(FOREIGN_TABLE_URL)
        is_key = getattr(part.value, "number_role", "") == NUMBER_ROLE_FOREIGN_KEY
        if is_key and where and isinstance(where, str):
            foreign = readable(where, metrics.url)
            if foreign is not None:
                split = info.split if info else ""
                return MetricsInfo(Parent(where, foreign.id, INPUT), len(foreign), split)
    return None


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
