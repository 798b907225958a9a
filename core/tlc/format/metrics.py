"""Metrics tables: rows that refer to the rows of another table, written while a model is at work.

The name is claimed, with all that is known, before the first row comes; on a full disk, before the
first row is written. What has been flushed can be read at any time; the manifest says that nothing
more will come, and what is missing.
"""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tlc.constants import EPOCH, EXAMPLE_ID, FOREIGN_TABLE_ID, ITERATION, SAMPLE_WEIGHT
from tlc.errors import (
    ColumnError,
    MetricsError,
    StorageFullError,
    StorageFullWarning,
    UrlExistsError,
    UrlNotFoundError,
)
from tlc.format import parquet
from tlc.format.builder import RowBuilder
from tlc.format.commit import INPUT
from tlc.format.declared import checked_columns
from tlc.format.encode import as_numpy, common_length
from tlc.format.example_ids import ExampleIds, ForeignTable
from tlc.format.infer import infer_column
from tlc.format.layers import read_column
from tlc.format.layout import METRICS, bulk_folder
from tlc.format.manifest import (
    OPENED,
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
from tlc.format.plain import combine, numbers_of
from tlc.format.publish import publish_table
from tlc.format.writer_name import new_writer
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

    import pyarrow as pa

__all__ = ["ForeignTable", "MetricsBuilder", "opened_manifest"]

BYTES_PER_FILE = 8 << 20
_USUAL: Mapping[str, type[Schema]] = {
    EXAMPLE_ID: ExampleIdSchema,
    EPOCH: EpochSchema,
    ITERATION: IterationSchema,
    SAMPLE_WEIGHT: SampleWeightSchema,
}


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

    Attributes:
        url: Where the table lies.
        is_published: Whether its manifest was written here.

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
        self._ids = ExampleIds(foreign) if foreign else None
        self.url, self._manifest, self._is_claimed = self._claimed(run, foreign, split or "")
        self._schema = dict(schema)
        if foreign:
            self._constants[FOREIGN_TABLE_ID] = 0
            where = foreign.url.to_relative(self.url).to_str()
            self._schema[FOREIGN_TABLE_ID] = ForeignTableIdSchema(where, sample_type="hidden")
        self.is_published = False
        self._rank = rank
        self._builder: RowBuilder | None = None

    @property
    def row_count(self) -> int:
        """Number of rows taken so far."""
        return self._builder.row_count if self._builder else 0

    @property
    def unwritten(self) -> int:
        """Number of rows that are not on the disk yet."""
        if self._builder is None:
            return 0
        return self._builder.row_count - sum(entry.rows for entry in self._builder.files)

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises:
            MetricsError: The metrics are about a table, and the row has no ``example_id``.
            RowIndexError: The example id is no row of that table.
            ColumnError: Columns are missing or unknown.
            CellError: A value does not fit its schema.
            StorageFullError: So many rows wait for a full disk that no more are taken.
        """
        self._check_no_constant(checked_columns(row))
        if self._ids is not None:
            given = row.get(EXAMPLE_ID)
            number = given
            if type(given) is not int or not 0 <= given < self._ids.limit:
                number = int(self._ids.checked(None if given is None else [given])[0])
                row = {**row, EXAMPLE_ID: number}
            if self._unique_ids:
                row = {name: [value] for name, value in row.items()}
                return self._add_unique(row, np.array([number]))
        if self._builder is not None:
            return self._builder.add_row(row)
        builder = self._new_builder(row, {})
        builder.add_row(row)
        self._builder = builder
        return None

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length.

        Raises:
            MetricsError: The metrics are about a table, and the batch has no ``example_id``.
            RowIndexError: An example id is no row of that table.
            ColumnError: Columns are missing, unknown, or differ in length.
            CellError: A value does not fit its schema.
            StorageFullError: So many rows wait for a full disk that no more are taken.
        """
        self._check_no_constant(checked_columns(batch))
        if self._ids is not None:
            given = batch.get(EXAMPLE_ID)
            if given is not None and not isinstance(given, np.ndarray):
                common_length(batch)  # a single number is no column of ids
            ids = self._ids.checked(given)
            if ids is not given:
                batch = {**batch, EXAMPLE_ID: ids}
            if self._unique_ids:
                return self._add_unique(batch, ids)
        return self._add(batch)

    def flush(self) -> None:
        """Write all rows that have come in, so that they can be read and survive a crash."""
        if self._builder:
            self._builder.flush()

    def flush_if_older(self, seconds: float) -> None:
        """Write the rows that have come in if that was done longer ago than `seconds`."""
        if self._builder:
            self._builder.flush_if_older(seconds)

    def finish(self, *, linked: bool = False) -> Url:
        """Publish the manifest and return the url of the table.

        Args:
            linked: Whether the run lists the table from then on, with or without an event.
        """
        url = publish_table(self.url, self._finished(linked=linked), "raise")
        self.is_published = True
        return url

    def _finished(self, *, linked: bool) -> TableManifest:
        """Write what is left, and return the manifest."""
        if self._builder is None:
            names = [*([EXAMPLE_ID] if self._foreign else []), *self._schema, *self._constants]
            constants = {n: infer_column(n, [value]) for n, value in self._constants.items()}
            self._builder = self._new_builder(dict.fromkeys(names), constants)
        builder = self._builder
        self._claim_late()
        stack = builder.finish(self._manifest.id)
        if self._ids is not None and self._unique_ids and not self._ids.ordered:
            stack = self._in_order(stack)
        info = self._manifest.metrics
        assert info is not None
        done = None if self._ids is None else self._ids.completeness(builder.row_count)
        return msgspec.structs.replace(
            self._manifest,
            metrics=msgspec.structs.replace(info, completeness=done, linked=linked),
            rows_schema=builder.rows_schema().to_dict(),
            stack=stack,
        )

    def discard(self) -> None:
        """Delete what was written, as if there had never been a table of this name."""
        for folder in (self.url, bulk_folder(self.url)):
            with suppress(UrlNotFoundError):
                UrlAdapterRegistry.delete_tree(folder)

    def _claimed(
        self, run: Url, foreign: ForeignTable | None, split: str
    ) -> tuple[Url, TableManifest, bool]:
        """Take the next free name of a metrics table, ``metrics_0000`` and so on.

        Returns:
            Its folder, its manifest so far, and whether the name is claimed. On a full disk it is
            not, but nobody else will come upon it.
        """
        try:
            number = sum(1 for _ in UrlAdapterRegistry.list_dir(run / METRICS))
        except UrlNotFoundError:
            number = 0
        while True:
            folder = run / METRICS / f"metrics_{number:04d}"
            manifest = opened_manifest(folder, foreign, split, self._constants)
            try:
                UrlAdapterRegistry.create_binary_content_at_url(folder / OPENED, encode(manifest))
            except UrlExistsError:
                number += 1
            except StorageFullError as error:
                warnings.warn(f"{error} Metrics wait in memory.", StorageFullWarning, stacklevel=5)
                folder = run / METRICS / f"metrics_{new_id()[:8]}"
                return folder, opened_manifest(folder, foreign, split, self._constants), False
            else:
                return folder, manifest, True

    def _add(self, batch: Mapping[str, Any]) -> None:
        if self._builder is not None:
            self._builder.add_batch(batch)
        elif common_length(batch):  # an empty batch does not tell of what type its columns are
            builder = self._new_builder(batch, {})
            builder.add_batch(batch)
            self._builder = builder

    def _add_unique(self, batch: Mapping[str, Any], ids: np.ndarray[Any, Any]) -> None:
        """Add the rows whose ids are new, and note these ids if, and only if, they were taken."""
        assert self._ids is not None
        if self._ids.are_next(ids):
            self._add(batch)
            self._ids.add_next(ids)
            return
        count = common_length(batch)
        keep = self._ids.first_seen(ids)
        if len(keep) < count:
            batch = {name: _take(values, keep) for name, values in batch.items()}
        self._add(batch)
        self._ids.dropped += count - len(keep)
        self._ids.add(ids[keep])

    def _note(self, rows: pa.Table) -> None:
        """Note the ids of rows that are about to be written: of many at once, which is cheaper."""
        if self._ids is not None and not self._unique_ids:
            self._ids.add(np.asarray(numbers_of(combine(rows.column(EXAMPLE_ID)))))

    def _path(self, writer: str, number: int) -> str:
        """Return where the next file goes, in a folder that is this table's alone."""
        self._claim_late()
        return f"rank-{self._rank}/{writer}-{number:05d}.parquet"

    def _claim_late(self) -> None:
        """Claim the name if there was no space for that before."""
        if not self._is_claimed:
            opened = encode(self._manifest)
            UrlAdapterRegistry.create_binary_content_at_url(self.url / OPENED, opened)
            self._is_claimed = True

    def _check_no_constant(self, columns: Mapping[str, Any]) -> None:
        if self._constants.keys().isdisjoint(columns.keys()):
            return
        clash = sorted(set(columns) & set(self._constants))
        raise ColumnError(
            f"{', '.join(map(repr, clash))} is a column of the batch and a constant too.",
            hint="leave it out of one of them.",
        )

    def _new_builder(
        self, columns: Mapping[str, Any], inferred: Mapping[str, Schema]
    ) -> RowBuilder:
        names = {*columns, *self._constants}
        usual = {name: cls() for name, cls in _USUAL.items() if name in names}
        declared = {name: part for name, part in self._schema.items() if name in names}
        return RowBuilder(
            self.url,
            {**inferred, **usual, **declared},
            path=self._path,
            embed_schema=True,
            constants=self._constants,
            bytes_per_file=BYTES_PER_FILE,
            watch=self._note,
        )

    def _in_order(self, stack: Stack) -> Stack:
        import pyarrow as pa

        ids = read_column(stack, EXAMPLE_ID, self.url, pa.int64())
        order = pa.table({"row": pa.array(np.argsort(np.asarray(ids), kind="stable"))})
        entry = parquet.write(self.url, f"order-{new_writer()}.parquet", order)
        return Stack(stack.row_count, (*stack.layers, Take(entry)))


def opened_manifest(
    folder: Url,
    foreign: ForeignTable | None,
    split: str,
    constants: Mapping[str, Any],
    ranks: int = 1,
) -> TableManifest:
    """Return what is known of a metrics table before its first row comes."""
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
            ranks=ranks,
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


def _take(values: Any, keep: np.ndarray[Any, Any]) -> Any:
    values = as_numpy(values)
    if hasattr(values, "iloc"):  # pandas, whose plain index looks for labels
        return values.iloc[keep]
    if hasattr(values, "dtype"):
        return values[keep]
    return values.take(keep) if hasattr(values, "take") else [values[i] for i in keep.tolist()]
