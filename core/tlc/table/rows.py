"""The rows of a table: single ones, several at once, and whole columns."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any

from tlc.errors import CellError, ColumnNotFoundError, RowIndexError, RowIndexTypeError
from tlc.format.stack import StackReader
from tlc.sample_types import ExternalSampleType, SampleType, resolve_sample_type
from tlc.schemas.arrow import arrow_type
from tlc.table.cells import dicts
from tlc.table.media import fetched_media
from tlc.table.store import BlockStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pyarrow as pa

    from tlc.format.manifest import Stack
    from tlc.schemas import Schema
    from tlc.table.blocks import Block, Getters
    from tlc.table.cells import CellReader
    from tlc.url import Url

Finish = Callable[[Any, int], Any]
"""Turns a sample, whose row number it gets too, into what is handed out."""

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

    def parts(self, names: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
        """Yield columns in parts, the first rows first, and keep nothing.

        Raises:
            ColumnNotFoundError: There is no column of one of the names.
        """
        self._check_names(names)
        return self._store.parts(names)

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

    def samples(self, indices: Sequence[int], finish: Finish | None = None) -> list[Any]:
        """Return several samples, or what `finish` makes of each and its row number.

        What is wrong with an index is told as `position` does.
        """
        numbers = self._positions(indices)
        with fetched_media(self._store, self._media, numbers):
            if finish is None:
                return self._samples(numbers)
            rows = numbers.tolist()
            return list(map(finish, self._samples_in_turn(numbers, rows), rows))

    def _samples_in_turn(self, numbers: np.ndarray, rows: list[int]) -> Iterable[dict[str, Any]]:
        """Return samples; each image only when its turn comes, as it then is still in the cache."""
        if self._media and self._store.single(self.visible) is not None:
            return map(self.sample, rows)
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
        block = self._store.single(names) if len(numbers) else None
        if block is not None:
            readers = zip(names, self._readers(block, names), strict=True)
            return {name: self._values(name, reader, numbers, 0) for name, reader in readers}
        order = numbers.argsort(kind="stable")
        columns = self._parts(numbers[order].tolist(), names, as_lists=frozenset())
        # A column of which some parts have an array, and others not, is read again.
        mixed = {name for name, parts in columns.items() if len(set(map(type, parts))) > 1}
        if mixed:
            columns |= self._parts(numbers[order].tolist(), sorted(mixed), as_lists=mixed)
        return {name: _reordered(columns[name], order) for name in names}

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

    def _parts(
        self, rows: list[int], names: Sequence[str], *, as_lists: Set[str]
    ) -> dict[str, list[Any]]:
        """Return the values of columns, rows ascending, block by block: arrays or lists."""
        import numpy as np

        parts: dict[str, list[Any]] = {name: [] for name in names}
        for part in self._by_block(rows):
            block = self._store.load(part[0], names)
            places = np.array(part, np.int64) - block.first
            for name, reader in zip(names, self._readers(block, names), strict=True):
                values = self._values(name, reader, places, block.first, name in as_lists)
                parts[name].append(values)
        return parts

    def _values(
        self, name: str, reader: CellReader, places: np.ndarray, first: int, as_list: bool = False
    ) -> Any:
        array = None if as_list else reader.arrays(places)
        if array is not None:
            return array
        values = reader.many(places)
        if reader.is_number and None in values:
            raise self._missing(name, first + int(places[values.index(None)]))
        return values

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

    def _missing(self, name: str, row: int) -> CellError:
        return CellError(
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


def _reordered(parts: list[Any], order: np.ndarray) -> Any:
    """Return parts as one array or list, with the value at k going to ``order[k]``."""
    import numpy as np

    if parts and isinstance(parts[0], np.ndarray):
        joined = np.concatenate(parts)
        result = np.empty_like(joined)
        result[order] = joined
        return result
    values: list[Any] = [None] * len(order)
    for place, value in zip(order.tolist(), chain.from_iterable(parts), strict=True):
        values[place] = value
    return values


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
