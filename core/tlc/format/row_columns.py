"""The columns of the rows that a writer takes: those that come with the rows, and constant ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from tlc.errors import ColumnError
from tlc.format import parquet
from tlc.format.plain import combine
from tlc.format.relative import holds_urls, relativize
from tlc.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from tlc.format.encode import ColumnEncoder
    from tlc.url import Url


@dataclass(frozen=True)
class Constant:
    """A column with one value for all rows: its encoder, and an array of its one cell."""

    encoder: ColumnEncoder
    cell: pa.Array


@dataclass(frozen=True)
class RowColumns:
    """How the columns of rows are stored.

    Attributes:
        encoders: Of the columns that come with the rows, by name.
        constants: The others.
        order: Names of all of them.
    """

    encoders: Mapping[str, ColumnEncoder]
    constants: Mapping[str, Constant]
    order: tuple[str, ...]

    def with_encoders(self, encoders: Mapping[str, ColumnEncoder]) -> RowColumns:
        """Return the same columns with some encoders replaced."""
        return replace(self, encoders={**self.encoders, **encoders})

    @cached_property
    def schema(self) -> Schema:
        """Schema of a row."""
        known = {name: encoder.schema for name, encoder in self.encoders.items()}
        known |= {name: constant.encoder.schema for name, constant in self.constants.items()}
        return Schema(values={name: known[name] for name in self.order})

    @cached_property
    def metadata(self) -> dict[bytes, bytes]:
        """What a file says of its columns, for readers that have no manifest."""
        return {parquet.EMBEDDED_SCHEMA: msgspec.json.encode(self.schema.to_dict())}

    def table(
        self, cells: Callable[[str], pa.ChunkedArray | pa.Array], count: int, folder: Url
    ) -> pa.Table:
        """Return rows as they are stored.

        Args:
            cells: Gives the cells of a column that came with the rows.
            count: Number of rows.
            folder: Url of the table, which urls are relative to.
        """
        import pyarrow as pa

        arrays = {
            name: self._stored(cells(name), encoder.schema, folder)
            for name, encoder in self.encoders.items()
        }
        for name, constant in self.constants.items():
            cell = self._stored(constant.cell, constant.encoder.schema, folder)
            arrays[name] = pa.repeat(cell[0], count)
        return pa.Table.from_arrays([arrays[name] for name in self.order], list(self.order))

    def _stored(self, cells: Any, schema: Schema, folder: Url) -> Any:
        if not holds_urls(schema):
            return cells
        import pyarrow as pa

        combined = combine(cells) if isinstance(cells, pa.ChunkedArray) else cells
        return relativize(combined, folder, schema)

    def completed(self, row: Mapping[str, Any], count: int | None = None) -> Mapping[str, Any]:
        """Return a row, or a batch of `count` rows, with the default values of columns it lacks.

        Raises:
            ColumnError: A column without default value is missing, or one is unknown.
        """
        if row.keys() == self.encoders.keys():
            return row
        unknown = [name for name in row if name not in self.encoders]
        defaults = {n: e.schema.default_value for n, e in self.encoders.items() if n not in row}
        missing = [name for name, value in defaults.items() if value is None]
        if unknown or missing:
            raise _wrong_columns(missing, unknown, list(self.encoders))
        if count is not None:
            defaults = {name: [value] * count for name, value in defaults.items()}
        return {**row, **defaults}


def _wrong_columns(missing: list[str], unknown: list[str], known: list[str]) -> ColumnError:
    parts = [f"missing: {', '.join(map(repr, missing))}"] if missing else []
    parts += [f"unknown: {', '.join(map(repr, unknown))}"] if unknown else []
    return ColumnError(
        f"The row does not have the table's columns ({'; '.join(parts)}).",
        hint=f"the columns are {', '.join(map(repr, known))}; None stands for a missing value.",
    )
