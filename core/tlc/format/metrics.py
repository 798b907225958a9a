"""Metrics tables: rows that refer to the rows of another table, written while a model is at work.

The name is claimed, with all that is known, before the first row comes. What has been flushed can
be read at any time; the manifest says that nothing more will come, and what is missing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlc.constants import EPOCH, EXAMPLE_ID, FOREIGN_TABLE_ID, ITERATION, SAMPLE_WEIGHT
from tlc.errors import ColumnError, MetricsError, RowIndexError, UrlExistsError, UrlNotFoundError
from tlc.format import parquet
from tlc.format.builder import RowBuilder
from tlc.format.commit import INPUT
from tlc.format.encode import as_numpy, common_length
from tlc.format.infer import infer_column
from tlc.format.layers import read_column
from tlc.format.layout import METRICS, bulk_folder
from tlc.format.manifest import (
    OPENED,
    Completeness,
    Data,
    MetricsInfo,
    Parent,
    Stack,
    TableManifest,
    Take,
    encode,
    new_id,
    now,
)
from tlc.format.names import check_column_name
from tlc.format.publish import publish_table
from tlc.schemas import (
    EpochSchema,
    ExampleIdSchema,
    ForeignTableIdSchema,
    IterationSchema,
    SampleWeightSchema,
    Schema,
)
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

FLUSH_SECONDS = 5.0
FLUSH_ROWS = 10_000
_USUAL: Mapping[str, type[Schema]] = {
    EXAMPLE_ID: ExampleIdSchema,
    EPOCH: EpochSchema,
    ITERATION: IterationSchema,
    SAMPLE_WEIGHT: SampleWeightSchema,
}


@dataclass(frozen=True)
class ForeignTable:
    """The table that metrics are about."""

    url: Url
    id: str
    row_count: int


class MetricsBuilder:
    """Writes one metrics table of a run.

    Args:
        run: The run's folder.
        foreign: The table that the metrics are about; None for numbers about nothing in particular.
        schema: Schemas of columns; the others are inferred.
        constants: Further columns with one value for all rows.
        split: Name of the part of the data.
        unique_ids: Keep the first row of each example id and count the others; rows come back in
            the order of their ids.
        rank: Number of this process among those that write together.

    Raises:
        MetricsError: `unique_ids` is set, but there is no table that ids could refer to.
        NameNotAllowedError: A constant has a name that no column can have.
    """

    def __init__(
        self,
        run: Url,
        foreign: ForeignTable | None,
        *,
        schema: Mapping[str, Schema],
        constants: Mapping[str, Any],
        split: str | None = "",
        unique_ids: bool = False,
        rank: int = 0,
    ) -> None:
        if unique_ids and foreign is None:
            raise MetricsError(
                "unique_ids needs a table that the metrics are about.",
                hint="pass foreign_table_url=.",
            )
        self._foreign = foreign
        self._unique_ids = unique_ids
        self._constants = {check_column_name(k): _single(v) for k, v in constants.items()}
        self._ids = _IdLog(foreign.row_count if foreign else 0)
        self.url, self._manifest = _claim(run, foreign, split or "", self._constants)
        self._schema = dict(schema)
        if foreign:
            self._constants[FOREIGN_TABLE_ID] = 0
            where = foreign.url.to_relative(self.url).to_str()
            self._schema[FOREIGN_TABLE_ID] = ForeignTableIdSchema(where, sample_type="hidden")
        self._rank = rank
        self._builder: RowBuilder | None = None

    @property
    def row_count(self) -> int:
        """Number of rows taken so far."""
        return self._builder.row_count if self._builder else 0

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length.

        Raises:
            MetricsError: The metrics are about a table, and the batch has no ``example_id``.
            RowIndexError: An example id is no row of that table.
            ColumnError: Columns are missing, unknown, or differ in length.
            CellError: A value does not fit its schema.
        """
        columns = dict(batch)
        given = count = common_length(columns)
        clash = sorted(set(columns) & set(self._constants))
        if clash:
            raise ColumnError(
                f"{', '.join(map(repr, clash))} is a column of the batch and a constant too.",
                hint="leave it out of one of them.",
            )
        if self._foreign:
            columns[EXAMPLE_ID] = self._ids.checked(columns.get(EXAMPLE_ID), self._foreign)
            if self._unique_ids:
                keep = self._ids.first_seen(columns[EXAMPLE_ID])
                if len(keep) < count:
                    columns = {name: _take(values, keep) for name, values in columns.items()}
                    count = len(keep)
        if count == 0 and self._builder is None:
            return  # it does not tell of what type its columns are
        columns.update({n: _repeated(value, count) for n, value in self._constants.items()})
        self._add(columns, dropped=given - count)

    def flush(self) -> None:
        """Write all rows that have come in, so that they can be read and survive a crash."""
        if self._builder:
            self._builder.flush()

    def finish(self) -> Url:
        """Publish the manifest and return the url of the table."""
        if self._builder is None:
            names = [*([EXAMPLE_ID] if self._foreign else []), *self._schema, *self._constants]
            constants = {n: infer_column(n, [value]) for n, value in self._constants.items()}
            self._builder = self._new_builder(dict.fromkeys(names), constants)
        builder = self._builder
        stack = builder.finish(self._manifest.id)
        if self._unique_ids and not self._ids.ordered:
            stack = self._in_order(stack)
        info = self._manifest.metrics
        assert info is not None
        manifest = TableManifest(
            kind="metrics",
            id=self._manifest.id,
            created=self._manifest.created,
            parents=self._manifest.parents,
            metrics=MetricsInfo(
                foreign_table=info.foreign_table,
                foreign_table_rows=info.foreign_table_rows,
                split=info.split,
                constants=info.constants,
                completeness=self._ids.completeness(builder.row_count, self._foreign),
            ),
            rows_schema=builder.rows_schema().to_dict(),
            stack=stack,
        )
        return publish_table(self.url, manifest, "raise")

    def discard(self) -> None:
        """Delete what was written, as if there had never been a table of this name."""
        for folder in (self.url, bulk_folder(self.url)):
            with suppress(UrlNotFoundError):
                UrlAdapterRegistry.delete_tree(folder)

    def _add(self, columns: Mapping[str, Any], dropped: int) -> None:
        """Add rows to the builder, and note their ids if, and only if, it took them."""
        builder = self._builder or self._new_builder(columns, {})
        before, taken = builder.row_count, False
        try:
            builder.add_batch(columns)
            taken = True
        finally:
            # Rows that could not be written to the disk wait in the builder: they were taken, too.
            if taken or builder.row_count > before:
                self._builder = builder
                self._ids.dropped += dropped
                if self._foreign:
                    self._ids.add(columns[EXAMPLE_ID])
        if builder.row_count - sum(entry.rows for entry in builder.files) >= FLUSH_ROWS:
            builder.flush()

    def _new_builder(
        self, columns: Mapping[str, Any], inferred: Mapping[str, Schema]
    ) -> RowBuilder:
        usual = {name: cls() for name, cls in _USUAL.items() if name in columns}
        declared = {name: part for name, part in self._schema.items() if name in columns}
        return RowBuilder(
            self.url,
            {**inferred, **usual, **declared},
            path=lambda writer, number: f"rank-{self._rank}/{writer}-{number:05d}.parquet",
            flush_seconds=FLUSH_SECONDS,
            embed_schema=True,
        )

    def _in_order(self, stack: Stack) -> Stack:
        import numpy as np
        import pyarrow as pa

        ids = read_column(stack, EXAMPLE_ID, self.url, pa.int64())
        order = pa.table({"row": pa.array(np.argsort(np.asarray(ids), kind="stable"))})
        entry = parquet.write(self.url, f"order-{new_id()[:8]}.parquet", order)
        return Stack(stack.row_count, (*stack.layers, Take(entry)))


