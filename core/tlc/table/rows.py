"""The rows of a table: columns, decoded when first asked for, and readers of single rows."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tlc.errors import (
    CellError,
    ColumnNotFoundError,
    ImageReadError,
    RowIndexError,
    RowIndexTypeError,
    TlcError,
)
from tlc.format.layers import read_column
from tlc.sample_types import SampleType, resolve_sample_type
from tlc.schemas.arrow import arrow_type
from tlc.table.cells import Reader, cell_reader

if TYPE_CHECKING:
    import pyarrow as pa

    from tlc.format.manifest import Stack
    from tlc.schemas import Schema
    from tlc.url import Url


class Rows:
    """Columns, rows and samples of one table.

    Args:
        stack: The layers that make the rows.
        schema: Schema of a row.
        url: The table's folder.
    """

    def __init__(self, stack: Stack, schema: Schema, url: Url) -> None:
        self._stack = stack
        self._schemas: Mapping[str, Schema] = schema.values
        self._url = url
        self._columns: dict[str, pa.Array] = {}
        self._row_readers: dict[str, Reader] | None = None
        self._sample_readers: dict[str, Reader] | None = None

    def __len__(self) -> int:
        return self._stack.row_count

    def column(self, name: str) -> pa.Array:
        """Return a column as one Arrow array.

        Raises:
            ColumnNotFoundError: There is none of that name.
        """
        if name not in self._columns:
            if name not in self._schemas:
                raise ColumnNotFoundError(
                    f"{self._url} has no column {name!r}.",
                    hint=f"its columns are {', '.join(map(repr, self._schemas)) or 'none'}.",
                )
            schema = self._schemas[name]
            self._columns[name] = read_column(
                self._stack, name, self._url, arrow_type(schema), schema=schema
            )
        return self._columns[name]

    def row(self, index: int) -> dict[str, Any]:
        """Return row `index` (0 <= index < len) in row form."""
        if self._row_readers is None:
            self._row_readers = {name: self._row_reader(name) for name in self._schemas}
        return {name: read(index) for name, read in self._row_readers.items()}

    def sample(self, index: int) -> dict[str, Any]:
        """Return row `index` (0 <= index < len) in sample form, without hidden columns."""
        if self._sample_readers is None:
            self._sample_readers = self._make_sample_readers()
        return {name: read(index) for name, read in self._sample_readers.items()}

    def samples(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return several samples; what is wrong with an index is told as `position` does."""
        if not indices:
            return []
        # One look at all of them is much cheaper than one at each.
        usual = set(map(type, indices)) == {int} and min(indices) >= 0 and max(indices) < len(self)
        numbers = indices if usual else [self.position(index) for index in indices]
        return [self.sample(number) for number in numbers]

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
        count = len(self)
        if not -count <= number < count:
            raise RowIndexError(f"Row {number} of {self._url} does not exist: it has {count} rows.")
        return number + count if number < 0 else number

    def _row_reader(self, name: str) -> Reader:
        return cell_reader(self.column(name))

    def _make_sample_readers(self) -> dict[str, Reader]:
        readers: dict[str, Reader] = {}
        for name, schema in self._schemas.items():
            sample_type = resolve_sample_type(schema, strict=False)
            if not sample_type.is_included_in_sample:
                continue
            read = self._row_reader(name)
            plain = sample_type.is_identity
            readers[name] = read if plain else self._decoder(name, read, sample_type)
        return readers

    def _decoder(self, name: str, read: Reader, sample_type: SampleType) -> Reader:
        def decode(index: int) -> Any:
            cell = read(index)
            if cell is None:
                return None
            try:
                return sample_type.from_row(cell)
            except (TlcError, OSError, ValueError, TypeError) as error:
                raise self._unreadable(name, index, error) from error

        return decode

    def _unreadable(self, name: str, index: int, error: Exception) -> TlcError:
        reason = getattr(error, "message", str(error))
        where = f"Row {index}, column {name!r} of {self._url}: {reason}"
        hint = (
            getattr(error, "hint", "") or "correct the file, or delete the row in a new revision."
        )
        if isinstance(error, ImageReadError):
            return ImageReadError(where, hint=hint)
        return CellError(where, column=name, row=index, hint=hint)

    def _no_integer(self, index: Any) -> RowIndexTypeError:
        hint = "index with one row number."
        if isinstance(index, str):
            hint = f"a column is table.get_column_as_pyarrow_array({index!r})."
        elif isinstance(index, slice):
            hint = "[table[i] for i in range(...)] gives several samples."
        return RowIndexTypeError(
            f"A table cannot be indexed with {index!r} ({type(index).__name__}).", hint=hint
        )


class RowsView(Sequence[dict[str, Any]]):
    """The rows of a table in row form: ``view[i]`` is a dict of plain values, new on each access.

    All columns are there, the hidden ones too.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows.row(self._rows.position(index))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self._rows.row(i) for i in range(len(self._rows)))

    def __repr__(self) -> str:
        return f"RowsView({len(self)} rows)"
