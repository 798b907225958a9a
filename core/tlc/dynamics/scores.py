"""What was computed for each row of a table, and how it becomes columns."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tlc.errors import ColumnError, ColumnNotFoundError, MetricsError
from tlc.format.infer import infer_column
from tlc.table import Table
from tlc.table.edits import AddColumn, DropColumn, Edit

if TYPE_CHECKING:
    from tlc.run import Run
    from tlc.schemas import Schema


_HIDDEN = "hidden"


class Scores(Mapping[str, Any]):
    """Columns with one value for each row of a table, not yet stored anywhere.

    Two of them can be put together: ``cartography(run) | aum(run)``.

    Args:
        table: The table whose rows are meant.
        columns: Name to values: an array of shape ``(len(table),)`` or ``(len(table), n)``, or a
            list, also of Arrow, with an array for each row, such as one number per box.
        schemas: Schemas of columns; the others are inferred.
        description: What was computed, in a few words.
    """

    def __init__(
        self,
        table: Table,
        columns: Mapping[str, Any],
        schemas: Mapping[str, Schema] | None = None,
        *,
        description: str = "",
    ) -> None:
        self.table = table
        self.schemas = dict(schemas or {})
        self.description = description
        self._columns = dict(columns)

    def __getitem__(self, name: str) -> Any:
        """Return a column.

        Raises:
            ColumnNotFoundError: There is no such score.
        """
        try:
            return self._columns[name]
        except KeyError:
            raise ColumnNotFoundError(
                f"There is no score {name!r}.", hint=f"there are {', '.join(self._columns)}."
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Scores({', '.join(self._columns)} of {len(self.table)} rows of {self.table.name})"

    def __or__(self, other: Scores) -> Scores:
        """Return the columns of both; of one name, those of `other`.

        Raises:
            MetricsError: They are of two tables.
        """
        if other.table.id != self.table.id:
            raise MetricsError(
                f"Scores of {self.table.url} and of {other.table.url} do not go together.",
                hint="compute both with the same table=.",
            )
        why = "; ".join(filter(None, (self.description, other.description)))
        kept = {name: schema for name, schema in self.schemas.items() if name not in other}
        schemas = {**kept, **other.schemas}
        return Scores(self.table, {**self, **other}, schemas, description=why)

    def rows(self, name: str, count: int | None = None, *, highest: bool = True) -> np.ndarray:
        """Return row numbers of the table in the order of a score.

        Args:
            name: A score with one number per row.
            count: How many rows; all that have the score if None.
            highest: Begin with the highest, else with the lowest.

        Returns:
            Shape ``(n,)``, int64. Rows whose score is NaN are left out; of equal ones the lower row
            comes first.

        Raises:
            ColumnNotFoundError: There is no such score.
            ColumnError: It does not have one number per row.
        """
        try:
            values = np.asarray(self[name], np.float64)
        except (TypeError, ValueError):
            values = np.empty(0)
        if values.shape != (len(self.table),):
            raise ColumnError(
                f"There is not one number in {name!r} for each row of {self.table.url}.",
                hint="make one of them, such as the mean, to put rows in order.",
            )
        order = np.argsort(-values if highest else values, kind="stable")
        return order[~np.isnan(values[order])][:count].astype(np.int64)

    def add_to_table(self, *, description: str | None = None) -> Table:
        """Return a revision of the table with the scores as columns, in place of any so named.

        The new columns are hidden, as weights are: rows have them, and samples, which a model is
        trained on, do not. A column that a former call has added is replaced; others stay.

        Args:
            description: Why; what was computed if None.

        Raises:
            ColumnError: The table has a column of that name which samples have, such as its data.
        """
        known = self.table.rows_schema.values
        edits: list[Edit] = [DropColumn(name) for name in self if self._replaced(name, known)]
        edits += [AddColumn(name, self[name], self._hidden(name)) for name in self]
        why = self.description if description is None else description
        return self.table.revise(*edits, description=why)

    def _replaced(self, name: str, known: Mapping[str, Schema]) -> bool:
        if name in known and known[name].sample_type != _HIDDEN:
            raise ColumnError(
                f"{self.table.url} has a column {name!r} that is no score: samples have it.",
                hint="add the scores to the run instead, with add_to_run.",
            )
        return name in known

    def _hidden(self, name: str) -> Schema:
        schema = copy.copy(self.schemas.get(name) or infer_column(name, self[name]))
        schema.sample_type, schema.writable = _HIDDEN, False
        return schema

    def add_to_run(self, run: Run, *, split: str = "") -> Table:
        """Return a metrics table of the run that holds the scores, joined to the table's rows.

        Args:
            run: The run; it need not be the one that the scores were computed from.
            split: Name of the part of the data, such as ``"train"``.
        """
        (info,) = run.add_metrics(self._columns, self.schemas, self.table, split=split)
        return Table.from_url(run.url / info["url"])