class _IdLog:
    """Which ids have come, one byte of memory each."""

    def __init__(self, rows: int) -> None:
        import numpy as np

        self._seen = np.zeros(rows, dtype=bool)
        self._last = -1
        self.ordered = True
        self.dropped = 0

    def checked(self, ids: Any, foreign: ForeignTable) -> np.ndarray:
        """Return example ids as int64, or say what is wrong with them."""
        import numpy as np

        if ids is None:
            raise MetricsError(
                f"The batch has no {EXAMPLE_ID!r}, so nobody could tell which rows of "
                f"{foreign.url} it is about.",
                hint=f"add the row numbers as {EXAMPLE_ID!r}.",
            )
        try:
            numbers = np.asarray(as_numpy(ids))
        except ValueError:  # lists of different lengths
            numbers = np.empty((len(ids), 2), np.int64)
        if numbers.ndim > 1:
            raise MetricsError(
                f"The {EXAMPLE_ID!r} column holds lists, where one number per row is needed."
            )
        if numbers.dtype.kind not in "iu" and len(numbers):
            raise MetricsError(
                f"The {EXAMPLE_ID!r} column holds {numbers.dtype}, not whole numbers.",
                hint="row numbers count from 0.",
            )
        outside = (numbers < 0) | (numbers >= foreign.row_count)
        if outside.any():
            raise RowIndexError(
                f"{EXAMPLE_ID} {numbers[outside][0]} is out of range: {foreign.url} has "
                f"{foreign.row_count} rows.",
                hint="row numbers count from 0; is this the table that the samples came from?",
            )
        return numbers.astype(np.int64)

    def first_seen(self, ids: np.ndarray) -> np.ndarray:
        """Return the positions of ids that have not come before, of equal ones the first."""
        import numpy as np

        _, first = np.unique(ids, return_index=True)
        first.sort()
        return first[~self._seen[ids[first]]]

    def add(self, ids: np.ndarray) -> None:
        import numpy as np

        if len(ids) == 0:
            return
        self._seen[ids] = True
        self.ordered = self.ordered and ids[0] > self._last and bool(np.all(np.diff(ids) > 0))
        self._last = int(ids[-1])

    def completeness(self, rows: int, foreign: ForeignTable | None) -> Completeness | None:
        if foreign is None:
            return None
        unique = int(self._seen.sum())
        return Completeness(
            rows=rows,
            unique=unique,
            repeats_dropped=self.dropped,
            expected=foreign.row_count,
            missing=foreign.row_count - unique,
        )


