"""A rank's share of a metrics table, and the table that all shares make."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pyarrow as pa

from tlc.constants import EXAMPLE_ID
from tlc.errors import (
    MetricsError,
    ObjectKindError,
    ObjectNotFoundError,
    UrlExistsError,
    UrlNotFoundError,
)
from tlc.format import parquet
from tlc.format.layers import read_column
from tlc.format.layout import METRICS
from tlc.format.manifest import (
    MANIFEST,
    OPENED,
    Completeness,
    Data,
    FileEntry,
    MetricsInfo,
    Stack,
    TableManifest,
    Take,
    encode,
    read,
)
from tlc.format.metrics import MetricsBuilder, opened_manifest
from tlc.format.open import embedded_schema
from tlc.format.publish import create
from tlc.format.ranks import share_name, shared_name
from tlc.format.writer_name import new_writer
from tlc.schemas import Schema
from tlc.url import Url, UrlAdapterRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tlc.format.example_ids import ForeignTable
    from tlc.format.ranks import Ranks

__all__ = ["SharedMetricsBuilder"]


class SharedMetricsBuilder(MetricsBuilder):
    """Writes the share of one rank; the last of all ranks to finish publishes the table.

    The table is found by what it is about; see `tlc.format.ranks`. Of one that is unfinished, rows
    that this rank has written in an earlier life stay, and are not taken again.

    Args:
        run: The run's folder.
        foreign: The table that the metrics are about.
        ranks: Which of the processes this one is, and its turn at such a table.
        schema: Schemas of columns; the others are inferred.
        constants: Further columns with one value for all rows.
        split: Name of the part of the data.
    """

    def __init__(
        self,
        run: Url,
        foreign: ForeignTable,
        ranks: Ranks,
        *,
        schema: Mapping[str, Schema],
        constants: Mapping[str, Any],
        split: str | None = "",
    ) -> None:
        self._ranks = ranks
        self._earlier: tuple[FileEntry, ...] = ()
        super().__init__(
            run,
            foreign,
            schema=schema,
            constants=constants,
            split=split,
            unique_ids=True,
            rank=ranks.rank,
        )
        self._own_share = self.url / share_name(ranks.rank, ranks.count)
        self._has_ended = self._own_share.exists()
        self._take_up()

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row, unless this rank has finished in an earlier life."""
        if not self._has_ended:
            super().add_row(row)

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows, unless this rank has finished in an earlier life."""
        if not self._has_ended:
            super().add_batch(batch)

    def finish(self, *, linked: bool = False) -> Url:
        """Write what is left, and publish the table if this rank is the last one."""
        if not self._has_ended:
            share = self._completed(super()._finished(linked=linked))
            with suppress(UrlExistsError):
                UrlAdapterRegistry.create_binary_content_at_url(self._own_share, encode(share))
            self._has_ended = True
        self._publish_if_last()
        return self.url

    def _claimed(
        self, run: Url, foreign: ForeignTable | None, split: str
    ) -> tuple[Url, TableManifest, bool]:
        """Return the first table of its kind that is not finished, and make it if there is none."""
        assert foreign is not None
        name = shared_name(foreign, split, self._constants, self._ranks.count)
        for turn in itertools.count(self._ranks.turn or 0):
            url = run / METRICS / f"{name}_{turn:04d}"
            manifest = opened_manifest(url, foreign, split, self._constants, self._ranks.count)
            if not (url / MANIFEST).exists():
                with suppress(UrlExistsError):
                    UrlAdapterRegistry.create_binary_content_at_url(url / OPENED, encode(manifest))
                return url, read(url, TableManifest, file=OPENED), True
        raise AssertionError("there are endless numbers")

    def _take_up(self) -> None:
        """Go on after what this rank has written in an earlier life."""
        folder = f"rank-{self._ranks.rank}"
        try:
            names = [entry.name for entry in UrlAdapterRegistry.list_dir(self.url / folder)]
        except UrlNotFoundError:
            return
        self._earlier = tuple(parquet.describe(self.url, f"{folder}/{name}") for name in names)
        if self._earlier and self._ids is not None:
            known = Schema.from_dict(embedded_schema(self.url, self._earlier[0])).values
            self._schema |= known
            self._ids.add(_ids(self._stack_of(self._earlier, tuple(known)), self.url))

    def _completed(self, share: TableManifest) -> TableManifest:
        """Return a share with the files of an earlier life before its own."""
        if not self._earlier:
            return share
        files = (*self._earlier, *_files(share))
        schema = embedded_schema(self.url, files[-1])
        stack = self._stack_of(files, tuple(Schema.from_dict(schema).values))
        return msgspec.structs.replace(share, rows_schema=schema, stack=stack)

    def _in_order(self, stack: Stack) -> Stack:
        return stack  # the whole table is put in order

    def _stack_of(self, files: tuple[FileEntry, ...], columns: tuple[str, ...]) -> Stack:
        rows = sum(entry.rows for entry in files)
        return Stack(rows, (Data(columns, files, self._manifest.id),))

    def _publish_if_last(self) -> None:
        count = self._ranks.count
        names = [share_name(rank, count) for rank in range(count)]
        try:
            shares = [read(self.url, TableManifest, file=name) for name in names]
        except (ObjectNotFoundError, ObjectKindError):
            return  # another rank is at work, or published the table
        self.is_published = create(self.url, self._merged(shares))
        for name in names:
            with suppress(OSError):
                UrlAdapterRegistry.delete_url(self.url / name)

    def _merged(self, shares: list[TableManifest]) -> TableManifest:
        """Return the table of all shares: each id once, in their order.

        Raises:
            MetricsError: The columns of two ranks differ.
        """
        filled = [share for share in shares if share.stack.row_count] or shares[:1]
        first = filled[0]
        for share in filled[1:]:
            if share.rows_schema != first.rows_schema:
                raise MetricsError(
                    f"The ranks have written different columns to {self.url}: "
                    f"{_described(first)}; and {_described(share)}.",
                    hint="give schemas to the columns of collectors, so that no rank has to guess.",
                )
        files = tuple(entry for share in filled for entry in _files(share))
        stack = self._stack_of(files, _columns(first))
        ids = _ids(stack, self.url)
        unique, positions = np.unique(ids, return_index=True)
        if len(unique) < len(ids) or not (positions[1:] > positions[:-1]).all():
            order = pa.table({"row": pa.array(positions.astype(np.int64))})
            entry = parquet.write(self.url, f"order-{new_writer()}.parquet", order)
            stack = Stack(len(unique), (*stack.layers, Take(entry)))
        return msgspec.structs.replace(
            first, stack=stack, metrics=self._info(shares, len(unique), len(ids))
        )

    def _info(self, shares: list[TableManifest], unique: int, rows: int) -> MetricsInfo:
        infos = [share.metrics for share in shares if share.metrics is not None]
        assert self._foreign is not None
        dropped = sum(info.completeness.repeats_dropped for info in infos if info.completeness)
        expected = self._foreign.row_count
        return msgspec.structs.replace(
            infos[0],
            completeness=Completeness(
                rows=unique,
                unique=unique,
                repeats_dropped=dropped + rows - unique,
                expected=expected,
                missing=expected - unique,
            ),
        )


def _files(share: TableManifest) -> tuple[FileEntry, ...]:
    return tuple(
        entry for layer in share.stack.layers if isinstance(layer, Data) for entry in layer.files
    )


def _columns(share: TableManifest) -> tuple[str, ...]:
    return tuple(Schema.from_dict(share.rows_schema).values)


def _ids(stack: Stack, folder: Url) -> np.ndarray[Any, Any]:
    if not stack.row_count:
        return np.zeros(0, np.int64)
    return np.asarray(read_column(stack, EXAMPLE_ID, folder, pa.int64()))


def _described(share: TableManifest) -> str:
    parts = Schema.from_dict(share.rows_schema).values.items()
    return ", ".join(f"{name} ({getattr(each.value, 'type', 'nested')})" for name, each in parts)
