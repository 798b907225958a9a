"""Building a table row by row or batch by batch."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from tlc.errors import WriterStateError
from tlc.format.commit import commit, parents_of
from tlc.format.layout import table_url as url_of_names
from tlc.format.names import DEFAULT_DATASET, DEFAULT_PROJECT, DEFAULT_TABLE
from tlc.format.publish import check_option, claim
from tlc.table import Table
from tlc.url import Url
from tlc.writers.open_writer import check_owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tlc.schemas import Schema


class TableWriter:
    """Writes a new table from rows that come one by one or in batches, with flat memory.

    Cells may be in sample form or in row form, decided value by value. A row or batch is taken
    whole or, after an error, not at all. The table exists once `finalize` has returned, or the
    ``with`` block has ended without an error.

    Args:
        table_name: Name of the table.
        dataset_name: Name of its dataset.
        project_name: Name of its project.
        description: What others should know of the table.
        schema: Column name to schema; columns without one get theirs from the first values.
        if_exists: ``"rename"`` adds ``_0000`` and so on to a name that is taken; ``"overwrite"``
            replaces the table; ``"raise"`` refuses.
        root_url: Folder that holds the project; the active run's or the configured one if None.
        input_tables: Urls of tables that this one is made from.
        table_url: Url of the table, in place of names and root.

    Raises:
        ObjectExistsError: There is such a table, and `if_exists` is ``"raise"``.
        ObjectNotFoundError: There is no table at one of `input_tables`.
        NameNotAllowedError: A name cannot be used.
    """

    def __init__(
        self,
        table_name: str = DEFAULT_TABLE,
        dataset_name: str = DEFAULT_DATASET,
        project_name: str = DEFAULT_PROJECT,
        description: str | None = "",
        schema: Mapping[str, Schema] | None = None,
        if_exists: str = "rename",
        root_url: Url | str | None = None,
        input_tables: Sequence[Url | str] | None = None,
        *,
        table_url: Url | str | None = None,
    ) -> None:
        from tlc.format.builder import RowBuilder  # late: it needs NumPy

        check_option(if_exists, without="reuse")
        names = url_of_names(table_name, dataset_name, project_name, root_url)
        folder = claim(Url(table_url).to_absolute() if table_url else names, if_exists, "table")
        self._builder = RowBuilder(folder, schema or {})
        self._description = description or ""
        self._if_exists = if_exists
        self._parents = parents_of(input_tables, folder)
        self._ended = ""
        self._owner = os.getpid()

    @property
    def row_count(self) -> int:
        """Number of rows taken so far."""
        return self._builder.row_count

    def add_row(self, row: Mapping[str, Any]) -> None:
        """Add one row.

        Raises:
            ColumnError: A column is missing or unknown.
            CellError: A value does not fit its schema; the message names row and column.
            WriterStateError: The writer has ended, or was made in another process.
        """
        if self._ended:
            self._check_open()
        self._builder.add_row(row)

    def add_batch(self, batch: Mapping[str, Any]) -> None:
        """Add rows given as columns of equal length: lists, arrays or tensors.

        Raises:
            ColumnError: A column is missing, unknown, or a single value.
            ColumnLengthError: The columns differ in length.
            CellError: A value does not fit its schema; the message names row and column.
            WriterStateError: The writer has ended, or was made in another process.
        """
        self._check_open()
        self._builder.add_batch(batch)

    def finalize(self) -> Table:
        """Write what is left, publish the table and return it.

        After an error the rows are still there, and it can be called again.

        Raises:
            SchemaError: A schema cannot be stored.
            ObjectExistsError: Somebody else took the name meanwhile, and `if_exists` is
                ``"raise"``.
            WriterStateError: The writer has ended.
        """
        self._check_open()
        url = commit(
            self._builder,
            self._if_exists,
            description=self._description,
            parents=self._parents,
        )
        self._ended = "finalized"
        return Table.from_url(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._ended = "aborted"
        elif not self._ended and self._owner == os.getpid():
            self.finalize()

    def _check_open(self) -> None:
        if self._ended or self._owner != os.getpid():
            check_owner(self._owner, f"TableWriter for {self._builder.folder}")
            raise WriterStateError(
                f"This TableWriter for {self._builder.folder} was {self._ended} already.",
                hint="make a new one.",
            )