def _claim(
    run: Url, foreign: ForeignTable | None, split: str, constants: Mapping[str, Any]
) -> tuple[Url, TableManifest]:
    """Take the next free name of a metrics table, ``metrics_0000`` and so on."""
    try:
        number = sum(1 for _ in UrlAdapterRegistry.list_dir(run / METRICS))
    except UrlNotFoundError:
        number = 0
    while True:
        folder = run / METRICS / f"metrics_{number:04d}"
        manifest = _opened(folder, foreign, split, constants)
        try:
            UrlAdapterRegistry.create_binary_content_at_url(folder / OPENED, encode(manifest))
        except UrlExistsError:
            number += 1
        else:
            return folder, manifest


def _opened(
    folder: Url, foreign: ForeignTable | None, split: str, constants: Mapping[str, Any]
) -> TableManifest:
    parent = (
        Parent(foreign.url.to_relative(folder).to_str(), foreign.id, INPUT) if foreign else None
    )
    identity = new_id()
    return TableManifest(
        kind="metrics",
        id=identity,
        created=now(),
        parents=(parent,) if parent else (),
        metrics=MetricsInfo(
            foreign_table=parent,
            foreign_table_rows=foreign.row_count if foreign else None,
            split=split,
            constants={name: _json_value(value) for name, value in constants.items()},
        ),
        rows_schema=Schema(values={}).to_dict(),
        stack=Stack(0, (Data((), (), identity),)),
    )


def _single(value: Any) -> Any:
    """Return an array or tensor of one number without dimensions as that number."""
    return as_numpy(value).item() if getattr(value, "shape", None) == () else value


def _json_value(value: Any) -> Any:
    value = as_numpy(value)
    value = value.tolist() if hasattr(value, "tolist") else value
    return value if isinstance(value, bool | int | float | str) or value is None else repr(value)


def _repeated(value: Any, count: int) -> Any:
    """Return a column with one value for all rows; of plain values without a list of them."""
    import pyarrow as pa

    plain = isinstance(value, bool | int | float | str)
    return pa.repeat(value, count) if plain else [value] * count


def _take(values: Any, keep: np.ndarray) -> Any:
    values = as_numpy(values)
    if hasattr(values, "iloc"):  # pandas, whose plain index looks for labels
        return values.iloc[keep]
    if hasattr(values, "dtype"):
        return values[keep]
    return values.take(keep) if hasattr(values, "take") else [values[i] for i in keep.tolist()]
