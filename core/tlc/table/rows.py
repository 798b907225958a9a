"""The rows of a table: single ones, several at once, and whole columns."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tlc.errors import CellError, ColumnNotFoundError, RowIndexError, RowIndexTypeError
from tlc.format.stack import StackReader
from tlc.sample_types import ExternalSampleType, SampleType, resolve_sample_type
from tlc.schemas.arrow import arrow_type
from tlc.table.cells import dicts
from tlc.table.media import fetched_media
from tlc.table.store import BlockStore

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tlc.format.manifest import Stack
    from tlc.schemas import Schema
    from tlc.table.blocks import Block, Getters
    from tlc.table.cells import CellReader
    from tlc.url import Url

_FEW = 4
"""So many samples are read one by one faster than at once."""


class Rows:
    """Columns, rows and samples of one table. What is decoded stays: see `BlockStore`.

    Args:
        stack: The layers that make the rows.
        schema: Schema of a row.
        url: The table's folder.

    Attributes:
        count: Number of rows.
    """

    def __init__(self, stack: Stack, schema: Schema, url: Url) -> None:
        self.count = stack.row_count
        self._stack = stack
        self._schemas: Mapping[str, Schema] = schema.values
        self._url = url

    def __len__(self) -> int:
        return self.count

    def column(self, name: str) -> pa.Array:
        """Return a column as one Arrow array.

        Raises:
            ColumnNotFoundError: There is none of that name.
        """
        self._check_names([name])
        return self._store.column(name)

    def row(self, index: int) -> dict[str, Any]:
        """Return row `index` (0 <= index < count) in row form."""
        block = self._store.find(index)
        getters = block.row_getters
        if getters is None:
            block, getters = self._prepared_rows(index)
        index -= block.first
        return {name: read(index) for name, read in getters}

    def sample(self, index: int) -> dict[str, Any]:
        """Return row `index` (0 <= index < count) in sample form, without hidden columns."""
        block = self._store.find(index)
        getters = block.sample_getters
        if getters is None:
            block, getters = self._prepared_samples(index)
        index -= block.first
        return {name: read(index) for name, read in getters}

    def samples(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return several samples; what is wrong with an index is told as `position` does."""
        numbers = self._positions(indices)
        with fetched_media(self._store, self._media, numbers):
            return self._samples(numbers)

    def _samples(self, numbers: np.ndarray) -> list[dict[str, Any]]:
        names = self.visible
        block = self._store.single(names) if len(numbers) > _FEW else None
        if block is not None:
            readers = self._readers(block, names)
            return dicts(names, [reader.many(numbers) for reader in readers], len(numbers))
        samples: list[Any] = [None] * len(numbers)
        # In the order of the rows, so that no block is loaded twice.
        rows = numbers.tolist()
        for position in sorted(range(len(rows)), key=rows.__getitem__):
            samples[position] = self.sample(rows[position])
        return samples

    def batch(self, indices: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
        """Return columns of several samples: arrays of numbers, lists of all else.

        Raises:
            ColumnNotFoundError: There is no such column.
            CellError: A whole number or boolean is missing.
        """
        self._check_names(names)
        numbers = self._positions(indices)
        media = [name for name in self._media if name in names]
        with fetched_media(self._store, media, numbers):
            return self._batch(numbers, names)

    def _batch(self, numbers: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
        block = self._store.single(names) if len(numbers) else None
        if block is not None:
            return self._batch_of(block, numbers, names)
        order = numbers.argsort(kind="stable")
        parts = [
            self._batch_of(self._store.load(rows[0], names), rows, names)
            for rows in self._by_block(numbers[order].tolist())
        ]
        return {name: _merged([part[name] for part in parts], order) for name in names}

    def position(self, index: Any) -> int:
        """Return a row number counted from the start for an index that may be negative.

        Raises:
            RowIndexTypeError: `index` is a slice, a string or anything else that is no integer.
            RowIndexError: It lies outside the table.
        """
        try:
            number = operator.index(index)
        except TypeError:
            raise self._no_integer(index) from None
        count = self.count
        if not -count <= number < count:
            raise RowIndexError(f"Row {number} of {self._url} does not exist: it has {count} rows.")
        return number + count if number < 0 else number

    @cached_property
    def visible(self) -> list[str]:
        """Names of the columns that samples have."""
        return [name for name, kind in self._sample_types.items() if kind.is_included_in_sample]

    @cached_property
    def _media(self) -> list[str]:
        kinds = self._sample_types
        return [name for name in self.visible if isinstance(kinds[name], ExternalSampleType)]

    @cached_property
    def _store(self) -> BlockStore:
        types = {name: arrow_type(schema) for name, schema in self._schemas.items()}
        return BlockStore(StackReader(self._stack, self._url, types, self._schemas))

    @cached_property
    def _sample_types(self) -> dict[str, SampleType]:
        return {
            name: resolve_sample_type(schema, strict=False)
            for name, schema in self._schemas.items()
        }

    def _prepared_rows(self, index: int) -> tuple[Block, Getters]:
        names = list(self._schemas)
        with self._store.locked():
            block = self._store.load(index, names)
            return block, block.prepare_rows(names)

    def _prepared_samples(self, index: int) -> tuple[Block, Getters]:
        with self._store.locked():
            block = self._store.load(index, self.visible)
            kinds = {name: self._sample_types[name] for name in self.visible}
            return block, block.prepare_samples(kinds, self._url)

    def _readers(self, block: Block, names: Sequence[str]) -> list[CellReader]:
        known = block.sample_readers
        if not known.keys() >= set(names):
            with self._store.locked():
                block = self._store.load(block.first, names)
                block.add_readers({name: self._sample_types[name] for name in names}, self._url)
                known = block.sample_readers
        return [known[name] for name in names]

    def _batch_of(self, block: Block, rows: Any, names: Sequence[str]) -> dict[str, Any]:
        """Return the columns of some rows, all of which lie in `block`."""
        import numpy as np

        places = np.asarray(rows) - block.first
        columns: dict[str, Any] = {}
        for name, reader in zip(names, self._readers(block, names), strict=True):
            array = reader.arrays(places)
            columns[name] = reader.many(places) if array is None else array
            if array is None and reader.is_number:
                self._refuse_missing(name, columns[name], places + block.first)
        return columns

    def _by_block(self, rows: Sequence[int]) -> Iterator[list[int]]:
        """Yield the rows of each block, which are given in ascending order."""
        for _, group in groupby(rows, key=lambda row: self._store.find(row).first):
            yield list(group)

    def _positions(self, indices: Sequence[int]) -> np.ndarray:
        import numpy as np

        if not len(indices):
            return np.empty(0, np.int64)
        # One look at all of them is much cheaper than one at each.
        usual = set(map(type, indices)) == {int} and min(indices) >= 0 and max(indices) < self.count
        if not usual:
            indices = [self.position(index) for index in indices]
        return np.array(indices, np.int64)

    def _check_names(self, names: Sequence[str]) -> None:
        for name in names:
            if name not in self._schemas:
                raise ColumnNotFoundError(
                    f"{self._url} has no column {name!r}.",
                    hint=f"its columns are {', '.join(map(repr, self._schemas)) or 'none'}.",
                )

    def _refuse_missing(self, name: str, values: list[Any], rows: np.ndarray) -> None:
        row = int(rows[values.index(None)])
        raise CellError(
            f"Row {row}, column {name!r} of {self._url}: the number is missing, and an array of "
            "whole numbers has no place for that.",
            column=name,
            row=row,
            hint="fill the column in a revision, leave it out, or read samples.",
        )

    def _no_integer(self, index: Any) -> RowIndexTypeError:
        hint = "index with one row number."
        if isinstance(index, str):
            hint = f"a column is table.get_column_as_pyarrow_array({index!r})."
        elif isinstance(index, slice):
            hint = "[table[i] for i in range(...)] gives several samples."
        return RowIndexTypeError(
            f"A table cannot be indexed with {index!r} ({type(index).__name__}).", hint=hint
        )


def _merged(parts: list[Any], order: np.ndarray) -> Any:
    """Return parts as one, with the value at k going to ``order[k]``."""
    import numpy as np

    if parts and all(isinstance(part, np.ndarray) for part in parts):
        joined = np.concatenate(parts)
        merged = np.empty_like(joined)
        merged[order] = joined
        return merged
    values = [value for part in parts for value in part]
    result: list[Any] = [None] * len(values)
    for place, value in zip(order.tolist(), values, strict=True):
        result[place] = value
    return result


class RowsView(Sequence[dict[str, Any]]):
    """The rows of a table in row form: ``view[i]`` is a dict of plain values, new on each access.

    All columns are there, the hidden ones too.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return self._rows.count

    def __getitem__(self, index: Any) -> Any:
        rows = self._rows
        if type(index) is int and 0 <= index < rows.count:
            return rows.row(index)
        return rows.row(rows.position(index))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return map(self._rows.row, range(self._rows.count))

    def __repr__(self) -> str:
        return f"RowsView({len(self)} rows)"
