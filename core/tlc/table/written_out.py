"""Rows written in full, in files of the new table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlc.format import parquet
from tlc.format.manifest import Data, FileEntry, Stack
from tlc.format.relative import relativize
from tlc.format.writer_name import new_writer
from tlc.schemas import Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from tlc.url import Url

    Columns = Mapping[str, tuple[Schema, pa.Array]]

_ROWS_PER_FILE = 8 * parquet.ROWS_PER_GROUP  # few files: every revision's manifest names each


def written_out(
    columns: Columns,
    count: int,
    folder: Url,
    writer: str,
    *,
    origin: str = "",
    keys: FileEntry | None = None,
) -> Stack:
    """Write columns into files below the folder of a new table, and return its layers.

    Args:
        columns: Name to schema and cells.
        count: Number of rows.
        folder: The new table.
        writer: Start of the names of its files.
        origin: Id of the table, for rows that are new.
        keys: File of the keys of rows that are not.
    """
    import pyarrow as pa

    cells = {name: relativize(cells, folder, schema) for name, (schema, cells) in columns.items()}
    rows = pa.table(cells)
    files = tuple(
        parquet.write(
            folder, f"data/{writer}-{number:05d}.parquet", rows.slice(start, _ROWS_PER_FILE)
        )
        for number, start in enumerate(range(0, count, _ROWS_PER_FILE))
    )
    return Stack(count, (Data(tuple(columns), files, origin=origin, keys=keys),))


@dataclass
class NewRows:
    """Rows of a new table that are no rows of another one, with keys of their own.

    Args:
        columns: Name to schema and cells.
        count: Number of rows.
        folder: The new table.
        identity: Its id.
    """

    columns: Columns
    count: int
    folder: Url
    identity: str

    @property
    def schema(self) -> Schema:
        """Schema of a row."""
        return Schema(values={name: schema for name, (schema, _) in self.columns.items()})

    def stack(self) -> Stack:
        """Write the rows, and return the layers."""
        return written_out(
            self.columns, self.count, self.folder, new_writer(), origin=self.identity
        )
